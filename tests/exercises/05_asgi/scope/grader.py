"""Grader of asgi-scope: whole scopes, compared key by key."""

from typing import Any

from playground.grading import Learner, fail, short
from playground.grading.learner import same

SCOPE = "ASGI HTTP, HTTP Connection Scope"
CLIENT, SERVER = ("127.0.0.1", 50123), ("127.0.0.1", 8000)


def expect(
    learner: Learner, key: str, value: Any, target: bytes = b"/", *, nudge: str,
    method: bytes = b"GET", version: tuple[int, int] = (1, 1), root_path: str = "",
    fields: Any = (),
) -> None:  # fmt: skip
    """Fail unless the scope of this request holds exactly `value` at `key`."""
    args: list[Any] = [(method, target, version), list(fields), CLIENT, SERVER, {}]
    args += [root_path] if root_path else []
    outcome = learner.expect("make_scope", *args)
    scope = outcome.satisfies(lambda found: type(found) is dict, "a dict", why=SCOPE)
    if key not in scope:
        fail(outcome.called, f"no {key!r} in the scope", f"a {key!r}", why=SCOPE, nudge=nudge)
    if not same(scope[key], value):
        got, wanted = f"{key!r}: {short(scope[key])}", f"{key!r}: {short(value)}"
        fail(outcome.called, got, wanted, why=f"{SCOPE}: {key}", nudge=nudge)


def check_simple(learner: Learner) -> None:
    """Describes a plain GET."""
    expected = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1",
        "method": "GET", "scheme": "http", "path": "/menu", "raw_path": b"/menu",
        "query_string": b"", "root_path": "", "headers": [(b"host", b"a")], "client": CLIENT,
        "server": SERVER, "state": {},
    }  # fmt: skip
    for key, value in expected.items():
        nudge = "Look at the type: some are bytes, some are text."
        expect(learner, key, value, b"/menu", fields=[(b"host", b"a")], nudge=nudge)
    line = (b"GET", b"/menu", (1, 1))
    outcome = learner.expect("make_scope", line, [(b"host", b"a")], CLIENT, SERVER, {})
    outcome.returns(expected, why=SCOPE, nudge="Thirteen keys, no more.")


def check_line(learner: Learner) -> None:
    """Gives method and version as text."""
    nudge = "f'{major}.{minor}', and decode()."
    expect(learner, "http_version", "1.0", version=(1, 0), nudge=nudge)
    expect(learner, "http_version", "2.1", version=(2, 1), nudge=nudge)
    expect(learner, "method", "POST", method=b"Post", nudge="ASGI wants it in upper case.")


def check_path(learner: Learner) -> None:
    """Decodes the path once, and keeps the raw one."""
    nudge = "First the percent signs, which gives bytes, then UTF-8, which gives text."
    for target, path in (
        (b"/caf%C3%A9", "/café"), (b"/a%2Fb%20c", "/a/b c"), (b"/100%2525", "/100%25"),
        (b"/a+b", "/a+b"), (b"/%FFx", "/\ufffdx"), (b"/caf\xc3\xa9", "/café"), (b"/%3Fx", "/?x"),
    ):  # fmt: skip
        expect(learner, "path", path, target, nudge=nudge)
        expect(learner, "raw_path", target, target, nudge="As it came.")


def check_query(learner: Learner) -> None:
    """Splits at the first question mark, and leaves the query as it is."""
    nudge = "partition splits once. The application decodes the query."
    for target, path, query in (
        (b"/a?x=%31&y", b"/a", b"x=%31&y"), (b"/a?b?c", b"/a", b"b?c"), (b"/a?", b"/a", b""),
        (b"/a?u=http://b/c", b"/a", b"u=http://b/c"),
    ):  # fmt: skip
        expect(learner, "query_string", query, target, nudge=nudge)
        expect(learner, "raw_path", path, target, nudge=nudge)


def check_absolute(learner: Learner) -> None:
    """Finds the path of an absolute target, and takes // for a path."""
    nudge = "Only http:// or https:// at the very beginning is followed by a host."
    for target, path, query in (
        (b"http://shop.example/menu?x", b"/menu", b"x"), (b"HTTPS://a", b"/", b""),
        (b"http://a?x", b"/", b"x"), (b"//menu/x", b"//menu/x", b""),
        (b"/http://a/b", b"/http://a/b", b""),
    ):  # fmt: skip
        expect(learner, "raw_path", path, target, nudge=nudge)
        expect(learner, "query_string", query, target, nudge=nudge)
        expect(learner, "path", path.decode(), target, nudge=nudge)


def check_root_path(learner: Learner) -> None:
    """Names the root path, and cuts nothing off."""
    nudge = "SCRIPT_NAME is cut from PATH_INFO; root_path is not cut from path."
    expect(learner, "root_path", "/shop", b"/shop/menu", root_path="/shop", nudge=nudge)
    expect(learner, "path", "/shop/menu", b"/shop/menu", root_path="/shop", nudge=nudge)
    expect(learner, "raw_path", b"/shop/menu", b"/shop/menu", root_path="/shop", nudge=nudge)


def check_headers(learner: Learner) -> None:
    """Lists all headers in order, names in lower case."""
    fields = [(b"X-B", b"Two"), (b"Cookie", b"a=1"), (b"COOKIE", b"B=\xe9"), (b"x_y", b"")]
    expected = [(b"x-b", b"Two"), (b"cookie", b"a=1"), (b"cookie", b"B=\xe9"), (b"x_y", b"")]
    nudge = "A list of pairs of bytes, one for each field. Values keep their case."
    expect(learner, "headers", expected, fields=fields, nudge=nudge)


def check_state(learner: Learner) -> None:
    """Copies the state, but not what is in it."""
    probe = learner.define(_PROBE, "probe")
    found = probe(learner.name("make_scope"))
    if found != (True, True):
        got = "the server's own dictionary" if not found[0] else "copies of the objects in it"
        fail(
            "make_scope(…, state={'pool': pool})['state']", got,
            "a new dictionary with the same objects in it",
            why="ASGI Lifespan, Lifespan State: a shallow copy for each request",
            nudge="What one request writes into its state, no other may see. A pool is for all.",
        )  # fmt: skip


_PROBE = """
def probe(make_scope):
    pool = []
    state = {"pool": pool}
    args = (b"GET", b"/", (1, 1)), [], ("127.0.0.1", 1), ("127.0.0.1", 2), state
    first, second = make_scope(*args)["state"], make_scope(*args)["state"]
    first["user"] = "ann"
    return "user" not in state and "user" not in second, second["pool"] is pool
"""
