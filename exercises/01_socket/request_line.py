"""The first line of a request: `GET /menu HTTP/1.1`.

Three parts, one space between them, and nothing else. Whoever reads this line loosely will one day
disagree with the server next door about what was asked, and that is how requests are smuggled.
"""


def parse_request_line(line: bytes) -> tuple[bytes, bytes, tuple[int, int]]:
    """Return (method, target, version) of a request line, given without its CRLF.

    parse_request_line(b"GET /menu HTTP/1.1") == (b"GET", b"/menu", (1, 1))

    Raises ValueError for a line that RFC 9112 §3 does not allow:
    - exactly one space between the parts, no other white space anywhere;
    - the method is a token (RFC 9110 §5.6.2): letters, digits and !#$%&'*+-.^_`|~
    - the target is not empty and has only visible ASCII characters (0x21 to 0x7E);
    - the version is `HTTP/`, a digit, a dot, a digit, in capitals.
    """
    raise NotImplementedError("your code")
