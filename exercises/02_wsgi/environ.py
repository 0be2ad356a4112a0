"""From a request to `environ`: the dictionary that Flask and Django read.

PEP 3333 wants every value that came over the wire as a *native string*: a `str` in which each
character stands for one byte (latin-1). The framework turns it into text later. You do not guess
the encoding for it.
"""

from typing import Any, BinaryIO


def make_environ(
    line: tuple[bytes, bytes, tuple[int, int]],
    fields: list[tuple[bytes, bytes]],
    body: BinaryIO,
    server: tuple[str, int],
    mount: str = "",
) -> dict[str, Any]:
    """Return the environ of one request (PEP 3333, environ Variables).

    `line` is (method, target, version), as in http-request-line. `fields` is a list of (name,
    value), names in any case, values without white space around them. `server` is (host, port).
    `mount` is where the app lives, as a native string: "/shop", or "" for the whole server.

    line = (b"POST", b"/shop/caf%C3%A9?day=1", (1, 1)), fields = [(b"Content-Length", b"3")],
    server = ("127.0.0.1", 8000) and mount = "/shop" give

        REQUEST_METHOD "POST"       SCRIPT_NAME "/shop"       SERVER_NAME "127.0.0.1"
        PATH_INFO "/cafÃ©"          QUERY_STRING "day=1"      SERVER_PORT "8000"
        CONTENT_LENGTH "3"          SERVER_PROTOCOL "HTTP/1.1"

    A new dict of type `dict` for every call. Always in it, as str:
    - REQUEST_METHOD, SERVER_NAME, SERVER_PORT; SERVER_PROTOCOL is "HTTP/", digit, dot, digit;
    - QUERY_STRING: everything after the first "?" of the target, still percent-encoded; or "";
    - SCRIPT_NAME: the mount. PATH_INFO: the rest of the path, percent-decoded *once*, as latin-1.
      A "+" stays. The path is decoded before it is compared with the mount. A path that is the
      mount leaves ""; a path outside the mount ("/shopping") raises ValueError.
    The target is in origin form, such as "/a" or "//a//b?x", or in absolute form, such as
    "http://example.com/a?x" or "https://example.com?x", whose path is "/" (RFC 9112 §3.2). The
    scheme, http or https, may be in any case.

    Of the fields (RFC 3875 §4.1.18), as str that hold latin-1:
    - each as HTTP_ and its name, upper case, "-" as "_"; but CONTENT_TYPE and CONTENT_LENGTH have
      no HTTP_, and are there only if the client sent them;
    - the same name again: values joined with ", ", those of Cookie with "; " (RFC 9110 §5.3,
      RFC 9113 §8.2.3). The server of this chapter joins with ",": to whoever reads the list it is
      the same, but here the space is asked for, as the RFC advises;
    - a name with "_" in it is left out: Content_Length would pose as Content-Length.

    The rest: wsgi.version (1, 0); wsgi.url_scheme "http"; wsgi.input is `body` itself; wsgi.errors
    is sys.stderr; wsgi.multithread, wsgi.multiprocess and wsgi.run_once are False.
    """
    raise NotImplementedError("your code")
