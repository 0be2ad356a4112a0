"""Grader of stay-handshake: RFC 6455 §4.2, from the example of the RFC to the stranger's page."""

import base64
import hashlib
from typing import Any

from playground.grading import Learner, fail, short

NAME = "handshake"
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
UPGRADE = {b"upgrade": b"websocket", b"connection": b"Upgrade"}
Fields = list[tuple[str, bytes]]


def request(**changed: bytes | list[bytes] | None) -> Fields:
    """Return the fields of a good request; an argument replaces one, doubles it, or removes it."""
    found: dict[str, Any] = {
        "host": b"a.example", "upgrade": b"websocket", "connection": b"Upgrade",
        "sec-websocket-key": KEY, "sec-websocket-version": b"13",
    }  # fmt: skip
    for name, value in changed.items():
        long = name in ("key", "version", "protocol", "extensions")
        found[f"sec-websocket-{name}" if long else name] = value
    fields = []
    for name, value in found.items():
        values = value if isinstance(value, list) else [] if value is None else [value]
        fields += [(name, one) for one in values]
    return fields


def answers(
    learner: Learner, fields: Fields, status: int, expected: dict[bytes, bytes], *,
    why: str, nudge: str, protocols: tuple[bytes, ...] = (), origins: list[bytes] | None = None,
    method: bytes = b"GET", version: tuple[int, int] = (1, 1),
) -> None:  # fmt: skip
    """Fail unless the answer has this status and these fields (names in lower case)."""
    more = () if origins is None else (origins,)
    outcome = learner.expect(NAME, method, version, fields, list(protocols), *more)
    text = f"({status}, {short(list(expected.items()), 400)}), in any order"
    outcome.called = f"{NAME}({method!r}, {version}, {fields}, {list(protocols)}"
    outcome.called += ")" if origins is None else f", {origins})"
    form = "(status, [(name, value), …]): a whole number, and pairs of bytes"
    got = outcome.satisfies(is_answer, form, why=why, nudge="A tuple of int and list.")
    named = sorted((name.lower(), value) for name, value in got[1])
    if got[0] != status or named != sorted(expected.items()):
        fail(outcome.called, f"returned {short(got, 400)}", text, why=why, nudge=nudge)


def is_answer(value: Any) -> bool:
    """Tell whether it has the form of an answer."""
    if type(value) is not tuple or len(value) != 2 or type(value[0]) is not int:
        return False
    return type(value[1]) is list and all(
        type(pair) is tuple and len(pair) == 2 and all(type(part) is bytes for part in pair)
        for pair in value[1]
    )


def accepted(key: bytes = KEY, protocol: bytes | None = None) -> dict[bytes, bytes]:
    """The fields of a 101."""
    digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    fields = {**UPGRADE, b"sec-websocket-accept": base64.b64encode(digest)}
    return fields if protocol is None else {**fields, b"sec-websocket-protocol": protocol}


def check_example(learner: Learner) -> None:
    """Answers the example of the RFC with 101 and the right accept value."""
    answers(
        learner, request(), 101, accepted(),
        why="RFC 6455 §4.2.2: the base64 of the SHA-1 of the key and the GUID",
        nudge="The key is hashed as text, with the GUID behind it; digest(), not hexdigest().",
    )  # fmt: skip
    for key in (
        b"AAAAAAAAAAAAAAAAAAAAAA==",
        b"//////////////////////==",
        b"+/x8YZabc019+/x8YZab1g==",
    ):
        answers(
            learner, request(key=key, extensions=b"permessage-deflate", origin=b"https://a.example"),
            101, accepted(key),
            why="RFC 6455 §4.2.2, §9.1: another key, another proof; an extension is used only if"
            " the server says so, and without `origins` every page may connect",
            nudge="Nothing of the answer depends on other fields than the key.",
        )  # fmt: skip


def check_lists(learner: Learner) -> None:
    """Reads Upgrade and Connection as lists, in any case."""
    for changed in (
        {"connection": b"keep-alive, Upgrade"}, {"connection": b"upgrade"},
        {"connection": b"UPGRADE\t,close"}, {"connection": [b"keep-alive", b"Upgrade"]},
        {"upgrade": b"WebSocket"}, {"upgrade": b"h2c, websocket"},
        {"upgrade": [b"h2c", b"websocket"]},
    ):  # fmt: skip
        answers(
            learner, request(**changed), 101, accepted(),
            why="RFC 9110 §7.6.1, §7.8: comma-separated lists whose words ignore case; Firefox"
            " sends `Connection: keep-alive, Upgrade`",
            nudge="Join the values, split at the commas, strip, compare in lower case.",
        )  # fmt: skip


def check_no_upgrade(learner: Learner) -> None:
    """Answers 400 to what is no request for a WebSocket."""
    nudge = "GET, 1.1 or later, one Host, and a whole word in each of the two lists."
    why = "RFC 6455 §4.2.1: a GET of HTTP/1.1 or higher with Host, Upgrade and Connection"
    for changed in (
        {"upgrade": None}, {"upgrade": b"h2c"}, {"upgrade": b"websockets"},
        {"upgrade": b"web socket"}, {"upgrade": b"websocketX"}, {"upgrade": b"Xwebsocket"},
        {"connection": None}, {"connection": b"keep-alive"}, {"connection": b"upgraded"},
        {"connection": b"no upgrade"}, {"connection": b"\xa0upgrade"}, {"host": None},
        {"upgrade": b"\x0bwebsocket"}, {"host": [b"a.example", b"b.example"]}, {"upgrade": b""},
    ):  # fmt: skip
        answers(learner, request(**changed), 400, {}, why=why, nudge=nudge)
    for method in (b"POST", b"get", b"HEAD", b"CONNECT"):
        answers(learner, request(), 400, {}, method=method, why=why, nudge=nudge)
    for version in ((1, 0), (0, 9)):
        answers(learner, request(), 400, {}, version=version, why=why, nudge=nudge)
    for version in ((1, 2), (2, 0)):
        answers(learner, request(), 101, accepted(), version=version, why=why, nudge=nudge)


