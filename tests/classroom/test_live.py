"""Runs that are shown while they go on: what the board does, and what a run feels of it."""

from __future__ import annotations

import json
import math
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import playground
from playground import workspace
from playground.classroom import frame, going, live, membership, sharing
from playground.classroom.going import AllGoing
from playground.classroom.membership import ClassroomError
from playground.classroom.room import Refused
from playground.load.run import Run
from playground.trace.records import RECORD
from tests.classroom.serving import HANG_S, Serving
from tests.classroom.test_board import HOSTILE, a_message, a_trace, saved
from tests.classroom.test_learner import run, wait_until

ADA, BOB = 1, 2
ONE, OTHER = "1" * 32, "2" * 32


# ---- what is shown of runs, by a clock of the test's own -----------------------------------------


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def runs(clock: Clock) -> AllGoing:
    return AllGoing(clock)


def take(runs: AllGoing, learner: int = ADA, run: str = ONE, *, begins: bool = False) -> None:
    runs.take(learner, run, frame.read(a_message()), 0.0, begins=begins)


def shown(runs: AllGoing, *learners: int) -> list[dict[str, Any]]:
    return runs.shown(runs.all(), {each: f"L{each}" for each in learners or (ADA, BOB)})


def refused(status: int, *args: Any, **more: Any) -> None:
    with pytest.raises(Refused) as caught:
        take(*args, **more)
    assert caught.value.status == status


def test_a_run_of_which_nothing_comes_broke_off_until_something_comes(
    runs: AllGoing, clock: Clock
) -> None:
    take(runs, begins=True)
    (first,) = shown(runs)
    assert runs.change_s() == going.QUIET_S
    clock.now += going.QUIET_S - 0.5
    assert (shown(runs)[0]["quiet"], runs.change_s()) == ("", 0.5)
    clock.now += 0.5
    assert shown(runs)[0]["quiet"] != ""
    assert runs.change_s() == math.inf
    take(runs)
    (again,) = shown(runs)
    assert (again["id"], again["quiet"]) == (first["id"], "")
    assert again["frame"] > first["frame"]
    assert runs.end(ADA, ONE) == first["id"]  # its whole trace is being drawn, however long
    clock.now += 10 * going.QUIET_S
    assert shown(runs)[0]["quiet"] == ""
    runs.go_on(ADA, ONE)
    assert shown(runs)[0]["quiet"] != ""


def test_the_second_run_of_a_learner_takes_the_place_of_the_first(runs: AllGoing) -> None:
    take(runs, begins=True)
    (first,) = shown(runs)
    take(runs, run=OTHER, begins=True)
    refused(409, runs)  # was under way
    (second,) = shown(runs)
    assert second["id"] != first["id"]
    assert runs.end(ADA, ONE) == ""  # the whole of the first comes late, and the second goes on
    runs.over(ADA, ONE)
    assert [each["id"] for each in shown(runs)] == [second["id"]]


def test_of_a_run_that_is_over_nothing_is_shown(runs: AllGoing) -> None:
    take(runs, begins=True)
    runs.over(ADA, ONE)
    assert shown(runs) == []
    for begins in (False, True):
        refused(409, runs, begins=begins)
    take(runs, run=OTHER)  # the board was started anew, and has not seen how it began
    assert len(shown(runs)) == 1


def test_a_timeline_of_no_run_takes_the_place_of_one_that_broke_off_and_of_no_other(
    runs: AllGoing, clock: Clock
) -> None:
    take(runs, begins=True)
    runs.over(ADA, "")
    assert len(shown(runs)) == 1
    clock.now += going.QUIET_S
    runs.over(ADA, "")
    assert shown(runs) == []


def test_who_is_not_here_shows_nothing(runs: AllGoing) -> None:
    take(runs, ADA, begins=True)
    take(runs, BOB, OTHER, begins=True)
    assert [each["name"] for each in shown(runs, BOB)] == [f"L{BOB}"]
    assert len(runs.all()) == 1


