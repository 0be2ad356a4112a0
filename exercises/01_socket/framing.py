"""Where does the body end? Two fields decide, and they can lie.

Say one server believes Content-Length and the next one believes Transfer-Encoding. Then the end of
one body is the beginning of a request that nobody sent: request smuggling (RFC 9112 §11.2). So a
request that could be read in two ways is refused, even if it is probably harmless.
"""


def body_framing(
    version: tuple[int, int], fields: list[tuple[str, bytes]], limit: int = 1_048_576
) -> tuple[str, int | None]:
    """Return how the body of a request ends: ("length", n), ("chunked", None), ("refuse", status).

    `version` is (1, 1) for HTTP/1.1. `fields` is what `parse_fields` returns: names in lower case,
    values without spaces at their ends. The method plays no part (RFC 9112 §6.3).

    body_framing((1, 1), [("host", b"a"), ("content-length", b"5")]) == ("length", 5)
    body_framing((1, 1), [("host", b"a")]) == ("length", 0)

    Without Transfer-Encoding, Content-Length counts (RFC 9110 §8.6, RFC 9112 §6.3):
    - Neither of the two fields: ("length", 0).
    - The value is one or more ASCII digits and nothing else, or it is refused with 400.
    - Two Content-Length fields are refused with 400, even if they agree.
    - More than `limit` bytes are refused with 413, however long the number is (RFC 9110 §15.5.14).

    With Transfer-Encoding (RFC 9112 §6.1, §6.3):
    - The value is a comma-separated list of codings. Upper or lower case does not matter, spaces
      and tabs around a coding do not count. Several fields are one longer list (RFC 9110 §5.3).
    - ("chunked", None) if the list is exactly `chunked`.
    - Refused with 400 if there is also a Content-Length, if the version is below 1.1, if the last
      coding is not `chunked`, or if `chunked` occurs twice.
    - Else refused with 501: you do not know the other coding.
    """
    raise NotImplementedError("your code")
