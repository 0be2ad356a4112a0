"""The fields of a request: `Host: example.com` and its neighbours.

After the request line comes one line for each field. A proxy in front of your server reads the same
lines. If it sees a field where you see none, the two of you disagree about where the request ends.
So you repair nothing: a line that is not exactly right is refused.
"""


def parse_fields(block: bytes, limit: int = 100) -> list[tuple[str, bytes]]:
    r"""Return the fields of a header block as a list of (name, value).

    `block` holds the lines, each with its CRLF, without the empty line that ends the head.
    It may be empty: then there are no fields.

    parse_fields(b"Host: a.example\r\nX-Tag: one \r\n")
        == [("host", b"a.example"), ("x-tag", b"one")]

    - The name comes back as `str`, in lower case: a name is ASCII, and its case means nothing
      (RFC 9110 §5.1). The value stays bytes: nobody knows its encoding.
    - The order stays, and a name that occurs twice comes back twice (RFC 9110 §5.3).
    - Spaces and tabs around the value are no part of it. Those inside stay. A value may be empty
      (RFC 9112 §5).

    Raises ValueError for everything else:
    - The name is a token (RFC 9110 §5.6.2), which is one or more of letters, digits and
      !#$%&'*+-.^_`|~
    - The colon follows the name at once, no space between them (RFC 9112 §5.1).
    - No line begins with a space or a tab: folded lines are obsolete (RFC 9112 §5.2).
    - A value has no control characters but the tab: none below 0x20, and not 0x7F. Bytes from 0x80
      on are allowed (RFC 9110 §5.5).
    - Every line ends with CRLF, the last one too. A CR or LF alone ends nothing (RFC 9112 §2.2).
    - There are at most `limit` fields (RFC 9110 §5.4).
    """
    raise NotImplementedError("your code")