def test_there_is_room_for_some_and_those_that_broke_off_make_it(
    runs: AllGoing, clock: Clock
) -> None:
    for learner in range(going.MOST):
        take(runs, learner, begins=True)
    refused(429, runs, 99, begins=True)
    clock.now += going.QUIET_S
    for learner in range(1, going.MOST):
        take(runs, learner)
    take(runs, 99, begins=True)
    here = [each["learner"] for each in shown(runs, *range(100))]
    assert sorted(here) == [*range(1, going.MOST), 99]


# ---- one message -----------------------------------------------------------------------------


def changed(**more: Any) -> bytes:
    """A message whose first line says something else."""
    line, _, rows = a_message().partition(b"\n")
    head = json.loads(line)
    head["runs"][0] |= more
    return json.dumps(head).encode() + b"\n" + rows


def test_a_message_is_handed_on_as_it_was_without_what_is_not_known() -> None:
    read = frame.read(changed(actions=["HUP"], onload="alert(1)", title="a\u202eb\x1b[2Jc"))
    packed = read.packed(7)
    line, _, rows = packed.partition(b"\n")
    head = json.loads(line)
    (told,) = head["runs"]
    assert (head["seq"], head["base"], head["live"]) == (7, 0, True)
    assert rows == a_message().partition(b"\n")[2]
    assert told["count"] * RECORD.size == len(rows)
    assert told["title"] == "ab[2Jc"
    assert {"actions", "onload"}.isdisjoint(told)
    (sent,) = json.loads(a_message().partition(b"\n")[0])["runs"]
    assert told == sent | {"title": "ab[2Jc"}


def row(t_us: float, length_us: float) -> bytes:
    return RECORD.pack(t_us, length_us, 1, 1, 1, 0)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"no JSON at all\n",
        b"[" * 100_000,
        b'{"runs": []}\n',
        b'{"runs": [5]}\n',
        a_message()[:-1],
        a_message() + row(float("nan"), 0.0),
        a_message() + row(float("inf"), 0.0),
        a_message() + row(1e15, 0.0),
        a_message() + row(1e6, float("-inf")),
        changed(workers=10**9),
        changed(threads=-1),
        changed(expected=10**9),
        changed(expected="many"),
        changed(t0_us=float("nan")),
        changed(end_us=1e15),
        changed(touched=[1]),
        changed(lanes=[[[[[[[[]]]]]]]]),
        changed(probe_from=10**40),
    ],
)
def test_what_cannot_be_drawn_is_refused(message: bytes) -> None:
    with pytest.raises(Refused) as caught:
        frame.read(message)
    assert caught.value.status == 422


# ---- the board -------------------------------------------------------------------------------


def post(board: Serving, token: str, message: bytes, run: str = ONE, **more: Any) -> httpx.Response:
    return board.post("frame", token, content=message, params={"run": run, **more})


def timelines(board: Serving, is_so: Callable[[list[Any]], bool] = bool) -> list[Any]:
    found: list[Any] = board.state(lambda state: is_so(state["timelines"]))["timelines"]
    return found


def get(board: Serving, path: str) -> httpx.Response:
    return httpx.get(f"{board.base}/{path}", trust_env=False, timeout=HANG_S)


def test_a_run_is_shown_as_it_goes_on_and_then_as_it_was(board: Serving, tmp_path: Path) -> None:
    ada = board.join("Ada")
    board.post("timeline", ada, content=saved(a_trace(title="earlier"), tmp_path))
    assert post(board, ada, a_message(), begins=True).json() == {"shown": True}
    (first,) = timelines(board, lambda found: "frame" in found[0])  # in place of the earlier one
    assert (first["name"], first["quiet"]) == ("Ada", "")
    latest = get(board, f"timeline/{first['id']}/frame")
    assert latest.content == frame.read(a_message()).packed(first["frame"])
    post(board, ada, changed(title="later"))
    (second,) = timelines(board, lambda found: found[0].get("frame") != first["frame"])
    assert (second["id"], second["title"]) == (first["id"], "later")
    assert board.rows("SELECT title FROM timeline") == [("earlier",)]  # it is on no disk

    data = saved(a_trace(title="whole"), tmp_path)
    for _ in range(2):  # the learner has not heard the first answer
        assert board.post("timeline", ada, content=data, params={"run": ONE}).is_success
    (whole,) = timelines(board, lambda found: "frame" not in found[0])
    assert (whole["id"], whole["title"]) == (first["id"], "whole")
    assert post(board, ada, a_message(), begins=True).status_code == 409  # was under way
    assert get(board, f"timeline/{first['id']}/frame").status_code == 404
    assert board.rows("SELECT title FROM timeline") == [("whole",)]


