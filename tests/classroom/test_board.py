"""The board's process: who is let in, what is kept, what is refused."""

from __future__ import annotations

import asyncio
import collections
import resource
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import numpy as np
import pytest

from playground.classroom import board as board_module
from playground.classroom.names import alike, clean_name, new_code, new_token, plain_code
from playground.errors import Told
from playground.trace.records import Kind
from playground.trace.trace import Lane, RequestInfo, Trace, from_tuples
from playground.views import wire
from tests.classroom.serving import FIRST, HANG_S, SECOND, Serving, closed, names, report

LEARNERS, SHOWING = 200, 5
pytestmark = pytest.mark.timeout(4 * HANG_S)
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "'; DROP TABLE learner; --",
    "../../etc/passwd",
]
NOBODY = [
    "",
    "   ",
    "\u200b\u200d\u2060",  # nothing of it can be seen
    "\x00\x1b[2J\x07"[:1],
]


# ---- who is let in ---------------------------------------------------------------------------


def test_a_wrong_code_lets_nobody_in(board: Serving) -> None:
    wrong = next(code for code in iter(new_code, None) if code != board.code)
    for code in (wrong, "", board.code[:-1], board.code + "B", "\ud800", "%"):
        body = f'{{"code": "{code}", "name": "Mallory", "token": "{new_token()}"}}'
        answer = board.post("join", content=body.encode("utf-8", "surrogatepass"))
        assert answer.status_code in (400, 403, 422), answer.text
    assert board.refused(code=wrong) == 4401
    assert board.refused(instructor="x" * 43) == 4401
    assert board.refused() == 4401
    for what in ("report", "leave", "timeline", f"frame?run={'0' * 32}", "instructor"):
        forms = {"report": {"reports": [report(FIRST, "passed")]}, "instructor": {"action": "end"}}
        for token in ("", new_token()):
            answer = board.post(what, token, json=forms.get(what))
            assert answer.status_code == 401, (what, answer.text)
    assert board.rows("SELECT * FROM learner") == []
    assert board.state()["learners"] == []


def test_a_code_may_be_typed_as_one_likes(board: Serving) -> None:
    typed = f" {board.code[:3].lower()}-{board.code[3:]} "
    board.join("Ada", code=typed)
    assert names(board.state()) == ["Ada"]


def test_guessing_is_slowed_down_and_reporting_is_not(own_board: Serving) -> None:
    """Both come from one address, as behind NAT."""
    board = own_board
    ada = board.join("Ada")
    form = {"code": "BBBBBB", "name": "Mallory", "token": new_token()}
    with httpx.Client(base_url=board.base, timeout=HANG_S, trust_env=False) as client:
        answers = [client.post("join", json=form)]
        while answers[-1].status_code == 403 and len(answers) < 2000:
            answers.append(client.post("join", json=form))
    assert len(answers) > 50  # a room of people who mistype is no attack
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) >= 1
    for _ in range(5):
        board.report(ada, FIRST, "failed")
    assert [each["status"] for each in board.state()["learners"]] == ["failed"]


def test_two_of_one_name_are_told_apart_and_one_who_comes_back_is_the_same(board: Serving) -> None:
    first, second = board.join("Ada"), board.join("  ada\u200b ")
    third = board.join("Ada (2)")
    assert names(board.state()) == ["Ada", "ada (2)", "Ada (2) (2)"]
    board.report(second, FIRST, "passed")
    board.join("Ada", token=first)
    board.post("leave", third)
    board.report(third, FIRST, "failed")  # was under way as they left
    board.join("ada", token=second)  # restarted, with what is in the workspace
    state = board.state(lambda state: len(state["learners"]) == 2)
    assert [(each["name"], each["passed"]) for each in state["learners"]] == [
        ("Ada", False),
        ("ada (2)", True),
    ]
    board.join("Grace", token=first)
    assert names(board.state(lambda state: "Grace" in names(state))) == ["ada (2)", "Grace"]


@pytest.mark.parametrize("name", NOBODY)
def test_a_name_of_nothing_is_none(name: str) -> None:
    assert clean_name(name) == ""


def test_names_are_one_line_and_no_longer_than_a_line() -> None:
    assert clean_name("A\nd\ta\u202e\x1b[31m") == "A d a[31m"
    assert clean_name("x" * 10_000) == "x" * 40
    assert len(clean_name("Z" + "\u0300\u0301\u0302\u0303\u0304" * 50)) <= 40
    assert clean_name("Zo\u0308e 👩\u200d🔬") == "Zöe 👩\u200d🔬"
    assert alike("Ａda") == alike("ADA")
    assert plain_code(" bcd-fgh ") == "BCDFGH"


