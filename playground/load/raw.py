"""Exact bytes over a plain socket, and a picture of them."""

import html
import ipaddress
import re
import socket
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from playground.setups.catalogue import ServeError

PIECE_PAUSE_S = 0.03  # between pieces, so that each travels in a segment of its own
QUIET_S = 0.3  # of silence after the first bytes, until an open connection is left alone
RECEIVE_LIMIT = 1 << 20  # bytes
SHOWN = 4_000  # bytes of each side in the picture

Place = Any  # a Server, "127.0.0.1:8000", "http://localhost:8000", or ("127.0.0.1", 8000)


@dataclass(frozen=True)
class Wire:
    """Bytes that went over one connection: the pieces ``sent``, what was ``received``, how it
    ended.
    """

    address: str
    pieces: tuple[bytes, ...]
    received: bytes
    ending: str
    seconds: float

    @property
    def sent(self) -> bytes:
        """All that was sent."""
        return b"".join(self.pieces)

    def __str__(self) -> str:
        lines = [f"connected to {self.address}"]
        for piece in self.pieces:
            lines += [f"→ {line}" for line in escaped(piece)]
        lines += [f"← {line}" for line in escaped(self.received)]
        return "\n".join([*lines, f"  {self.ending} after {self.seconds:.2f} s"])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = [("", f"connected to {self.address}")]
        sides = [("→ sent", piece) for piece in self.pieces]
        for side, data in [*sides, ("← received", self.received)]:
            rows += [("" if index else side, line) for index, line in enumerate(escaped(data))]
        return picture([*rows, ("", f"{self.ending} after {self.seconds:.2f} s")])


TABLE = "border-collapse:collapse;font-family:monospace;font-size:1em;text-align:left;margin:0"
CELL = "text-align:left;padding:0 1em 0 0;white-space:pre-wrap;background:none;border:none"


def raw(
    server: Place,
    data: bytes | list[bytes],
    *,
    shutdown: bool = False,
    timeout: float = 5,
    quiet: float = QUIET_S,
) -> Wire:
    """Send exactly ``data`` (a list: piece by piece) and return what came back, as it came.

    ``server`` is a server, ``"127.0.0.1:PORT"``, or ``(host, port)``, on this machine only. Reading
    ends when the server closes, after ``quiet`` seconds of silence once something has come, or
    after ``timeout`` seconds. ``shutdown`` tells the server that no more will be sent.

    Raises ``ServeError`` for another machine, for what is not bytes, and if nothing listens there.
    """
    host, port = address_of(server, "raw")
    pieces = tuple(data) if isinstance(data, list | tuple) else (data,)
    if not all(isinstance(piece, bytes) for piece in pieces):
        raise ServeError("raw() sends bytes: write b'GET / HTTP/1.1\\r\\n…', or a list of such.")
    start = time.monotonic()
    try:
        connection = socket.create_connection((host, port), timeout)
    except OSError as error:
        raise ServeError(
            f"Nothing answers at {host}:{port} ({error.strerror or error})."
        ) from error
    with connection:
        received = bytearray()
        ending = _send(connection, pieces, shutdown)
        ending = _receive(connection, received, start + timeout, quiet) or ending
    seconds = time.monotonic() - start
    return Wire(f"{host}:{port}", pieces, bytes(received), ending, seconds)


def picture(rows: list[tuple[str, str]]) -> str:
    """An HTML table of lines and who said them; the first and the last are about the connection."""
    ends = (0, len(rows) - 1)
    lines = (
        _row(side, line, "0.65" if place in ends else "1")
        for place, (side, line) in enumerate(rows)
    )
    return f'<table style="{TABLE}">{"".join(lines)}</table>'


def escaped(data: bytes) -> list[str]:
    """One string a line of ``data``, with everything that is not printable ASCII as an escape."""
    lines = []
    for line in data[:SHOWN].splitlines(keepends=True):
        text = line.decode("latin-1").replace("\\", "\\\\")
        lines.append(re.sub(r"[^ -~]", _escape, text))
    if len(data) > SHOWN:
        lines.append(f"… {len(data) - SHOWN} more bytes")
    return lines


def _escape(match: "re.Match[str]") -> str:
    named = {"\r": "\\r", "\n": "\\n", "\t": "\\t"}
    return named.get(match[0], f"\\x{ord(match[0]):02x}")


def _send(connection: socket.socket, pieces: tuple[bytes, ...], shutdown: bool) -> str:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        for index, piece in enumerate(pieces):
            if index:
                time.sleep(PIECE_PAUSE_S)
            connection.sendall(piece)
        if shutdown:
            connection.shutdown(socket.SHUT_WR)
    except OSError as error:
        return f"the server closed before all was sent ({error.strerror or error})"
    return ""


def _receive(connection: socket.socket, received: bytearray, end: float, quiet: float) -> str:
    """Read until one of the reasons to stop, and say which."""
    while len(received) < RECEIVE_LIMIT:
        left = end - time.monotonic()
        if left <= 0:
            return "time was up, the connection still open,"
        connection.settimeout(min(left, quiet) if received else left)
        try:
            block = connection.recv(65_536)
        except TimeoutError:
            if received:
                return "silence, the connection still open,"
        except OSError as error:
            return f"the server reset the connection ({error.strerror or error})"
        else:
            if not block:
                return "the server closed the connection"
            received += block
    return f"more than {RECEIVE_LIMIT} bytes came, the rest was left,"


def address_of(server: Place, verb: str) -> tuple[str, int]:
    """Host and port. Raises ``ServeError`` if they are not of this machine."""
    try:
        if hasattr(server, "host") and hasattr(server, "port"):
            host, port = server.host, server.port
        elif isinstance(server, str):
            parts = urlsplit(server if "//" in server else f"//{server}")
            host, port = parts.hostname, parts.port
        else:
            host, port = server
    except (TypeError, ValueError):
        host, port = None, None
    if not host or not port:
        raise ServeError(f"{server!r} names no server: pass a server, or '127.0.0.1:PORT'.")
    if host != "localhost" and not _is_loopback(host):
        raise ServeError(f"{verb}() talks to this machine only (127.0.0.1), not to {host}.")
    return host, port


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _row(side: str, line: str, opacity: str) -> str:
    text = html.escape(line)
    text = re.sub(r"(\\(?:[rnt\\]|x[0-9a-f]{2}))", r'<span style="opacity:.55">\1</span>', text)
    cells = f'<td style="{CELL};opacity:.65">{side}</td><td style="{CELL}">{text}</td>'
    return f'<tr style="background:none;opacity:{opacity}">{cells}</tr>'