def test_what_a_learner_shows_goes_with_them(board: Serving) -> None:
    tokens = [board.join(name) for name in ("Ada", "Bob", "Cy")]
    for token in tokens:
        post(board, token, a_message(), begins=True)
    timelines(board, lambda found: len(found) == 3)
    (adas,) = [each["id"] for each in board.state()["learners"] if each["name"] == "Ada"]
    board.act("remove", adas)
    assert post(board, tokens[0], a_message()).status_code == 410
    board.post("leave", tokens[1])
    assert post(board, tokens[2], b"").json() == {"shown": False}  # it has become too large, say
    assert timelines(board, lambda found: not found) == []


def test_hostile_runs_are_texts_in_a_frame_that_may_do_nothing(board: Serving) -> None:
    ada = board.join("Ada")
    post(board, ada, a_message(title=HOSTILE[0]), begins=True)
    (shown,) = timelines(board)
    assert shown["title"] == HOSTILE[0]
    latest = get(board, f"timeline/{shown['id']}/frame")
    assert latest.headers["Content-Type"] == "application/octet-stream"
    assert latest.headers["X-Content-Type-Options"] == "nosniff"
    page = get(board, "follower")
    policy = page.headers["Content-Security-Policy"]
    assert "sandbox allow-scripts" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert HOSTILE[0] not in page.text


def test_no_learner_shows_more_than_is_shown(board: Serving) -> None:
    ada, bob = board.join("Ada"), board.join("Bob")
    assert post(board, ada, b"x" * 1_048_577, begins=True).status_code == 413
    assert post(board, ada, b"x" * 1000, begins=True).status_code == 422
    assert post(board, ada, a_message(), run="../../x").status_code == 422
    assert post(board, ada, a_message(), run="").status_code == 422
    answers: list[int] = []
    large = a_message() + row(1e6, 1.0) * 40_000
    while len(answers) < 1000 and 429 not in answers:
        answers.append(post(board, ada, large, begins=True).status_code)
    assert set(answers) == {200, 429}
    assert post(board, bob, a_message(), begins=True).status_code == 200


# ---- a learner -------------------------------------------------------------------------------


