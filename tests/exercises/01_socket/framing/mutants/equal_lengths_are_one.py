# Takes two Content-Length fields that agree as one.
# Message: [('content-length', b'5'), ('host', b'a.example'), ('content-length', b'5')])
# Message: came back returned ('length', 5)
# Message: why RFC 9112 §6.3: one server takes the first

import re

DIGITS = re.compile(rb"[0-9]+")


def body_framing(
    version: tuple[int, int], fields: list[tuple[str, bytes]], limit: int = 1_048_576
) -> tuple[str, int | None]:
    """Return how the body of a request ends: ("length", n), ("chunked", None), ("refuse", status).

    RFC 9112 §6.3. Whatever could be read in two ways is refused.
    """
    lengths = [value for name, value in fields if name == "content-length"]
    codings = [value for name, value in fields if name == "transfer-encoding"]
    if codings and (lengths or version < (1, 1)):
        return "refuse", 400
    if codings:
        return by_coding(b",".join(codings))
    if len(set(lengths)) > 1:
        return "refuse", 400
    return by_length(lengths[0], limit) if lengths else ("length", 0)


def by_coding(value: bytes) -> tuple[str, int | None]:
    """Decide by the list of transfer codings (RFC 9112 §6.1)."""
    *others, last = [coding.strip(b" \t").lower() for coding in value.split(b",")]
    if last != b"chunked" or b"chunked" in others:
        return "refuse", 400
    return ("refuse", 501) if others else ("chunked", None)


def by_length(value: bytes, limit: int) -> tuple[str, int | None]:
    """Decide by the value of the only Content-Length (RFC 9110 §8.6)."""
    if DIGITS.fullmatch(value) is None:  # never int() alone: it takes "+5", "5_0" and " 5" as well
        return "refuse", 400
    digits = value.lstrip(b"0") or b"0"
    if len(digits) > len(str(limit)) or int(digits) > limit:  # subtle: int() takes 4300 at most
        return "refuse", 413
    return "length", int(digits)
