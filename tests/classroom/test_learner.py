"""The learner's side: what is told, when the board is there and when it is not."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import playground
from playground import workspace
from playground.classroom import last_run, membership, reporting
from playground.classroom.membership import ClassroomError
from playground.grading import exercise, session
from playground.grading.verdict import Check, Message, Status, Verdict
from tests.classroom.serving import FIRST, HANG_S, SECOND, Serving, names
from tests.classroom.test_board import a_trace

SECRET = "my_own_secret_code"
pytestmark = [pytest.mark.usefixtures("learner"), pytest.mark.timeout(4 * HANG_S)]


def verdict(name: str = FIRST, status: Status = Status.FAILED) -> Verdict:
    """As a grader gives it."""
    failed = status is Status.FAILED
    checks = [Check("Reads the parts", not failed)]
    message = Message("read(b'GET / HTTP/1.1')", "raised KeyError: 'x'", "(…)") if failed else None
    return Verdict(name, name, status, checks, message)


def told(*args: Any, **more: Any) -> None:
    """Tell the board, and wait until it has heard, or is found to be away."""
    assert reporting.told(*args, **more) == ""
    assert reporting.SENDER.wait(HANG_S)


def deliver() -> None:
    """What the thread does, without its pauses."""
    with membership.client() as http:
        reporting.deliver(http)


def outbox() -> list[str]:
    return sorted(path.stem for path in membership.outbox().glob("*.json"))


def run(*args: str) -> subprocess.CompletedProcess[str]:
    """The command line, as a learner has it."""
    return subprocess.run(
        [sys.executable, "-m", "playground", *args],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )


# ---- joining ---------------------------------------------------------------------------------


def test_what_a_learner_does_in_a_terminal(board: Serving) -> None:
    """Join, check, fail with code of their own, pass, leave."""
    wrong = run("join", board.address, "BBBBBB", "--name", "Ada")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (1, 1)
    assert "not the board's code" in wrong.stderr
    joined = run("join", f"http://{board.address}/", board.code.lower(), "--name", "Ada")
    assert (joined.returncode, joined.stderr) == (0, "")
    assert "never your code" in joined.stdout

    stub = exercise.find(FIRST).learners_file()
    stub.write_text(f"# {SECRET}\ndef parse_request_line(line):\n    {SECRET} = 1 / 0\n")
    assert run("check", FIRST).returncode == 1
    deliver()  # what the process could not send as it ended
    (learner,) = board.state()["learners"]
    assert (learner["name"], learner["exercise"], learner["status"]) == ("Ada", FIRST, "failed")
    (failure,) = board.state()["failures"]
    assert "ZeroDivisionError" in failure["message"]
    for text in ("def parse_request_line(line", "def parse(:"):  # no code, not even broken code
        stub.write_text(f"{text} {SECRET}\n")
        assert session.check(exercise.find(FIRST)).status is Status.FAILED
        assert reporting.SENDER.wait(HANG_S)
    stored = b"".join(path.read_bytes() for path in board.folder.glob("board.sqlite3*"))
    assert b"SyntaxError" in stored
    assert SECRET.encode() not in stored

    stub.write_bytes(exercise.find(FIRST).solution.read_bytes())
    assert session.check(exercise.find(FIRST)).passed
    assert reporting.SENDER.wait(HANG_S)
    assert board.state()["exercises"][FIRST] == {"passed": 1, "tried": 1}
    assert run("leave").returncode == 0
    assert names(board.state()) == []
    with pytest.raises(ClassroomError, match="You are on no board"):
        playground.leave()


def test_a_restarted_learner_is_the_same_and_another_of_that_name_is_not(
    board: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    playground.join(board.address, board.code, name="Ada")
    told(verdict())
    playground.join(board.address, board.code, name="Ada")
    assert names(board.state()) == ["Ada"]
    capsys.readouterr()
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(tmp_path / "other"))
    playground.join(board.address, board.code, name="Ada")
    assert "you are Ada (2)." in capsys.readouterr().out
    told(verdict(SECOND))
    assert [each["exercise"] for each in board.state()["learners"]] == [FIRST, SECOND]
    mode = membership.folder().stat().st_mode
    assert mode & 0o077 == 0  # the token is nobody else's


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("127.0.0.1:1", "No board answers at http://127.0.0.1:1 "),
        ("two words", "is no address"),
        ("", "is no address"),
        ("ftp://127.0.0.1", "is no address"),
        ("127.0.0.1:99999", "is no address"),
    ],
)
def test_an_address_that_is_none(address: str, words: str) -> None:
    with pytest.raises(ClassroomError, match=words):
        playground.join(address, "BCDFGH", name="Ada")
    assert membership.load() is None


def test_what_is_typed_becomes_an_address() -> None:
    typed = (
        "192.168.0.10",
        "192.168.0.10:99",
        "http://hub/a/board/",
        "[::1]:99",
        "h#code=B",
    )
    found = [membership._address(each) for each in typed]
    port = playground.classroom.PORT
    assert found == [
        f"http://192.168.0.10:{port}",
        "http://192.168.0.10:99",
        "http://hub/a/board",
        "http://[::1]:99",
        f"http://h:{port}",
    ]


# ---- telling ---------------------------------------------------------------------------------


def test_who_has_joined_nothing_tells_nothing() -> None:
    assert reporting.told(verdict()) == ""
    assert not (workspace.root() / "classroom").exists()


def test_a_check_of_many_does_not_say_what_one_is_on(board: Serving) -> None:
    playground.join(board.address, board.code, name="Ada")
    told(verdict(FIRST))
    assert reporting.told(verdict(SECOND, Status.NOT_SOLVED), here=False) == ""
    told(verdict(SECOND, Status.PASSED), here=False)
    assert board.state()["learners"][0]["exercise"] == FIRST
    assert board.state()["exercises"][SECOND] == {"passed": 1, "tried": 1}


def test_no_check_waits_for_the_board(board: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    playground.join(board.address, board.code, name="Ada")
    asked, let_go = threading.Event(), threading.Event()
    real = membership.ask

    def slow(*args: Any, **more: Any) -> Any:
        asked.set()
        assert let_go.wait(HANG_S)
        return real(*args, **more)

    monkeypatch.setattr(membership, "ask", slow)
    assert reporting.told(verdict()) == ""
    assert asked.wait(HANG_S)
    assert reporting.told(verdict(SECOND)) == ""  # while the first is still under way
    assert not let_go.is_set()
    let_go.set()
    assert reporting.SENDER.wait(HANG_S)
    assert outbox() == []


def test_what_was_checked_while_the_board_was_away_comes_when_it_is_back(
    own_board: Serving,
) -> None:
    playground.join(own_board.address, own_board.code, name="Ada")
    own_board.kill()
    told(verdict(FIRST))
    told(verdict(FIRST, Status.PASSED))
    told(verdict(FIRST))
    told(verdict(SECOND))
    assert outbox() == sorted([FIRST, SECOND])
    own_board.start()
    wait_until(lambda: outbox() == [])  # the thread tries by itself
    state = own_board.state()
    assert state["learners"][0]["exercise"] == SECOND
    assert state["exercises"][FIRST] == {"passed": 1, "tried": 1}


def test_a_terminals_check_ends_although_the_board_says_nothing() -> None:
    """Somebody takes the connection, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        joined = membership.Joined(f"http://127.0.0.1:{silent.getsockname()[1]}", "Ada", "x" * 43)
        membership.folder()
        workspace.write_json_atomic(membership.path(), vars(joined))
        done = run("check", FIRST)
        assert (done.returncode, done.stderr) == (1, "")
        assert "not solved yet" in done.stdout
        assert outbox() == [FIRST]
        assert (membership.folder() / reporting.AWAY).exists()  # the next one does not wait at all


