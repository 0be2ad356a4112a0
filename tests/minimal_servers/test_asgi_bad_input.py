"""Bad input, case by case: a right status or close code, one log line, and nothing left behind.

Applications first, then clients. "Nothing left" is counted in the server after every case: its
tasks, and its open files, which include the sockets.
"""

import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.minimal_servers.client_frames import closing, masked
from tests.minimal_servers.rude_app import HTTP, SOCKETS
from tests.minimal_servers.serving import PATIENCE, Client, Process, eventually, request, serving
from tests.minimal_servers.test_asgi_log import FAILED, SILENT, records
from tests.minimal_servers.test_asgi_sockets import BAD
from tests.minimal_servers.test_websocket_sockets import FIELDS, close_code, opened

APP = "rude_app:app"
LOOPS = ["asyncio", "uvloop"]
CHUNKED = "Transfer-Encoding: chunked"
ENDLESS = {"never/answers", "never/is-done"}  # end with the process: see the last test


class House:
    """A server, what is alive in it when nobody is there, and what it has logged."""

    def __init__(self, server: Process) -> None:
        self.server = server
        self.alone = min(self.alive() for _ in range(5))
        self.read = 0

    def alive(self) -> list[int]:
        return json.loads(self.server.get("/alive").body)

    def logged(self) -> list[str]:
        return records(self.server.log()[self.read :])

    def is_as_before(self, *lines: str) -> None:
        """Exactly these lines were logged (each begins or ends like this), and nobody is left."""
        eventually(lambda: len(self.logged()) >= len(lines), f"logged: {self.logged()}")
        eventually(lambda: self.alive() == self.alone, f"{self.alive()}, alone {self.alone}")
        found, self.read = self.logged(), len(self.server.log())
        assert len(found) == len(lines), found
        assert all(line in told for line, told in zip(lines, found, strict=True)), found


@pytest.fixture(scope="module", params=LOOPS)
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    ended = tmp_path_factory.mktemp("rude") / "ended"
    loop = request.param
    with serving(APP, "--loop", loop, interface="asgi", ENDED=str(ended)) as server:
        worker = server.workers()[0].pid
        yield House(server)
        assert [each.pid for each in server.workers()] == [worker]
        for word in ("Task was destroyed", "never retrieved", "Exception in callback"):
            assert word not in server.log()


# --- applications --------------------------------------------------------------------------------

SHORT = "the body ended after 4 of 9 bytes: closing"
LONG = "the body is longer than its Content-Length of 2: cut"
CUT = b"4\r\nsoup\r\n"  # without a last chunk
HTTP_ENDS: dict[str, tuple[bytes, bytes | None, str]] = {  # status, body (None: any), log
    "garbage/later": (b"200", CUT, FAILED),
    "garbage/later-body": (b"200", CUT, FAILED),
    "order/start-in-the-middle": (b"200", CUT, FAILED),
    "after": (b"200", b"soup", FAILED),
    "never/returns": (b"500", None, SILENT),
    "never/listens": (b"500", None, SILENT),
    "never/only-starts": (b"500", None, SILENT),
    "never/ends": (b"200", CUT, SILENT),
    "never/ends-and-raises": (b"200", CUT, FAILED),
    "never/enough": (b"200", b"soup", SHORT),
    "never/too-much": (b"200", b"so", LONG),
}


@pytest.mark.parametrize(
    "path",
    sorted(HTTP.keys() - {*ENDLESS, "reads", "leaves", "soup"}) + [f"say/bad-{bad}" for bad in BAD],
)
def test_an_application_of_http(house: House, path: str) -> None:
    default = HTTP_ENDS.get(path.partition("/")[0], (b"500", None, FAILED))
    status, body, line = HTTP_ENDS.get(path, default)
    with house.server.client() as client:
        client.send(request(f"/{path}", "Connection: close"))
        head, _, rest = everything(client).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 " + status)
    assert body is None or rest == body
    house.is_as_before(line)


def everything(client: Client) -> bytes:
    """What comes up to the end, be it in order or a reset."""
    received = b""
    with suppress(ConnectionResetError):
        while piece := client.sock.recv(65_536):
            received += piece
    return received


