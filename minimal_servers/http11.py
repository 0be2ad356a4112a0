"""HTTP/1.1 as bytes: a request in, a response out (RFC 9112 and RFC 9110). No socket anywhere.

Strategy
- The caller owns a ``bytearray`` and appends whatever arrived. The readers eat from its front.
  What is still missing is ``None``; what is wrong is ``BadRequest``, which carries the status.
- The grammar stands in regular expressions that must match to the last byte. Nothing is trimmed,
  guessed or repaired: a request that two servers could read differently is refused, because that
  difference is how requests are smuggled past a proxy (RFC 9112 §11.2).
- Bodies are generators over the same buffer, so length and chunks look alike to the caller.

Not handled: other transfer codings than chunked; trailers are checked, then dropped. Upgrade is
reported, and up to the caller.
"""

import re
import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache

MAX_LINE = 8 * 1024  # request line in bytes; RFC 9112 §3 asks for 8,000 at least
MAX_HEAD = 64 * 1024  # request line and fields together
MAX_FIELDS = 100
MAX_CHUNK_LINE = 1024  # chunk size with its extensions, or one trailer field
MAX_TRAILERS = 20

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # RFC 9110 §5.6.2
VALUE = rb"[\t -~\x80-\xff]*"  # RFC 9110 §5.5: no CR, LF, NUL, no other control character
REQUEST_LINE = re.compile(rb"(%b) ([!-\"$-~]+) HTTP/([0-9])\.([0-9])" % TOKEN)  # RFC 9112 §3
FIELD = re.compile(rb"(%b):(%b)\r\n" % (TOKEN, VALUE))  # RFC 9112 §5: no space before the colon
HEAD = re.compile(rb"%b\r\n((?:%b:%b\r\n)*+)\r\n" % (REQUEST_LINE.pattern, TOKEN, VALUE))
ABSOLUTE = re.compile(rb"http://([^/?@]+)(/[^?]*)?(?:\?(.*))?", re.IGNORECASE)  # RFC 9112 §3.2.2
HOST = re.compile(rb"(?:[0-9A-Za-z\-._~!$&'()*+;=%]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")  # RFC 3986 §2.1
QUOTED = rb'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"'
CHUNK_LINE = re.compile(  # RFC 9112 §7.1 and §7.1.1
    rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[ \t]*%b(?:[ \t]*=[ \t]*(?:%b|%b))?)*+" % (TOKEN, TOKEN, QUOTED)
)
PRINTABLE = re.compile(rb"[ -~\x80-\xff]*")  # PEP 3333: what we send has not even a tab
STATUS = re.compile(rb"([2-5][0-9]{2}) %b" % PRINTABLE.pattern)  # RFC 9112 §4
PERCENT = ord("%")  # a number, which `in` finds in bytes ten times as fast as b"%"
DECIDING = {
    b"host", b"content-length", b"transfer-encoding", b"connection", b"expect", b"upgrade",
}  # fmt: skip

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"


class BadRequest(Exception):
    """The peer broke a rule. ``status`` is what to answer, the text says which rule it was."""

    def __init__(self, status: str, reason: str, fields: bytes = b"") -> None:
        super().__init__(reason)
        self.status = status
        self.fields = fields  # lines that the answer needs


@dataclass(slots=True)
class Request:
    """The head of one request, checked. Everything that came over the wire stays bytes."""

    method: str  # "GET"
    path: bytes  # b"/a%20b", still percent-encoded
    query: bytes  # b"x=1"
    minor: int  # 1 for HTTP/1.1 and later, 0 for HTTP/1.0
    headers: list[tuple[bytes, bytes]]  # names in lower case, order and repetition as received
    length: int | None  # bytes of body to come; None means chunked
    keep_alive: bool
    expects_continue: bool
    upgrade: bytes | None = None  # the protocols that the client would rather speak


def take_head(buffer: bytearray) -> Request | None:
    """Take one request head off the front of ``buffer``; None while it is incomplete.

    Raises BadRequest. RFC 9112 §2.2: empty lines before the request line are ignored.
    """
    while buffer.startswith(b"\r\n"):
        del buffer[:2]
    if buffer.find(b"\r\n\r\n", 0, MAX_HEAD) < 0:
        check_unfinished(buffer)
        return None
    match = HEAD.match(buffer)
    if match is None or match[3] != b"1" or match.end(4) > MAX_LINE:
        raise what_is_wrong(bytes(buffer))
    method, target, _, minor, block = match.groups()
    del buffer[: match.end()]
    return parse_head(method, target, minor, block)


def check_unfinished(buffer: bytearray) -> None:
    """Refuse early what can never become a request. A bare LF is no line end (RFC 9112 §2.2)."""
    if len(buffer) >= MAX_LINE + 2 and buffer.find(b"\r\n", 0, MAX_LINE + 2) < 0:
        raise BadRequest("414 URI Too Long", f"request line over {MAX_LINE} bytes")
    if len(buffer) >= MAX_HEAD:
        raise BadRequest("431 Request Header Fields Too Large", f"head over {MAX_HEAD} bytes")
    if buffer.count(b"\n") != buffer.count(b"\r\n"):
        raise BadRequest("400 Bad Request", "a line must end with CR LF")