@pytest.mark.parametrize("seconds", [-60.0, 3600.0])  # ago; and a clock that was set back since
def test_a_terminals_check_finds_the_board_that_has_come_back(
    own_board: Serving, seconds: float
) -> None:
    playground.join(own_board.address, own_board.code, name="Ada")
    own_board.kill()
    run("check", FIRST)
    away = membership.folder() / reporting.AWAY
    assert away.exists()
    assert outbox() == [FIRST]
    own_board.start()

    def found() -> bool:
        then = time.time() + seconds
        os.utime(away, (then, then))
        run("check", SECOND)
        return outbox() == []

    wait_until(found)  # the moment that a check gives to the board is short for a busy machine
    assert not away.exists()
    assert set(own_board.state()["exercises"]) == {FIRST, SECOND}


def test_who_was_removed_is_told_once_and_tells_nothing_more(board: Serving) -> None:
    playground.join(board.address, board.code, name="Ada")
    board.act("remove", board.state()["learners"][0]["id"])
    told(verdict())
    assert membership.load() is None
    checked = session.check(exercise.find(FIRST))
    assert any("The instructor has removed you" in note for note in checked.notes)
    assert session.check(exercise.find(FIRST)).notes == []
    playground.join(board.address, board.code, name="Ada")  # who knows the code may come again
    assert names(board.state()) == ["Ada"]