def test_hostile_names_are_shown_as_they_were_typed(board: Serving) -> None:
    for name in HOSTILE:
        board.join(name)
    assert sorted(names(board.state())) == sorted(HOSTILE)
    answer = board.post("join", json={"code": board.code, "name": "n" * 500, "token": new_token()})
    assert answer.status_code == 422
    for path in ("", "page/board.js", "page/board.css", "nothing"):
        headers = httpx.get(f"{board.base}/{path}", trust_env=False).headers
        assert "script-src 'self'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]


# ---- the instructor --------------------------------------------------------------------------


def test_only_the_instructors_token_acts(board: Serving) -> None:
    ada = board.join("Ada")
    before = board.rows("SELECT * FROM setting")
    for token in ("x", ada, board.instructor[:-1], board.instructor + "x", "é"):
        for action in ("remove", "reset", "close", "new-code", "end"):
            headers = {"Authorization": f"Bearer {token}".encode()}
            answer = httpx.post(
                f"{board.base}/instructor",
                headers=headers,
                json={"action": action, "learner": 1},
                timeout=HANG_S,
                trust_env=False,
            )
            assert answer.status_code == 401, answer.text
    assert board.rows("SELECT * FROM setting") == before
    assert names(board.state()) == ["Ada"]


def test_the_instructor_removes_closes_and_changes_the_code(board: Serving) -> None:
    ada, bob = board.join("Ada"), board.join("Bob")
    board.report(bob, FIRST, "failed", check="a check", message="a message")
    (bobs,) = [each["id"] for each in board.state()["learners"] if each["name"] == "Bob"]

    board.act("remove", bobs)
    answer = board.post("report", bob, json={"reports": [report(FIRST, "passed")]})
    assert (answer.status_code, "removed you" in answer.text) == (410, True)
    state = board.state(lambda state: names(state) == ["Ada"])
    assert (state["failures"], state["exercises"]) == ([], {})
    board.join("Bob")  # the name is free again

    board.act("close")
    form = {"code": board.code, "name": "Cy", "token": new_token()}
    assert board.post("join", json=form).status_code == 403
    board.join("Ada", token=ada)  # who is in may come back
    board.act("open")

    with board.page(code=board.code) as page:
        page.recv(HANG_S)
        board.act("new-code")
        assert board.post("join", json=form).status_code == 403
        assert closed(page) == 4401
    board.code = board.state()["code"]
    board.join("Cy")
    board.report(ada, FIRST, "passed")  # a learner needs no code any more

    board.act("reset")
    assert board.state(lambda state: not state["learners"])["exercises"] == {}
    assert board.post("leave", ada).status_code == 401


def test_an_ended_board_is_kept_and_the_next_one_is_new(own_board: Serving) -> None:
    board = own_board
    board.report(board.join("Ada"), FIRST, "passed")
    code, instructor, process = board.code, board.instructor, board.process
    with board.page(code=code) as page:
        page.recv(HANG_S)
        board.act("end")
        assert closed(page) == 4410
    assert process is not None
    said, _ = process.communicate(timeout=HANG_S)
    assert (process.returncode, "The board has ended" in said) == (0, True)
    (kept,) = board.folder.glob("20*.sqlite3")
    with sqlite3.connect(kept) as db:
        assert db.execute("SELECT name FROM learner").fetchall() == [("Ada",)]
    db.close()
    board.start()
    assert (board.code, board.instructor) != (code, instructor)
    assert board.state()["learners"] == []


def test_tokens_are_kept_as_hashes_in_a_folder_of_ones_own(own_board: Serving) -> None:
    board = own_board
    token = board.join("Ada")
    board.stop()
    stored = b"".join(path.read_bytes() for path in board.folder.iterdir())
    assert b"Ada" in stored
    assert token.encode() not in stored
    assert board.instructor.encode() not in stored
    assert board.folder.stat().st_mode & 0o077 == 0


# ---- nothing is lost -------------------------------------------------------------------------