def parse_head(method: bytes, target: bytes, minor: bytes, block: bytes) -> Request:
    """Check the parts of a head; ``block`` has the fields, each with its CR LF (RFC 9112 §5)."""
    headers: list[tuple[bytes, bytes]] = []
    deciding: dict[bytes, bytes] = {}
    for name, value in FIELD.findall(block):
        name, value = name.lower(), value.strip(b" \t")
        headers.append((name, value))
        if name in DECIDING:  # repeated fields are one list (RFC 9110 §5.3): no host, no length
            deciding[name] = deciding[name] + b"," + value if name in deciding else value
    if len(headers) > MAX_FIELDS:
        raise BadRequest("431 Request Header Fields Too Large", f"over {MAX_FIELDS} fields")
    version = 0 if minor == b"0" else 1
    authority, path, query = split_target(method, target)
    check_host(deciding.pop(b"host", None), authority, version)
    length, keep, expects = framing(deciding, version) if deciding else (0, version == 1, False)
    upgrade = deciding.get(b"upgrade")
    return Request(method.decode(), path, query, version, headers, length, keep, expects, upgrade)


def framing(deciding: dict[bytes, bytes], minor: int) -> tuple[int | None, bool, bool]:
    """What the fields say of the request's end: (length, keep_alive, expects_continue)."""
    length = body_length(deciding, minor)
    keep = wants_keep_alive(deciding.get(b"connection"), minor)
    expects = minor == 1 and wants_continue(deciding.get(b"expect")) and length != 0
    return length, keep, expects


def split_target(method: bytes, target: bytes) -> tuple[bytes | None, bytes, bytes]:
    """Split the four forms of RFC 9112 §3.2 into (authority, path, query)."""
    if method == b"CONNECT":
        raise BadRequest("501 Not Implemented", "CONNECT is for proxies")
    if target.startswith(b"/"):
        authority = None
        path, _, query = target.partition(b"?")  # never urlsplit: it reads "//x/y" as a host
    elif target == b"*" and method == b"OPTIONS":
        return None, target, b""
    elif match := ABSOLUTE.fullmatch(target):
        authority, path, query = match[1], match[2] or b"/", match[3] or b""
    else:
        raise BadRequest("400 Bad Request", "malformed request target")
    if PERCENT in path and BAD_ESCAPE.search(path):
        raise BadRequest("400 Bad Request", "malformed percent-encoding in the path")
    return authority, path, query


def what_is_wrong(head: bytes) -> BadRequest:
    """Say why this is no head that we understand."""
    line = head.partition(b"\r\n")[0]
    if len(line) > MAX_LINE:
        return BadRequest("414 URI Too Long", f"request line over {MAX_LINE} bytes")
    match = REQUEST_LINE.fullmatch(line)
    if match is None:
        return BadRequest("400 Bad Request", "malformed request line")
    if match[3] != b"1":
        return BadRequest("505 HTTP Version Not Supported", "only HTTP/1.0 and HTTP/1.1")
    return BadRequest("400 Bad Request", "malformed header field")


@lru_cache(maxsize=64)  # a server has few names
def check_host(host: bytes | None, authority: bytes | None, minor: int) -> None:
    """One well-formed Host, which only HTTP/1.0 may leave out (RFC 9112 §3.2).

    An absolute target must name the same host, since RFC 9112 §3.2.2 lets one of the two win.
    """
    if host is None and minor:
        raise BadRequest("400 Bad Request", "HTTP/1.1 needs a Host field")
    if host is not None and HOST.fullmatch(host) is None:
        raise BadRequest("400 Bad Request", "malformed or repeated host")
    if authority is None:
        return
    if HOST.fullmatch(authority) is None:
        raise BadRequest("400 Bad Request", "malformed host in the request target")
    if host is not None and host.lower() != authority.lower():
        raise BadRequest("400 Bad Request", "Host and request target disagree")


def body_length(deciding: dict[bytes, bytes], minor: int) -> int | None:
    """How many bytes of body follow, None if chunked (RFC 9112 §6.3, and §6.1 on smuggling)."""
    length = deciding.get(b"content-length")
    coding = deciding.get(b"transfer-encoding")
    if coding is not None:
        before, chunked, after = coding.lower().partition(b"chunked")
        if length is not None or minor == 0 or not chunked or after:
            raise BadRequest("400 Bad Request", "ambiguous framing")
        if before:
            raise BadRequest("501 Not Implemented", "the only transfer coding here is chunked")
        return None
    if length is None:
        return 0
    if not is_length(length):
        raise BadRequest("400 Bad Request", "malformed or repeated Content-Length")
    return int(length)


def is_length(value: bytes) -> bool:
    """Whether it is a Content-Length. Never int() alone: it takes "+1", "1_0" and " 1" as well."""
    return value.isdigit() and len(value) <= 18


