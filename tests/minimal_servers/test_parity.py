"""The same bytes to four servers: ours refuses what any other refuses, and reads what all read.

Where it does not, the difference is listed here with its reason, and must still be there.
Versions that this was written against: gunicorn 27.0, waitress 3.0, uvicorn 0.54 with h11 0.16.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.minimal_servers.serving import Client, serving

HERE = Path(__file__).parent
OTHERS = {
    "gunicorn": "-m gunicorn parity_app:app --bind fd://{fd} --no-control-socket --workers 1",
    "waitress": "parity_app.py {fd}",
    "uvicorn": "-m uvicorn parity_app:asgi --fd {fd} --http h11 --lifespan off --no-access-log",
}
SENTINEL = b"GET /sentinel HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
REFUSED = "refused"


def get(target: str = "/", *fields: str, version: str = "1.1", method: str = "GET") -> bytes:
    lines = [f"{method} {target} HTTP/{version}", *(fields or ("Host: h",)), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def post(*fields: str, body: bytes = b"") -> bytes:
    return get("/", "Host: h", *fields, method="POST") + body


CHUNKED = "Transfer-Encoding: chunked"
LAST = b"0\r\n\r\n"
CASES = {
    # plainly valid
    "plain": get(),
    "query": get("/a/b?x=1&y=%20"),
    "escapes": get("/caf%C3%A9%20x"),
    "escaped slash": get("/a%2Fb"),
    "two slashes": get("//a//b"),
    "dots": get("/a/../b/./c"),
    "sub-delims": get("/:@!$&'()*+,;=-._~"),
    "question marks": get("/?a?b"),
    "absolute": get("http://h/x?y"),
    "absolute without path": get("http://h"),
    "options *": get("*", method="OPTIONS"),
    "head": get(method="HEAD"),
    "delete": get(method="DELETE"),
    "patch with body": get("/", "Host: h", "Content-Length: 2", method="PATCH") + b"ab",
    "http/1.0": get("/", "X: y", version="1.0"),
    "http/1.0 with host": get("/", "Host: h", version="1.0"),
    "host with port": get("/", "Host: h:80"),
    "host upper case": get("/", "HOST: H"),
    "ipv6 host": get("/", "Host: [::1]:80"),
    "no space after colon": get("/", "Host:h"),
    "tabs around value": get("/", "Host: h", "X:\t y \t"),
    "empty value": get("/", "Host: h", "X:"),
    "value with colon": get("/", "Host: h", "X: a:b"),
    "latin-1 value": get("/", "Host: h", "X: \xe9"),
    "repeated field": get("/", "Host: h", "X: a", "X: b"),
    "length 0": post("Content-Length: 0"),
    "length 3": post("Content-Length: 3", "Content-Type: a/b", body=b"abc"),
    "length 003": post("Content-Length: 003", body=b"abc"),
    "length in get": get("/", "Host: h", "Content-Length: 3") + b"abc",
    "chunked": post(CHUNKED, body=b"3\r\nabc\r\n" + LAST),
    "chunked upper case": post("Transfer-Encoding: Chunked", body=b"A\r\n0123456789\r\n" + LAST),
    "chunk extension": post(CHUNKED, body=b"3;a=b\r\nabc\r\n" + LAST),
    "quoted chunk extension": post(CHUNKED, body=b'3;a="b;c"\r\nabc\r\n' + LAST),
    "trailer": post(CHUNKED, body=b"3\r\nabc\r\n0\r\nX: y\r\n\r\n"),
    "empty line first": b"\r\n" + get(),
    "8,000 bytes of target": get("/" + "a" * 7900),
    # framing
    "length and chunked": post("Content-Length: 3", CHUNKED, body=b"3\r\nabc\r\n" + LAST),
    "chunked and length": post(CHUNKED, "Content-Length: 3", body=b"3\r\nabc\r\n" + LAST),
    "length twice, equal": post("Content-Length: 3", "Content-Length: 3", body=b"abc"),
    "length twice, different": post("Content-Length: 3", "Content-Length: 4", body=b"abc"),
    "length list": post("Content-Length: 3, 3", body=b"abc"),
    "length +3": post("Content-Length: +3", body=b"abc"),
    "length -3": post("Content-Length: -3", body=b"abc"),
    "length 0x3": post("Content-Length: 0x3", body=b"abc"),
    "length 3_0": post("Content-Length: 3_0", body=b"abc" * 10),
    "length ²": post("Content-Length: \xb2", body=b"ab"),
    "length empty": post("Content-Length:"),
    "length abc": post("Content-Length: abc"),
    "length with vertical tab": post("Content-Length: \x0b3", body=b"abc"),
    "length with no-break space": post("Content-Length: \xa03", body=b"abc"),
    "space before colon of length": post("Content-Length : 3", body=b"abc"),
    "gzip, chunked": post("Transfer-Encoding: gzip, chunked", body=LAST),
    "chunked, gzip": post("Transfer-Encoding: chunked, gzip", body=LAST),
    "gzip": post("Transfer-Encoding: gzip"),
    "identity": post("Transfer-Encoding: identity"),
    "chunked, identity": post("Transfer-Encoding: chunked, identity", body=LAST),
    "chunked twice": post(CHUNKED, CHUNKED, body=LAST),
    "xchunked": post("Transfer-Encoding: xchunked", body=LAST),
    "chunked with vertical tab": post("Transfer-Encoding: \x0bchunked", body=LAST),
    "space before colon of chunked": post("Transfer-Encoding : chunked", body=LAST),
    "chunked in http/1.0": get("/", CHUNKED, version="1.0", method="POST") + LAST,
    "folded chunked": post("Transfer-Encoding:\r\n chunked", body=LAST),
    "chunk size +3": post(CHUNKED, body=b"+3\r\nabc\r\n" + LAST),
    "chunk size 0x3": post(CHUNKED, body=b"0x3\r\nabc\r\n" + LAST),
    "chunk size 0_3": post(CHUNKED, body=b"0_3\r\nabc\r\n" + LAST),
    "space before chunk size": post(CHUNKED, body=b" 3\r\nabc\r\n" + LAST),
    "space after chunk size": post(CHUNKED, body=b"3 \r\nabc\r\n" + LAST),
    "line feed after chunk size": post(CHUNKED, body=b"3\nabc\r\n" + LAST),
    "line feed in extension": post(CHUNKED, body=b"3;a\nb\r\nabc\r\n" + LAST),
    "carriage return in extension": post(CHUNKED, body=b"3;a\rb\r\nabc\r\n" + LAST),
    "no line end after chunk": post(CHUNKED, body=b"3\r\nabcXX" + LAST),
    "chunk too long": post(CHUNKED, body=b"3\r\nabcd\r\n" + LAST),
    "bad trailer": post(CHUNKED, body=b"0\r\nno colon\r\n\r\n"),
    # hosts and targets
    "no host": get("/", "X: y"),
    "two hosts": get("/", "Host: h", "Host: i"),
    "same host twice": get("/", "Host: h", "Host: h"),
    "empty host": get("/", "Host:"),
    "host with space": get("/", "Host: h i"),
    "host with slash": get("/", "Host: h/i"),
    "host with user": get("/", "Host: u@h"),
    "absolute target of another host": get("http://i/x"),
    "absolute target with user": get("http://u@h/x"),
    "absolute https target": get("https://h/x"),
    "absolute ftp target": get("ftp://h/x"),
    "fragment": get("/a#b"),
    "relative target": get("a"),
    "* with get": get("*"),
    "connect": get("h:80", method="CONNECT"),
    "utf-8 target": get("/\xc3\xa9"),
    "nul in target": get("/\x00"),
    "bad escape": get("/%zz"),
    # syntax of the head
    "bare line feeds": get().replace(b"\r\n", b"\n"),
    "one bare line feed": b"GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n",
    "bare carriage return": get("/", "Host: h", "X: a\rb"),
    "nul in value": get("/", "Host: h", "X: a\x00b"),
    "control character in value": get("/", "Host: h", "X: a\x01b"),
    "obs-fold": get("/", "Host: h", "X: a", " b"),
    "space first": get("/", " X: a", "Host: h"),
    "space before colon": get("/", "Host: h", "X : y"),
    "empty name": get("/", "Host: h", ": y"),
    "no colon": get("/", "Host: h", "X"),
    "name with parenthesis": get("/", "Host: h", "X(: y"),
    "name with non-ascii": get("/", "Host: h", "X\xe9: y"),
    "two spaces": b"GET  / HTTP/1.1\r\nHost: h\r\n\r\n",
    "space at the end": b"GET / HTTP/1.1 \r\nHost: h\r\n\r\n",
    "tab instead of space": b"GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n",
    "lower-case http": b"GET / http/1.1\r\nHost: h\r\n\r\n",
    "http/0.9": b"GET /\r\n\r\n",
    "http/1.11": get(version="1.11"),
    "http/2.0": get(version="2.0"),
    "http/3": get(version="3"),
    "bad method": get(method="G(T"),
    "lower-case method": get(method="get"),
    "30,000 bytes of target": get("/" + "a" * 30_000),
    "200,000 bytes of fields": get("/", "Host: h", *["X: " + "a" * 1000] * 200),
    "unknown expectation": post("Expect: tea", "Content-Length: 3", body=b"abc"),
}  # fmt: skip

# Ours reads what at least one of them refuses.
LAXER = {
    "empty line first": "RFC 9112 §2.2: a server SHOULD ignore it; h11 does not",
    "8,000 bytes of target": "RFC 9112 §3 recommends 8,000 at least; gunicorn stops at 4,094",
    "lower-case method": "RFC 9110 §9.1: any token will do; two want capitals",
}
# Ours refuses what all of them read.
STRICTER = {
    "empty host": "RFC 9110 §4.2.1: an http URI with an empty host is invalid",
    "host with space": "RFC 9112 §3.2: 400 for an invalid Host, and hosts decide about access",
    "host with slash": "RFC 9112 §3.2: 400 for an invalid Host",
    "host with user": "RFC 9110 §4.2.4: userinfo disguises the host",
    "absolute target of another host": "RFC 9112 §3.2.2: the target wins, but not everybody knows",
    "absolute target with user": "RFC 9110 §4.2.4",
    "absolute https target": "RFC 9110 §7.4: MUST be refused on a connection that is not secured",
    "absolute ftp target": "RFC 9110 §7.1: we are no proxy",
    "fragment": "RFC 9112 §3.2: a target has none; the others cut it off or leave it in the path",
    "connect": "RFC 9110 §9.3.6: for proxies; 501",
    "bad escape": "RFC 3986 §2.1; RFC 9112 §3 recommends 400 over a guess",
}
# The application sees something else than with at least one of them.
READ_DIFFERENTLY = {
    "two slashes": "waitress takes one of two leading slashes away",
    "absolute": "h11 with uvicorn leaves the whole URI in the path",
    "absolute without path": "RFC 9112 §3.2.1: the path is then /; the others leave it empty",
    "repeated field": "RFC 9110 §5.3: a comma with or without a space; waitress adds one",
}


@contextmanager
def other(command: str) -> Iterator[int]:
    """A production server on a socket that we opened; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port, fd = listener.getsockname()[1], listener.fileno()
        process = subprocess.Popen(
            [sys.executable, *command.format(fd=fd).split()],
            cwd=HERE,
            pass_fds=[fd],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        with Client(port) as client:  # answered as soon as the server serves
            assert client.get().status == 200
        yield port
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="module")
def ports() -> Iterator[dict[str, int]]:
    with ExitStack() as stack:
        ports = {name: stack.enter_context(other(command)) for name, command in OTHERS.items()}
        ours = stack.enter_context(serving("parity_app:app"))
        yield {"ours": ours.port} | ports