def test_a_damaged_outbox_or_membership_breaks_no_check(board: Serving) -> None:
    playground.join(board.address, board.code, name="Ada")
    (membership.outbox() / f"{FIRST}.json").write_text("[]")
    (membership.outbox() / "other.json").write_text("{")
    told(verdict(SECOND))
    assert outbox() == []
    assert board.state()["learners"][0]["exercise"] == SECOND
    membership.path().write_text('{"address": 1}')
    assert reporting.told(verdict()) == ""
    with pytest.raises(workspace.WorkspaceError, match="delete it"):
        playground.leave()


def test_a_clock_that_is_wrong_or_set_back_says_nothing_wrong(
    board: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    playground.join(board.address, board.code, name="Ada")
    year_s = 365 * 86_400.0
    now = time.time
    monkeypatch.setattr(reporting.time, "time", lambda: now() + year_s)
    told(verdict())
    assert board.state()["learners"][0]["age_s"] < HANG_S
    report = {"id": "x", "at": now() + 2 * year_s}
    assert reporting._aged(workspace.json.dumps(report).encode()) == {"id": "x", "age_s": 0.0}


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + HANG_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


# ---- sharing ---------------------------------------------------------------------------------


def test_the_last_run_is_shared(board: Serving, capsys: Any) -> None:
    with pytest.raises(ClassroomError, match="You are on no board"):
        playground.share()
    playground.join(board.address, board.code, name="Ada")
    with pytest.raises(ClassroomError, match="There is no run yet"):
        playground.share()
    with pytest.raises(ClassroomError, match="5 is no run"):
        playground.share(5)  # type: ignore[arg-type]
    last_run.keep(a_trace(title="my run"))
    playground.share()
    assert "as shared by Ada: my run" in capsys.readouterr().out
    (shown,) = board.state()["timelines"]
    assert (shown["name"], shown["title"]) == ("Ada", "my run")
    other = run("share")  # another process finds it in the workspace
    assert (other.returncode, other.stderr) == (0, "")
    (again,) = board.state()["timelines"]  # one of each learner
    assert again["id"] != shown["id"]


def test_a_run_that_is_too_large_is_told_before_it_is_sent(board: Serving) -> None:
    playground.join(board.address, board.code, name="Ada")
    trace = a_trace(title="x" * (1 << 20))
    with pytest.raises(ClassroomError, match="share a run of fewer requests"):
        playground.share(trace)
