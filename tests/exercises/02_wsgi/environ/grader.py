"""Grader of wsgi-environ: what PEP 3333 and RFC 3875 say about one request."""

from typing import Any

from playground.grading import Body, Learner, Remote, fail, short

NAME = "make_environ"
SERVER = ("127.0.0.1", 8000)
UNICODE = "PEP 3333, Unicode Issues: a native string is a str in which a character is one byte"
FIELDS = "RFC 3875 §4.1.18: HTTP_, the name in upper case, '-' as '_'"


def ask(
    learner: Learner,
    target: bytes = b"/",
    fields: list[tuple[bytes, bytes]] | None = None,
    *,
    mount: str = "",
    method: bytes = b"GET",
    version: tuple[int, int] = (1, 1),
    body: Body | None = None,
) -> tuple[str, dict[str, Any]]:
    """Return the call as text, and the environ."""
    args = ((method, target, version), fields or [], body or Body(), SERVER)
    more = {"mount": mount} if mount else {}
    outcome = learner.expect(NAME, *args, **more)
    if outcome.raised:
        raise outcome.raised
    if not isinstance(outcome.value, dict):
        kind = outcome.value
        got = (
            f"returned a {kind.type_name}"
            if isinstance(kind, Remote)
            else f"returned {short(kind)}"
        )
        fail(
            outcome.called, got, "returned a dict",
            why="PEP 3333, The Application/Framework Side: environ is a builtin dict, no subclass",
            nudge="Frameworks may change it, so it is a plain dict.",
        )  # fmt: skip
    return outcome.called, outcome.value


def want(
    called: str, environ: dict[str, Any], key: str, value: object, why: str, nudge: str
) -> None:
    """Fail unless environ[key] is `value`, of the same type; None means it must not be there."""
    got = environ.get(key)
    if type(got) is type(value) and got == value:
        return
    shown = f"environ[{key!r}] = {short(got)}" if key in environ else f"no {key} in environ"
    expected = f"no {key} in environ" if value is None else f"environ[{key!r}] = {value!r}"
    fail(called, shown, expected, why=why, nudge=nudge)


def check_request_line(learner: Learner) -> None:
    """Method, path, query and protocol of GET /menu?day=1."""
    called, environ = ask(learner, b"/menu?day=1")
    why = "PEP 3333, environ Variables"
    for key, value in (("REQUEST_METHOD", "GET"), ("PATH_INFO", "/menu"), ("QUERY_STRING", "day=1"),
                       ("SERVER_PROTOCOL", "HTTP/1.1"), ("SCRIPT_NAME", "")):  # fmt: skip
        want(called, environ, key, value, why, "Each of them is a str, never bytes.")
    called, environ = ask(learner, b"/", method=b"M-SEARCH", version=(1, 0))
    want(called, environ, "REQUEST_METHOD", "M-SEARCH", why, "The method is passed on as it is.")
    want(called, environ, "SERVER_PROTOCOL", "HTTP/1.0", why, "The version is in `line`.")
    want(called, environ, "QUERY_STRING", "", why, "A request without '?' has an empty query.")


def check_server(learner: Learner) -> None:
    """SERVER_NAME and SERVER_PORT, both str."""
    called, environ = ask(learner)
    why = "PEP 3333: SERVER_NAME and SERVER_PORT can never be empty strings, and they are strings"
    want(called, environ, "SERVER_NAME", "127.0.0.1", why, "It is the first part of `server`.")
    want(called, environ, "SERVER_PORT", "8000", why, "Even the port is a str.")


def check_wsgi_keys(learner: Learner) -> None:
    """Every wsgi. key that PEP 3333 demands."""
    body = Body(b"x=1")
    called, environ = ask(learner, body=body)
    why = "PEP 3333, environ Variables: the wsgi. keys are required"
    for key, value in (("wsgi.version", (1, 0)), ("wsgi.url_scheme", "http"),
                       ("wsgi.multithread", False), ("wsgi.multiprocess", False),
                       ("wsgi.run_once", False)):  # fmt: skip
        want(called, environ, key, value, why, "The last lines of the docstring list them.")
    if environ.get("wsgi.input") is not body:
        fail(
            called,
            f"environ['wsgi.input'] = {short(environ.get('wsgi.input'))}",
            "body itself",
            why=why,
            nudge="Hand the stream on; do not read it.",
        )
    if body.reads:
        fail(
            called,
            f"{body.reads[0][0]}() of the body was called",
            "the body left unread",
            why="PEP 3333, Input and Error Streams",
            nudge="Reading is up to the app.",
        )
    errors = environ.get("wsgi.errors")
    if not isinstance(errors, Remote) or not errors.has("writelines") or not errors.has("flush"):
        fail(
            called,
            f"environ['wsgi.errors'] = {short(errors)}",
            "sys.stderr",
            why=why,
            nudge="Apps write their complaints there.",
        )