SOCKETS_END: dict[str, tuple[int, list[str]]] = {  # close code, or status of a handshake; log
    **{path: (500, [FAILED]) for path in SOCKETS if path.endswith("/first")},
    "garbage/subprotocol": (500, [FAILED]),
    "garbage/headers": (500, [FAILED]),
    "order/text-first": (500, [FAILED]),
    "after": (1000, [FAILED]),
    "never/accepts": (500, [SILENT]),
    "never/accepts-and-raises": (500, [FAILED]),
    "never/goes-on": (1000, []),  # ASGI, Close: that is how an application may end
}


@pytest.mark.parametrize("path", sorted(SOCKETS.keys() - {*ENDLESS, "reads"}))
def test_an_application_of_websockets(house: House, path: str) -> None:
    default = SOCKETS_END.get(path.partition("/")[0], (1011, [FAILED]))
    code, lines = SOCKETS_END.get(path, default)
    if code == 500:
        with house.server.client() as client:
            client.send(request(f"/{path}", *FIELDS))
            assert everything(client).startswith(b"HTTP/1.1 500 ")
    else:
        with opened(house.server, f"/{path}") as client:
            assert close_code(client) == code
            client.send(closing(code))
            assert client.ended()
    house.is_as_before(*lines)


# --- clients -------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[bytes, int]] = {
    "nonsense": (b"nonsense\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "bare line feeds": (b"GET / HTTP/1.1\nHost: a\n\n", 400),
    "a request line of 1 MB": (b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    "a method of 1 MB": (b"G" * 1_000_000, 414),
    "a field of 1 MB": (request("/", "X: " + "a" * 1_000_000), 431),
    "101 fields": (request("/", *["X: y"] * 101), 431),
    "endless fields": (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 1_000_000, 431),
    "an endless name": (b"GET / HTTP/1.1\r\n" + b"X" * 4_000_000, 431),
    "two lengths": (request("/", "Content-Length: 1", "Content-Length: 2"), 400),
    "a length and chunks": (request("/", "Content-Length: 1", CHUNKED), 400),
    "a negative length": (request("/", "Content-Length: -1"), 400),
    "a huge length": (request("/", "Content-Length: " + "9" * 5000), 400),
    "a chunk of nonsense": (request("/reads", CHUNKED) + b"soup\r\n", 400),
    "a huge chunk": (request("/reads", CHUNKED) + b"f" * 30 + b"\r\n", 400),
    "an endless chunk line": (request("/reads", CHUNKED) + b"1;" + b"x" * 1_000_000, 400),
    "endless trailers": (request("/reads", CHUNKED) + b"0\r\n" + b"X: y\r\n" * 200_000, 431),
    "a handshake without a key": (request("/reads", *FIELDS[:2], FIELDS[3]), 400),
    "a handshake of version 8": (request("/", *FIELDS[:3], "Sec-WebSocket-Version: 8"), 426),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_client_that_is_refused(house: House, what: str) -> None:
    data, status = REFUSED[what]
    with house.server.client() as client:
        client.send(data)
        assert everything(client).startswith(b"HTTP/1.1 %d " % status)
    house.is_as_before(f"is refused: {status}")


BROKEN: dict[str, tuple[bytes, int]] = {
    "a reserved bit": (masked(1, b"soup", reserved=4), 1002),
    "a reserved opcode": (masked(3), 1002),
    "no mask": (masked(1, b"soup", key=None), 1002),
    "nothing to continue": (masked(0, b"soup"), 1002),
    "a long ping": (masked(9, bytes(126)), 1002),
    "half a close code": (masked(8, b"\x03"), 1002),
    "no UTF-8": (masked(1, b"\xff"), 1007),
    "16 MiB and a byte announced": (masked(2, announced=16 * 2**20 + 1), 1009),
    "2 ** 62 bytes announced": (masked(2, announced=2**62), 1009),
    "2 ** 63 bytes announced": (masked(2, announced=2**63), 1002),
    "more fragments than a message may have bytes": (
        masked(2, bytes(2**20), False) + masked(0, bytes(2**20), False) * 16,
        1009,
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_client_that_breaks_a_rule_of_websockets(house: House, what: str) -> None:
    data, code = BROKEN[what]
    with opened(house.server, "/reads", data) as client:
        assert close_code(client) == code
        assert client.ended()
    house.is_as_before(f"a WebSocket is closed with {code}: ")


VANISHING: dict[str, bytes] = {
    "at once": b"",
    "in a head": b"GET / HT",
    "in a body": request("/reads", "Content-Length: 10") + b"half",
    "in a chunk": request("/reads", CHUNKED) + b"5\r\nab",
    "before the answer": request("/soup") * 100,
    "while somebody waits for news": request("/leaves"),
    "in a handshake": request("/reads", *FIELDS)[:-2],
    "after a handshake": request("/reads", *FIELDS),
    "in a frame": request("/reads", *FIELDS) + masked(1, b"soup")[:-1],
    "in a message": request("/reads", *FIELDS) + masked(1, b"soup", final=False),
}


@pytest.mark.parametrize("how", [Client.__exit__, Client.reset])
@pytest.mark.parametrize("what", VANISHING)
def test_a_client_that_vanishes(house: House, what: str, how: object) -> None:
    """That is daily business: nobody can be told anything, and the log is not filled with it."""
    for _ in range(5):
        client = house.server.client().send(VANISHING[what])
        if what == "after a handshake":
            assert client.sock.recv(12) == b"HTTP/1.1 101"
        how(client)  # type: ignore[operator]
    house.is_as_before()


def test_huge_announcements_cost_nothing(house: House) -> None:
    """What is announced is neither waited for nor given room; it is judged by its first bytes."""
    [worker] = house.server.workers()
    with ExitStack() as stack:
        before = worker.memory_info().rss
        for _ in range(20):
            client = stack.enter_context(house.server.client())
            client.send(request("/reads", f"Content-Length: {10**15}") + b"soup")
            client = stack.enter_context(opened(house.server, "/reads"))
            client.send(masked(2, announced=16 * 2**20))
        house.alive()
        assert worker.memory_info().rss - before < 20 * 2**20
    house.is_as_before()


# --- the end -------------------------------------------------------------------------------------

LATE = "the application was too slow to end: cancelled"
TOO_SLOW = "is refused: 408 Request Timeout: the request is too slow"
UPGRADE = request("/reads", *FIELDS)
HALF: dict[str, tuple[bytes, bytes, list[str]]] = {  # sent; what comes first; log
    "an answered request": (request("/soup"), b"HTTP/1.1 200 ", []),
    "half a head": (b"GET / HT", b"HTTP/1.1 408 ", [TOO_SLOW]),
    "half a body": (request("/reads", "Content-Length: 10") + b"half", b"HTTP/1.1 500 ", [LATE]),
    "a WebSocket": (UPGRADE, b"HTTP/1.1 101 ", []),
    "half a frame": (UPGRADE + masked(1, b"soup")[:-1], b"HTTP/1.1 101 ", []),
    "half a message": (UPGRADE + masked(1, b"soup", final=False), b"HTTP/1.1 101 ", []),
    "no answer": (request("/never/answers"), b"HTTP/1.1 500 ", [LATE]),
    "work without end": (request("/never/is-done"), b"HTTP/1.1 200 ", [LATE]),
    "a handshake without an answer": (
        request("/never/answers", *FIELDS),
        b"HTTP/1.1 500 ",
        [LATE],
    ),
    "a WebSocket nobody reads": (request("/never/is-done", *FIELDS), b"HTTP/1.1 101 ", [LATE]),
}


@pytest.mark.parametrize("loop", LOOPS)
def test_half_requests_at_the_end(loop: str, tmp_path: Path) -> None:
    """Each gets its answer, and its line if somebody was at fault; then nobody is left."""
    ended = tmp_path / "ended"
    arguments = ["--loop", loop, "--grace", "10"]
    with (
        serving(APP, *arguments, interface="asgi", ENDED=str(ended), LINGER="4") as server,
        ExitStack() as stack,
    ):
        clients = {what: stack.enter_context(server.client()) for what in HALF}
        for what, client in clients.items():
            client.send(HALF[what][0])
        server.get("/soup")  # and all of it has arrived
        server.send(signal.SIGTERM)
        for what, client in clients.items():
            got = everything(client)
            assert got.startswith(HALF[what][1]), f"{what}: {got!r}"
            websocket = b"HTTP/1.1 101 " in got
            assert (b"\x88\x02" + (1012).to_bytes(2, "big") in got) == websocket, f"{what}: {got!r}"
        assert server.popen.wait(PATIENCE) == 0
        lines = records(server.log())
        assert len(lines) == sum(len(told) for _, _, told in HALF.values()), lines
        for line in (LATE, TOO_SLOW):
            count = sum(told == [line] for _, _, told in HALF.values())
            assert sum(line in told for told in lines) == count, lines
    (tasks, files), (tasks_left, files_left) = json.loads(ended.read_text())
    assert tasks_left <= tasks
    assert files_left <= files
