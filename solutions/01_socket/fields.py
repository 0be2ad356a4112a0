"""The fields of a request: `Host: example.com` and its neighbours."""

import re

FIELD = re.compile(
    rb"([A-Za-z0-9!#$%&'*+\-.^_`|~]+):([\t\x20-\x7e\x80-\xff]*)"  # RFC 9112 §5, RFC 9110 §5.5
)


def parse_fields(block: bytes, limit: int = 100) -> list[tuple[str, bytes]]:
    """Return the fields of a header block as a list of (name, value).

    Raises ValueError for a line that RFC 9112 §5 does not allow, and for more than `limit` fields.
    """
    *lines, rest = block.split(b"\r\n")  # subtle: splitlines() would split on a bare CR or LF too
    if rest:
        raise ValueError(f"the last line has no CRLF: {rest!r}")
    if len(lines) > limit:
        raise ValueError(f"more than {limit} fields")
    return [parse_field(line) for line in lines]


def parse_field(line: bytes) -> tuple[str, bytes]:
    """Return (name, value) of one line, given without its CRLF. Raises ValueError."""
    match = FIELD.fullmatch(line)
    if match is None:
        raise ValueError(f"not a field: {line!r}")
    name, value = match.groups()
    return name.decode().lower(), value.strip(b" \t")