def check_fields(learner: Learner) -> None:
    """Header fields become HTTP_ keys."""
    called, environ = ask(
        learner, b"/", [(b"Host", b"a:80"), (b"x-request-ID", b"7"), (b"ACCEPT", b"")]
    )
    nudge = "Upper case, '-' as '_', HTTP_ in front."
    for key, value in (("HTTP_HOST", "a:80"), ("HTTP_X_REQUEST_ID", "7"), ("HTTP_ACCEPT", "")):
        want(called, environ, key, value, FIELDS, nudge)


def check_content_fields(learner: Learner) -> None:
    """Content-Type and Content-Length have no HTTP_, and are absent unless sent."""
    fields = [(b"content-type", b"text/plain"), (b"Content-Length", b"03")]
    called, environ = ask(learner, b"/", [*fields, (b"Content-Language", b"fr")], method=b"POST")
    why = "RFC 3875 §4.1.2, §4.1.3: CONTENT_LENGTH and CONTENT_TYPE are variables of their own"
    for key, value in (("CONTENT_TYPE", "text/plain"), ("CONTENT_LENGTH", "03"),
                       ("HTTP_CONTENT_TYPE", None), ("HTTP_CONTENT_LENGTH", None),
                       ("HTTP_CONTENT_LANGUAGE", "fr")):  # fmt: skip
        want(called, environ, key, value, why, "Two names are special, and only these two.")
    called, environ = ask(learner)
    for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        want(called, environ, key, None, why, "What was not sent is not there, not even as ''.")


def check_latin_1(learner: Learner) -> None:
    """Bytes above 127 arrive as latin-1, whatever they mean."""
    nudge = "bytes.decode('latin-1') maps every byte to the character of the same number."
    called, environ = ask(learner, b"/caf%C3%A9")
    want(called, environ, "PATH_INFO", "/cafÃ©", UNICODE, nudge)
    called, environ = ask(learner, b"/%ff%00")
    want(called, environ, "PATH_INFO", "/\xff\x00", UNICODE, nudge)
    called, environ = ask(learner, b"/", [(b"X-Name", b"caf\xc3\xa9 \xff")])
    want(called, environ, "HTTP_X_NAME", "cafÃ© \xff", UNICODE, nudge)


def check_decoded_once(learner: Learner) -> None:
    """The path is decoded once and after it was split; the query is not decoded."""
    why = "RFC 3875 §4.1.5 (PATH_INFO is decoded), §4.1.7 (QUERY_STRING is not)"
    for target, path, query in (
        (b"/100%2525", "/100%25", ""), (b"/a%3Fb?c=%3F", "/a?b", "c=%3F"), (b"/a?b?c", "/a", "b?c"),
        (b"/1+1?1+1", "/1+1", "1+1"), (b"/a%2Fb", "/a/b", ""), (b"/a;b=1?", "/a;b=1", ""),
    ):  # fmt: skip
        called, environ = ask(learner, target)
        want(called, environ, "PATH_INFO", path, why, "Split at the first '?', then decode once.")
        want(called, environ, "QUERY_STRING", query, why, "The query stays as it was sent.")