def waiting_for(file: Path) -> Callable[..., list[bytes]]:
    """An application that answers once the file is there."""
    name = str(file)

    def app(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        import os
        import time

        while not os.path.exists(name):
            time.sleep(0.01)
        start_response("200 OK", [("Content-Length", "0")])
        return [b""]

    return app


class Sharing:
    """A run of two requests that goes on until ``end``."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "go"
        self.runs: list[Run] = []
        self._server = playground.serve("minimal-wsgi", waiting_for(self._file), workers=1)
        self._thread = threading.Thread(target=self._burst)
        self._thread.start()

    def _burst(self) -> None:
        shown = playground.burst(self._server, 2, share=True, show=False, timeout=HANG_S)
        self.runs.append(shown)

    def end(self) -> Run:
        """Let the requests be answered, and wait for the run."""
        self._file.touch()
        self._thread.join(HANG_S)
        self._server.stop()
        return self.runs[0]


@pytest.fixture
def goes_on(learner: None, tmp_path: Path) -> Iterator[Callable[[], Sharing]]:
    begun: list[Sharing] = []

    def begin() -> Sharing:
        begun.append(Sharing(tmp_path))
        return begun[0]

    yield begin
    for each in begun:
        each.end()


def test_a_run_is_on_the_board_before_it_is_over(
    board: Serving, goes_on: Callable[[], Sharing], capsys: pytest.CaptureFixture[str]
) -> None:
    playground.join(board.address, board.code, name="Ada")
    sharer = goes_on()
    (now,) = timelines(board, lambda found: bool(found) and found[0]["frame"] > 0)
    (later,) = timelines(board, lambda found: found[0]["frame"] > now["frame"])  # it grows
    assert sharer.runs == []
    told = json.loads(get(board, f"timeline/{now['id']}/frame").content.partition(b"\n")[0])
    assert (told["runs"][0]["expected"], told["live"]) == (2, True)
    assert sharer.end().summary()["served"] == 2
    (whole,) = timelines(board, lambda found: "frame" not in found[0])
    assert whole["id"] == later["id"]
    assert "On the board, as shared by Ada: 2 × GET / on minimal-wsgi" in capsys.readouterr().err
    assert sharing.SENDER.wait(HANG_S)
    assert list(membership.outbox().iterdir()) == []


def test_a_board_that_goes_away_gets_the_run_when_it_is_back(
    own_board: Serving, goes_on: Callable[[], Sharing]
) -> None:
    playground.join(own_board.address, own_board.code, name="Ada")
    sharer = goes_on()
    timelines(own_board)
    own_board.kill()
    assert sharer.end().summary()["served"] == 2
    assert len(list(membership.outbox().glob("*.trace"))) == 1
    own_board.start()
    (whole,) = timelines(own_board, lambda found: bool(found) and "frame" not in found[0])
    assert whole["title"] == "2 × GET / on minimal-wsgi"
    wait_until(lambda: not list(membership.outbox().iterdir()))


def test_a_run_does_not_wait_for_a_board_that_says_nothing(
    goes_on: Callable[[], Sharing], capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody takes the connection, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(HANG_S)
        joined = membership.Joined(f"http://127.0.0.1:{silent.getsockname()[1]}", "Ada", "x" * 43)
        membership.folder()
        workspace.write_json_atomic(membership.path(), vars(joined))
        sharer = goes_on()
        asked, _ = silent.accept()
        with asked:
            assert asked.recv(4)  # a message has begun to come, and is never answered
            assert sharer.end().summary()["served"] == 2
            assert "On its way to the board" in capsys.readouterr().err
            assert len(list(membership.outbox().glob("*.trace"))) == 1
        membership.forget()


def test_a_run_that_becomes_too_large_is_taken_from_the_board(
    board: Serving,
    goes_on: Callable[[], Sharing],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    playground.join(board.address, board.code, name="Ada")
    sharer = goes_on()
    timelines(board)
    for each in (live, sharing):
        monkeypatch.setattr(each, "LARGEST_TRACE", 10)
    assert timelines(board, lambda found: not found) == []
    assert sharer.end().summary()["served"] == 2
    assert "share a run of fewer requests" in capsys.readouterr().err
    assert list(membership.outbox().iterdir()) == []


def test_who_was_removed_hears_so_after_the_run(
    board: Serving, goes_on: Callable[[], Sharing], capsys: pytest.CaptureFixture[str]
) -> None:
    playground.join(board.address, board.code, name="Ada")
    sharer = goes_on()
    timelines(board)
    board.act("remove", board.state()["learners"][0]["id"])
    wait_until(lambda: not any(each.name == live.NAME for each in threading.enumerate()))
    sharer.end()
    assert "The instructor has removed you" in capsys.readouterr().err
    assert timelines(board, lambda found: not found) == []


def test_who_leaves_shares_nothing_more(
    board: Serving, goes_on: Callable[[], Sharing], capsys: pytest.CaptureFixture[str]
) -> None:
    playground.join(board.address, board.code, name="Ada")
    sharer = goes_on()
    timelines(board)
    playground.leave()
    assert timelines(board, lambda found: not found) == []
    sharer.end()
    assert live.LEFT in capsys.readouterr().err
    assert list(membership.outbox().iterdir()) == []  # nor to the board that is joined next
    assert board.rows("SELECT * FROM timeline") == []


@pytest.mark.usefixtures("learner")
def test_to_share_with_no_board_is_refused_before_anything_begins() -> None:
    with playground.serve("minimal-wsgi", waiting_for(Path("never"))) as server:
        with pytest.raises(ClassroomError, match="You are on no board"):
            playground.burst(server, 1, share=True, show=False)
        with pytest.raises(ClassroomError, match="You are on no board"):
            playground.load(server, n=1, share=True, show=False)
        assert server.last_run is None
    said = run("run", "no-such-server", "--share")
    assert (said.returncode, said.stdout, said.stderr.count("\n")) == (1, "", 1)
    assert "You are on no board" in said.stderr