def verdict(port: int, data: bytes) -> str | dict[str, str]:
    """What became of the first request: refused, or what the application saw of it."""
    with Client(port) as client:
        try:
            client.send(data + SENTINEL)
            status = client.reader.readline()
            if not status:
                return REFUSED
            match = re.match(rb"HTTP/1\.[01] (\d)(\d\d)", status)
            assert match, f"no status line: {status!r}"
            if match[1] != b"2":
                assert match[1] in b"45", status
                return REFUSED
            head = b"".join(iter(client.reader.readline, b"\r\n"))
            if data.startswith((b"HEAD", b"CONNECT")):
                return {}
            length = re.search(rb"(?i)content-length: *(\d+)", head)
            assert length, f"no length: {head!r}"
            seen: dict[str, str] = json.loads(client.reader.read(int(length[1])))
            return seen
        except (ConnectionResetError, BrokenPipeError):
            return REFUSED


@pytest.mark.parametrize("name", CASES)
def test_same_bytes_same_verdict(ports: dict[str, int], name: str) -> None:
    verdicts = {server: verdict(port, CASES[name]) for server, port in ports.items()}
    ours = verdicts.pop("ours")
    refusing = [server for server, result in verdicts.items() if result == REFUSED]
    laxer = ours != REFUSED and bool(refusing)
    stricter = ours == REFUSED and not refusing
    differing = {s: v for s, v in verdicts.items() if REFUSED not in (ours, v) and v != ours}
    assert laxer == (name in LAXER), f"ours reads it, {refusing} refuse it: {LAXER.get(name)}"
    assert stricter == (name in STRICTER), f"all others read it: {verdicts}"
    assert bool(differing) == (name in READ_DIFFERENTLY), f"ours {ours}, others {differing}"


def test_the_table_is_large_enough_and_every_exception_names_a_case() -> None:
    assert len(CASES) >= 60
    assert {*LAXER, *STRICTER, *READ_DIFFERENTLY} <= set(CASES)