class Class:
    """Learners who report at the same time, each until the board has said that it is kept."""

    def __init__(self, board: Serving, count: int) -> None:
        self.board = board
        self.count = count
        self.tokens = [new_token() for _ in range(count)]
        self.acknowledged: dict[str, set[str]] = collections.defaultdict(set)
        self.last: dict[str, str] = {}
        self.acks = 0

    async def join(self) -> None:
        """All at once."""
        async with self._client() as client:
            forms = [
                {"code": self.board.code, "name": f"Learner {number % 50}", "token": token}
                for number, token in enumerate(self.tokens)
            ]
            await asyncio.gather(*(self._until_kept(client, "join", "", each) for each in forms))

    async def report(self, each: int, at_acks: int = 0, message: bytes = b"") -> bool:
        """Each learner reports so often; the board is killed after so many acknowledgements.

        Some of them show the ``message`` of a run meanwhile, as often as they report.
        """
        async with self._client() as client:
            tasks = [
                asyncio.create_task(self._learner(client, token, each)) for token in self.tokens
            ]
            for token in self.tokens[: SHOWING if message else 0]:
                tasks.append(asyncio.create_task(self._show(client, token, each, message)))
            killed = False
            while at_acks and not killed and not all(task.done() for task in tasks):
                await asyncio.sleep(0.001)
                if self.acks >= at_acks:
                    await asyncio.to_thread(self.board.kill)
                    killed = True
                    await asyncio.to_thread(self.board.start)
            await asyncio.gather(*tasks)
        return killed

    async def _learner(self, client: aiohttp.ClientSession, token: str, each: int) -> None:
        for turn in range(each):
            sent = report(FIRST if turn % 2 else SECOND, "failed", message=f"turn {turn}")
            await self._until_kept(client, "report", token, {"reports": [sent]})
            self.acknowledged[token].add(sent["id"])
            self.last[token] = sent["message"]
            self.acks += 1

    async def _show(
        self, client: aiohttp.ClientSession, token: str, times: int, message: bytes
    ) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        for turn in range(times):
            address = f"{self.board.base}/frame?run={token[:4].encode().hex():0>32}"
            address += "&begins=true" if turn == 0 else ""
            async with client.post(address, headers=headers, data=message) as answer:
                assert answer.status == 200, await answer.text()

    async def _until_kept(
        self, client: aiohttp.ClientSession, what: str, token: str, form: object
    ) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        while True:
            asked = client.post(f"{self.board.base}/{what}", headers=headers, json=form)
            try:
                async with asked as answer:
                    assert answer.status == 200, await answer.text()
                    await answer.read()
                    return
            except aiohttp.ClientError:  # it has just been killed
                await asyncio.sleep(0.1)

    def _client(self) -> aiohttp.ClientSession:
        """Every learner has a connection of their own."""
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(HANG_S)
        )

    def assert_nothing_is_lost(self, each: int) -> None:
        """Everything that was acknowledged is kept, once."""
        kept = collections.Counter(name for (name,) in self.board.rows("SELECT id FROM report"))
        promised = set().union(*self.acknowledged.values())
        assert len(promised) == self.count * each
        assert promised == set(kept)
        assert set(kept.values()) == {1}
        state = self.board.state(lambda state: len(state["learners"]) == self.count)
        assert len(set(names(state))) == self.count
        query = "SELECT message FROM result JOIN learner USING (exercise) WHERE id = learner"
        latest = collections.Counter(message for (message,) in self.board.rows(query))
        assert latest == collections.Counter(self.last.values())


def test_200_learners_report_at_the_same_time(board: Serving) -> None:
    room = Class(board, LEARNERS)
    asyncio.run(room.join())
    asyncio.run(room.report(4, message=a_message()))
    room.assert_nothing_is_lost(4)
    assert sum("frame" in each for each in board.state()["timelines"]) == SHOWING
    assert board.state()["exercises"][FIRST] == {"passed": 0, "tried": LEARNERS}


def test_killed_in_mid_write_it_goes_on_with_all_it_has_acknowledged(own_board: Serving) -> None:
    board = own_board
    room = Class(board, 50)
    code, instructor = board.code, board.instructor
    asyncio.run(room.join())
    assert asyncio.run(room.report(6, at_acks=100))
    room.assert_nothing_is_lost(6)
    assert (board.code, board.instructor) == (code, instructor)
    assert "#instructor=" not in board.said  # it is stored as a hash: nobody can print it again
    board.act("close")
    assert not board.state()["joining"]
    board.stop()
    board.start("--new-link")
    assert board.instructor != instructor
    assert board.refused(instructor=instructor) == 4401
    assert board.state()["code"] == code