def wants_keep_alive(connection: bytes | None, minor: int) -> bool:
    """Whether the connection may carry another request (RFC 9112 §9.3)."""
    if connection is None:
        return minor == 1
    options = {option.strip(b" \t") for option in connection.lower().split(b",")}
    return b"close" not in options and (minor == 1 or b"keep-alive" in options)


def wants_continue(expect: bytes | None) -> bool:
    """Whether the client holds its body back until it is told 100 Continue (RFC 9110 §10.1.1)."""
    if expect is not None and expect.lower() != b"100-continue":
        raise BadRequest("417 Expectation Failed", "the only expectation is 100-continue")
    return expect is not None


def read_body(request: Request, buffer: bytearray) -> Generator[bytes | None, None, None]:
    """Iterate over the body: pieces as they arrive, None while ``buffer`` must be filled first.

    The generator ends exactly at the end of the body; what follows stays in ``buffer``.
    """
    if request.length is None:
        return read_chunks(buffer)
    return read_exactly(buffer, request.length)


def read_exactly(buffer: bytearray, length: int) -> Generator[bytes | None, None, None]:
    """The next ``length`` bytes (RFC 9112 §6.2)."""
    while length:
        if not buffer:
            yield None
            continue
        piece = bytes(buffer[:length])
        del buffer[:length]
        length -= len(piece)
        yield piece


def read_chunks(buffer: bytearray) -> Generator[bytes | None, None, None]:
    """The decoded chunks, then the trailers, which are dropped (RFC 9112 §7.1)."""
    while size := chunk_size((yield from take_line(buffer, MAX_CHUNK_LINE))):
        yield from read_exactly(buffer, size)
        yield from take_line(buffer, limit=2)  # the chunk ends here, or it was longer than its size
    for _ in range(MAX_TRAILERS + 1):
        line = yield from take_line(buffer, MAX_CHUNK_LINE)
        if not line:
            return
        if FIELD.fullmatch(line + b"\r\n") is None:
            raise BadRequest("400 Bad Request", "malformed trailer field")
    raise BadRequest("431 Request Header Fields Too Large", f"over {MAX_TRAILERS} trailers")


def take_line(buffer: bytearray, limit: int) -> Generator[None, None, bytes]:
    """One line of at most ``limit`` bytes, CR LF included; yields while its end is missing."""
    while (end := buffer.find(b"\r\n", 0, limit)) < 0:
        if len(buffer) >= limit or b"\n" in buffer:
            raise BadRequest("400 Bad Request", "malformed line in a chunked body")
        yield None
    line = bytes(buffer[:end])
    del buffer[: end + 2]
    return line


def chunk_size(line: bytes) -> int:
    """The size at the start of a chunk; its extensions are checked and ignored (§7.1.1)."""
    match = CHUNK_LINE.fullmatch(line)
    if match is None:
        raise BadRequest("400 Bad Request", "malformed chunk size")
    return int(match[1], 16)


def response_head(status: bytes, lines: Iterable[bytes]) -> bytes:
    """Status line, fields and the empty line (RFC 9112 §4). ``status`` is b"200 OK"."""
    return b"".join([b"HTTP/1.1 ", status, b"\r\n", *lines, b"\r\n"])


@lru_cache(maxsize=256)  # applications repeat themselves
def field_line(name: bytes, value: bytes) -> bytes:
    """One response field. Raises ValueError instead of letting CR or LF split the response."""
    if not is_token(name) or PRINTABLE.fullmatch(value) is None:
        raise ValueError(f"illegal header field {name!r}: {value!r} (RFC 9110 §5.5)")
    return b"%b: %b\r\n" % (name, value)


def is_token(name: bytes) -> bool:
    """Whether ``name`` can name a field (RFC 9110 §5.6.2)."""
    return re.fullmatch(TOKEN, name) is not None


@lru_cache(maxsize=128)
def status_code(status: bytes) -> int:
    """The number in b"404 Not Found". Raises ValueError if it cannot be a final status."""
    match = STATUS.fullmatch(status)
    if match is None:
        raise ValueError(f"illegal status {status!r}: three digits, a space and a reason")
    return int(match[1])


def forbids_body(method: str, code: int) -> bool:
    """Responses that end after their head whatever the fields say (RFC 9112 §6.3)."""
    return method == "HEAD" or code == 204 or code == 304


def chunk(data: bytes) -> bytes:
    """One chunk (RFC 9112 §7.1). ``data`` must not be empty: an empty chunk ends the body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


@lru_cache(maxsize=1)
def date_line(second: int) -> bytes:
    """The Date field, which an origin server must send (RFC 9110 §6.6.1)."""
    return b"Date: %b\r\n" % formatdate(second, usegmt=True).encode("ascii")


def error_response(error: BadRequest) -> bytes:
    """A whole response for a request that never reaches the application; the connection ends."""
    body = f"{error.status}: {error}\n".encode()
    fields = b"Content-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n" % len(body)
    lines = [date_line(int(time.time())), error.fields, fields]
    return response_head(error.status.encode(), lines) + body
