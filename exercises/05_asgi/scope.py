"""From a request to a scope: the dictionary that an ASGI application is called with.

What `environ` is to WSGI, the scope is to ASGI, with the lessons learned: bytes stay bytes, text is
real text, and the names of header fields are not squeezed into HTTP_….
"""

from typing import Any


def make_scope(
    line: tuple[bytes, bytes, tuple[int, int]],
    fields: list[tuple[bytes, bytes]],
    client: tuple[str, int],
    server: tuple[str, int],
    state: dict[str, Any],
    root_path: str = "",
) -> dict[str, Any]:
    """Return the scope of one request (ASGI HTTP, HTTP Connection Scope), with all 13 keys.

    make_scope((b"GET", b"/caf%C3%A9?x=%31", (1, 1)), [(b"Host", b"a")], client, server, state)
    has "path" "/café", "raw_path" b"/caf%C3%A9", "query_string" b"x=%31", "http_version" "1.1" and
    "headers" [(b"host", b"a")].

    - "type" is "http", "scheme" is "http", "asgi" is {"version": "3.0", "spec_version": "2.4"}.
    - "http_version" is text such as "1.1"; "method" is text in upper case.
    - "raw_path" is the path as it came, without the query. The target may be absolute (RFC 9112
      §3.2.2: http://host/path): then the path begins after the host, and is b"/" if there is none.
      A target that begins with // is a path.
    - "path" is raw_path with percent-encoding and UTF-8 decoded, each once; bytes that are no UTF-8
      become U+FFFD. It holds the root_path, if there is one: nothing is cut off.
    - "query_string" is what follows the first "?", as it came; b"" if there is none.
    - "root_path" is the argument.
    - "headers" is a list of (name, value) in the order of `fields`: names in lower case, values as
      they are, repeated ones repeated.
    - "client" and "server" are the arguments.
    - "state" is a shallow copy: a new dictionary for each request, with the same objects in it
      (ASGI Lifespan, Lifespan State).
    """
    raise NotImplementedError("your code")