@pytest.mark.skipif(sys.platform != "linux", reason="no other system limits a running process")
def test_on_a_full_disk_nothing_is_acknowledged_until_there_is_room(own_board: Serving) -> None:
    board = own_board
    ada = board.join("Ada")
    assert board.process is not None
    size = max(path.stat().st_size for path in board.folder.iterdir())
    before = resource.prlimit(board.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(board.process.pid, resource.RLIMIT_FSIZE, (size, before[1]))
    form = {"reports": [report(FIRST, "passed", message="x" * 400)]}
    answers = [board.post("report", ada, json=form) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503] * 3
    assert board.rows("SELECT * FROM report") == []
    resource.prlimit(board.process.pid, resource.RLIMIT_FSIZE, before)
    assert board.post("report", ada, json=form).json() == {"new": 1}
    assert board.state()["exercises"] == {FIRST: {"passed": 1, "tried": 1}}
    board.stop()
    assert board.said.count("cannot keep what comes") == 1


def test_a_report_that_comes_twice_counts_once_and_a_pass_stays(board: Serving) -> None:
    ada = board.join("Ada")
    passed = report(FIRST, "passed", age_s=600)
    late = report(FIRST, "failed", message="older", age_s=900)
    for reports in ([passed], [passed, late], [report("no-such-exercise", "passed")]):
        assert board.post("report", ada, json={"reports": reports}).status_code == 200
    (learner,) = board.state()["learners"]
    assert (learner["status"], learner["passed"], learner["exercise"]) == ("passed", True, FIRST)
    assert 600 <= learner["age_s"] < 600 + HANG_S  # how long ago, by the board's clock
    board.report(ada, FIRST, "failed")
    state = board.state(lambda state: state["learners"][0]["age_s"] < 300)
    assert state["exercises"] == {FIRST: {"passed": 1, "tried": 1}}
    assert state["failures"] == []  # it did pass


def test_nobody_reports_without_end(board: Serving) -> None:
    ada, bob = board.join("Ada"), board.join("Bob")
    many = {"reports": [report(FIRST, "failed") for _ in range(51)]}
    assert board.post("report", ada, json=many).status_code == 422
    answers = []
    while len(answers) < 1000 and (not answers or answers[-1].status_code == 200):
        batch = {"reports": [report(FIRST, "failed") for _ in range(50)]}
        answers.append(board.post("report", ada, json=batch))
    assert len(answers) > 2  # as much as was checked while the board was away
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) >= 1
    board.report(bob, FIRST, "passed")


def test_the_board_believes_no_clock_but_its_own(board: Serving) -> None:
    ada = board.join("Ada")
    for skewed in ({"at": 4e9}, {"age_s": -5}, {"age_s": 1e9}, {"age_s": "NaN"}):
        answer = board.post("report", ada, json={"reports": [report(FIRST, "failed", **skewed)]})
        assert answer.status_code == 422, skewed
    assert board.state()["learners"][0]["exercise"] is None


def test_what_fails_most_is_counted_by_learners(board: Serving) -> None:
    tokens = [board.join(f"L{number}") for number in range(4)]
    for token in tokens[:3]:
        board.report(token, FIRST, "failed", check="Reads", message="KeyError")
    for _ in range(3):
        board.report(tokens[3], SECOND, "failed", check="Joins", message="\x1bNo\u202ene\n")
    board.report(tokens[0], SECOND, "not solved yet")
    board.report(tokens[1], FIRST, "passed")
    failures = board.state(lambda state: state["learners"][1]["passed"])["failures"]
    assert [(each["count"], each["message"]) for each in failures] == [(2, "KeyError"), (1, "None")]


# ---- too large, or no timeline ---------------------------------------------------------------