def check_target_forms(learner: Learner) -> None:
    """Paths such as //a, and the absolute form."""
    why = "RFC 9112 §3.2: what starts with '/' is a path; an absolute form names the host first"
    for target, path, query in (
        (b"//a//b?x", "//a//b", "x"), (b"http://example.com/a?x", "/a", "x"),
        (b"https://example.com:8443/a/b", "/a/b", ""), (b"HTTP://example.com?x=/", "/", "x=/"),
        (b"http://example.com", "/", ""), (b"/http://example.com/a", "/http://example.com/a", ""),
        (b"/a#b", "/a#b", ""), (b"http://example.com/a://b", "/a://b", ""),
    ):  # fmt: skip
        called, environ = ask(learner, target)
        nudge = (
            "urlsplit takes //a for a host and # for a fragment. Look at the first bytes yourself:"
            " a slash, or http:// or https:// in any case."
        )
        want(called, environ, "PATH_INFO", path, why, nudge)
        want(called, environ, "QUERY_STRING", query, why, nudge)


def check_repeated(learner: Learner) -> None:
    """A field that is sent twice is one list."""
    called, environ = ask(learner, b"/", [
        (b"Accept", b"text/html"), (b"Cookie", b"a=1"), (b"ACCEPT", b"text/plain"),
        (b"cookie", b"b=2"), (b"Accept", b"*/*"),
    ])  # fmt: skip
    why = "RFC 9110 §5.3: values are joined with a comma; RFC 9113 §8.2.3: cookies with '; '"
    nudge = "Is the key there already? Then append."
    want(called, environ, "HTTP_ACCEPT", "text/html, text/plain, */*", why, nudge)
    want(called, environ, "HTTP_COOKIE", "a=1; b=2", why, nudge)


def check_underscores(learner: Learner) -> None:
    """A name with an underscore cannot pose as another."""
    fields = [(b"Content-Length", b"3"), (b"Content_Length", b"300"), (b"X_Admin", b"yes"),
              (b"Content_Type", b"text/html"), (b"X-Real_IP", b"10.0.0.1")]  # fmt: skip
    called, environ = ask(learner, b"/", fields, method=b"POST")
    why = "Two names of fields may not end in one key: RFC 3875 §4.1.18 maps '-' to '_'"
    nudge = (
        "An attacker sends Content_Length or X_Admin to overwrite what the proxy in front has set."
    )
    for key, value in (("CONTENT_LENGTH", "3"), ("HTTP_X_ADMIN", None), ("CONTENT_TYPE", None),
                       ("HTTP_X_REAL_IP", None)):  # fmt: skip
        want(called, environ, key, value, why, nudge)


def check_mount(learner: Learner) -> None:
    """The path is shared out between SCRIPT_NAME and PATH_INFO."""
    why = "PEP 3333: SCRIPT_NAME is where the app lives, PATH_INFO the rest of the path"
    for target, mount, path in (
        (b"/shop/tea?x", "/shop", "/tea"), (b"/shop", "/shop", ""), (b"/shop/", "/shop", "/"),
        (b"/shop/shop", "/shop", "/shop"), (b"/s%68op/a", "/shop", "/a"), (b"/a/b/c", "/a/b", "/c"),
        (b"/caf%C3%A9/a", "/cafÃ©", "/a"), (b"/shop%2Ftea", "/shop", "/tea"),
        (b"http://example.com/shop/a", "/shop", "/a"),
    ):  # fmt: skip
        called, environ = ask(learner, target, mount=mount)
        nudge = "Cut the mount off the decoded path, and once only."
        want(called, environ, "SCRIPT_NAME", mount, why, nudge)
        want(called, environ, "PATH_INFO", path, why, nudge)
    for target in (b"/shopping", b"/", b"/a/shop", b"/SHOP/a", b"//shop/a", b"/?/shop"):
        line = (b"GET", target, (1, 1))
        learner.expect(NAME, line, [], Body(), SERVER, mount="/shop").raises(
            "ValueError", why=why, nudge="Below /shop: /shop itself, and what starts with /shop/."
        )


def check_new_dict(learner: Learner) -> None:
    """Nothing of one request is left in the next."""
    ask(learner, b"/a?secret=1", [(b"Authorization", b"x"), (b"Content-Length", b"0")])
    called, environ = ask(learner)
    nudge = "Is there a dict outside of the function that you change?"
    for key, value in (
        ("HTTP_AUTHORIZATION", None),
        ("CONTENT_LENGTH", None),
        ("QUERY_STRING", ""),
    ):
        want(
            called,
            environ,
            key,
            value,
            "PEP 3333: the app may change its environ as it likes",
            nudge,
        )