def check_version(learner: Learner) -> None:
    """Answers 426 to another version, and says which one would do."""
    expected = {**UPGRADE, b"sec-websocket-version": b"13"}
    for version in (
        b"8",
        b"14",
        None,
        [b"13", b"13"],
        [b"13", b"8"],
        b"13, 8",
        b"",
        b"013",
        b"+13",
    ):
        for key in (KEY, None):
            answers(
                learner, request(version=version, key=key), 426, expected,
                why="RFC 6455 §4.2.2 and §4.4: name the version that you speak; RFC 9110 §15.5.22:"
                " a 426 has an Upgrade field, and §7.8: Connection names it",
                nudge="Look at the version before the key: another one may have another key.",
            )  # fmt: skip
    answers(
        learner, request(version=b"8", upgrade=None), 400, {},
        why="RFC 6455 §4.2.1: what asks for no WebSocket has no version of it",
        nudge="The rules apply in the order of the docstring.",
    )  # fmt: skip


def check_key(learner: Learner) -> None:
    """Answers 400 to a key that is missing, double, or not 16 bytes in base64."""
    for key in (
        None, b"", [KEY, KEY], b"hello", KEY[:-1], KEY + b"=", KEY[:-4] + b"====",
        base64.b64encode(bytes(15)), base64.b64encode(bytes(17)), base64.b64encode(bytes(18)),
        b"dGhlIHNhbXBsZSBub25jZ!==", b"dGhlIHNhbXBs ZSBub25jZQ==", b"dGhlIHNhbXBsZSBub25j_Q==",
        KEY + b"\n", [KEY, b"hello"], b"dGhlIHNhbXBsZSBub25jZQA=", base64.b16encode(bytes(16)),
    ):  # fmt: skip
        answers(
            learner, request(key=key), 400, {},
            why="RFC 6455 §4.2.1: a base64-encoded value that, when decoded, is 16 bytes in length",
            nudge="b64decode() skips what is no base64. A pattern does not.",
        )  # fmt: skip


def check_protocol(learner: Learner) -> None:
    """Chooses the client's favourite among the subprotocols that the app speaks."""
    spoken = (b"chat", b"superchat", b"graphql-ws")
    for offered, chosen in (
        (b"chat", b"chat"), (b"superchat, chat", b"superchat"),
        (b"soap,\tgraphql-ws ,chat", b"graphql-ws"),
        ([b"soap", b"superchat", b"chat"], b"superchat"), (b"soap", None), (b"Chat", None),
        (b"chats", None), (None, None), (b"", None), (b"superchat chat", None),
    ):  # fmt: skip
        answers(
            learner, request(protocol=offered), 101, accepted(protocol=chosen), protocols=spoken,
            why="RFC 6455 §4.2.2, §11.3.4: one of the client's, in its order, or no field at all; a"
            " client that is answered with a protocol it did not offer must fail the connection",
            nudge="Go through the client's list, not through yours. No match is no error.",
        )  # fmt: skip
    answers(
        learner, request(protocol=b"chat"), 101, accepted(),
        why="RFC 6455 §4.2.2: absent if the server does not agree to any",
        nudge="An app that speaks no subprotocol chooses none.",
    )  # fmt: skip


def check_origin(learner: Learner) -> None:
    """Answers 403 to the page of a stranger."""
    allowed = [b"https://shop.example", b"http://localhost:8888"]
    why = "RFC 6455 §10.2: a page of any origin can open a WebSocket to you, cookies included; only"
    why += " the server can refuse it"
    for origin in (*allowed, None):
        answers(
            learner, request(origin=origin), 101, accepted(), origins=allowed, why=why,
            nudge="Programs that are no browser send no Origin, and may connect.",
        )  # fmt: skip
    for origin in (
        b"https://evil.example", b"https://shop.example.evil.example", b"http://shop.example",
        b"null", b"https://shop.exampl", b"https://shop.example:8443", b"", b"https://SHOP.example",
        [b"https://shop.example", b"https://evil.example"],
        [b"https://evil.example", b"https://shop.example"],
    ):  # fmt: skip
        answers(
            learner, request(origin=origin), 403, {}, origins=allowed, why=why,
            nudge="Byte for byte: the beginning of a name is another name.",
        )  # fmt: skip
    answers(learner, request(origin=b"https://shop.example"), 403, {}, origins=[], why=why,
            nudge="An empty list means that no page may; None means that all may.")  # fmt: skip
    for changed, status in (({"key": b"x"}, 400), ({"upgrade": b"x"}, 400)):
        answers(
            learner, request(origin=b"https://evil.example", **changed), status, {},
            origins=allowed,
            why="RFC 6455 §4.2.2: the origin is looked at when the request is in order",
            nudge="The rules apply in the order of the docstring.",
        )  # fmt: skip