def test_ten_megabytes_are_refused_before_they_are_read(board: Serving) -> None:
    """By what is announced, and where nothing is announced by what has come."""
    ada = board.join("Ada")
    head = f"POST /timeline HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ada}\r\n"
    with socket.create_connection(("127.0.0.1", board.port), timeout=HANG_S) as wire:
        wire.sendall(f"{head}Content-Length: 10000000\r\n\r\n".encode())
        assert b" 413 " in wire.recv(4096)  # and not one byte of it was sent
    with socket.create_connection(("127.0.0.1", board.port), timeout=HANG_S) as wire:
        wire.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        for _ in range((1 << 20) // 0x10000):
            wire.sendall(chunk)
        wire.sendall(b"1\r\nx\r\n")  # one byte more than is taken; no end follows
        assert b" 413 " in wire.recv(4096)
    answer = board.post("timeline", ada, content=b"x" * 10_000_000)
    assert answer.status_code == 413
    assert "1,048,576 bytes" in answer.json()["detail"]
    assert board.post("report", ada, content=b"[" * 100_000).status_code == 413
    assert board.state()["timelines"] == []


def a_trace(label: str = "GET /slow", title: str = "2 × GET /slow on minimal-wsgi") -> Trace:
    rows = [
        (1e6, 5e5, 1, 0, Kind.CLIENT, 0),
        (1e6, 1e5, 1, 0, Kind.QUEUE, 0),
        (1.1e6, 4e5, 1, 1, Kind.REQUEST, 0),
        (1.1e6, 4e5, 1, 1, Kind.WORKER, 0),
    ]
    lanes = [Lane(1, label, "worker", 7, 7)]
    info = {1: RequestInfo(label, 200, label)}
    return Trace(from_tuples(rows), lanes, info, {"title": title, "command": label})


def a_message(**more: Any) -> bytes:
    """What a learner sends of that trace while it goes on."""
    trace = a_trace()
    trace.meta.update(more)
    return wire.pack([wire.whole(trace)], live=True)


def saved(trace: Trace, folder: Path) -> bytes:
    return trace.save(folder / "a.trace").read_bytes()


def test_a_timeline_is_drawn_from_the_trace_and_runs_nothing(
    board: Serving, tmp_path: Path
) -> None:
    ada = board.join("Ada")
    hostile = "</text><script>alert(1)</script>\ud800"
    data = saved(a_trace(hostile, hostile), tmp_path)
    answer = board.post("timeline", ada, content=data, params={"age_s": "60"})
    assert answer.status_code == 200, answer.text
    (shown,) = board.state(lambda state: state["timelines"] != [])["timelines"]
    assert shown["name"] == "Ada"
    for path in (f"{shown['id']}/light.svg", f"{shown['id']}/dark.svg", shown["id"]):
        answer = httpx.get(f"{board.base}/timeline/{path}", trust_env=False, timeout=HANG_S)
        assert answer.status_code == 200
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert "<script>alert" not in answer.text
        assert "&lt;script&gt;alert" in answer.text
    assert httpx.get(f"{board.base}/timeline/{'x' * 22}", trust_env=False).status_code == 404


def test_what_is_no_timeline_is_refused_and_the_board_goes_on(
    board: Serving, tmp_path: Path
) -> None:
    data = saved(a_trace(), tmp_path)
    odd = np.array(a_trace().records)
    odd["t_us"] = np.inf
    junk = [b"x" * 1000, data[:-10], saved(Trace(odd), tmp_path)]
    for number, each in enumerate(junk):
        answer = board.post("timeline", board.join(f"L{number}"), content=each)
        assert answer.status_code == 422, answer.text
        assert answer.json()["detail"].endswith(".")
    assert board.state()["timelines"] == []


# ---- how it starts ---------------------------------------------------------------------------


def test_what_prevents_a_board_is_said_in_a_sentence(board: Serving, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "board.sqlite3").write_bytes(b"no database at all, and long enough " * 100)
    cases: list[tuple[str, str, int, Path]] = [
        ("Port \\d+ is taken", "127.0.0.1", board.port, tmp_path / "x"),
        ("Another board uses", "127.0.0.1", 0, board.folder),
        ("cannot be kept in", "127.0.0.1", 0, damaged),
        ("is no address of a machine", "the-projector", 0, tmp_path / "x"),
        ("this machine's addresses are", "203.0.113.7", 0, tmp_path / "x"),
    ]
    for words, host, port, folder in cases:
        with pytest.raises(Told, match=words):
            board_module.run(host, port, folder)
    options = ("--port", str(board.port), "--store", str(tmp_path / "x"))
    done = subprocess.run(
        [sys.executable, "-m", "playground", "classroom", *options],
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith(f"playground: Port {board.port} is taken")


def test_it_says_who_can_reach_it(board: Serving) -> None:
    assert "this machine only" in board.said
    assert "127.0.0.1" in board.address
    here = board_module.reachable("127.0.0.1", 8770)
    assert here == ["http://127.0.0.1:8770"]
    assert board_module.reachable("::1", 8770) == ["http://[::1]:8770"]
    named = board_module.reachable("192.168.0.10", 8770)
    told = board_module._told(named, "BCDFGH", "secret", Path("board"))
    assert "everybody whose network leads to 192.168.0.10" in told
    assert "Nothing is encrypted" in told


def test_ctrl_c_ends_it_without_a_word(own_board: Serving) -> None:
    board = own_board
    board.join("Ada")
    assert board.stop() == 130
    assert "Traceback" not in board.said
    assert not (board.folder / "board.sqlite3-wal").exists()
