"""Out of HTTP, into a WebSocket: one request that asks, and one answer that proves it was heard.

The client sends a random key. Who answers with the right accept value has understood the question:
no cache, no old server and no form on a web page could have given it by chance (RFC 6455 §1.3).
"""

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 §1.3: the same for everybody


def handshake(
    method: bytes,
    version: tuple[int, int],
    fields: list[tuple[str, bytes]],
    protocols: list[bytes],
    origins: list[bytes] | None = None,
) -> tuple[int, list[tuple[bytes, bytes]]]:
    """Return the status and the fields of the answer to a handshake (RFC 6455 §4.2).

    `version` is (1, 1) for HTTP/1.1. `fields` is what `parse_fields` returns: names in lower case,
    values without spaces at their ends. `protocols` are the subprotocols that the app speaks,
    `origins` the web pages that may connect; None: all may.

    handshake(b"GET", (1, 1), [("host", b"a"), ("upgrade", b"websocket"),
        ("connection", b"Upgrade"), ("sec-websocket-version", b"13"),
        ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ==")], []) == (101, [
        (b"Upgrade", b"websocket"), (b"Connection", b"Upgrade"),
        (b"Sec-WebSocket-Accept", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")])

    The first of these that applies is the answer:
    - 400 and no fields, if it is no request to open a WebSocket (§4.2.1): the method is not GET,
      the version is below 1.1, there is not exactly one Host, Upgrade has no `websocket`, or
      Connection has no `upgrade`. Both are comma-separated lists: spaces and tabs around a word do
      not count, case does not matter, several fields are one longer list (RFC 9110 §5.3, §7.6.1).
    - 426 unless there is exactly one Sec-WebSocket-Version, and it is 13. The fields tell what
      would do (§4.4 and RFC 9110 §15.5.22): Upgrade: websocket, Connection: Upgrade and
      Sec-WebSocket-Version: 13.
    - 400 and no fields, unless there is exactly one Sec-WebSocket-Key, and it is 16 bytes in
      base64: 24 characters, the last two of them `==` (§4.2.1).
    - 403 and no fields, if there is an Origin that is not one of `origins`, byte for byte. Only
      browsers send one; a request without it is let in (§4.2.2, §10.2).
    - 101 with the fields of the example. The accept value is the base64 of the SHA-1 of the key, as
      it was sent, and GUID (§4.2.2). Sec-WebSocket-Protocol comes with it if the client offers
      subprotocols, a list in the order of its preference, and you speak one: it is the first of the
      client's that is in `protocols`, case and all (§4.2.2). No extension is ever accepted.

    The order of the fields in your answer is free, and so is the case of their names.
    """
    raise NotImplementedError("your code")
