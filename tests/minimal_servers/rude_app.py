"""Applications that do it wrong: the path says how. What is alive is told, also at the very end."""

import asyncio
import json
import os
from importlib import import_module
from typing import Any

Message = dict[str, Any]
Script = list[Any]  # messages to send; an exception is raised, and LISTEN and FOR_EVER are awaited

LISTEN, FOR_EVER = "listen", "for ever"
START: Message = {"type": "http.response.start", "status": 200, "headers": []}
BODY: Message = {"type": "http.response.body", "body": b"soup"}
MORE = BODY | {"more_body": True}
ACCEPT: Message = {"type": "websocket.accept"}
CLOSE: Message = {"type": "websocket.close"}
TEXT: Message = {"type": "websocket.send", "text": "soup"}
GARBAGE: dict[str, Any] = {
    "nothing": None,
    "a-word": "nonsense",
    "no-type": {},
    "type-of-5": {"type": 5},
    "no-such-type": {"type": "nonsense"},
}

HTTP: dict[str, Script] = {
    **{f"garbage/{name}": [what] for name, what in GARBAGE.items()},
    "garbage/later": [START, MORE, None],
    "garbage/later-body": [START, MORE, BODY | {"body": "text"}],
    "order/body-first": [BODY],
    "order/start-twice": [START, START],
    "order/start-in-the-middle": [START, MORE, START],
    "order/accept": [ACCEPT],
    "after/body": [START, BODY, BODY],
    "after/start": [START, BODY, START],
    "after/raise": [START, BODY, ValueError("meant")],
    "after/exit": [START, BODY, SystemExit(7)],
    "never/returns": [],
    "never/raises": [ValueError("meant")],
    "never/exits": [SystemExit(7)],
    "never/listens": [LISTEN],
    "never/only-starts": [START],
    "never/ends": [START, MORE],
    "never/ends-and-raises": [START, MORE, ValueError("meant")],
    "never/enough": [START | {"headers": [(b"content-length", b"9")]}, BODY],
    "never/too-much": [START | {"headers": [(b"content-length", b"2")]}, BODY],
    "never/answers": [FOR_EVER],
    "never/is-done": [START, BODY, FOR_EVER],
    "reads": [LISTEN, LISTEN, START, BODY],
    "leaves": [LISTEN, LISTEN],
    "soup": [START, BODY],
}
SOCKETS: dict[str, Script] = {
    **{f"garbage/{name}": [LISTEN, ACCEPT, what] for name, what in GARBAGE.items()},
    **{f"garbage/{name}/first": [LISTEN, what] for name, what in GARBAGE.items()},
    "garbage/empty": [LISTEN, ACCEPT, {"type": "websocket.send"}],
    "garbage/both": [LISTEN, ACCEPT, TEXT | {"bytes": b"soup"}],
    "garbage/no-unicode": [LISTEN, ACCEPT, TEXT | {"text": "\ud800"}],
    "garbage/no-text": [LISTEN, ACCEPT, TEXT | {"text": 5}],
    "garbage/code": [LISTEN, ACCEPT, CLOSE | {"code": 1015}],
    "garbage/subprotocol": [LISTEN, ACCEPT | {"subprotocol": "never offered"}],
    "garbage/headers": [LISTEN, ACCEPT | {"headers": [(b"x", b"a\r\nb: c")]}],
    "order/text-first": [LISTEN, TEXT],
    "order/accept-twice": [LISTEN, ACCEPT, ACCEPT],
    "order/start": [LISTEN, ACCEPT, START],
    "after/text": [LISTEN, ACCEPT, CLOSE, TEXT],
    "after/accept": [LISTEN, ACCEPT, CLOSE, ACCEPT],
    "after/raise": [LISTEN, ACCEPT, CLOSE, ValueError("meant")],
    "never/accepts": [LISTEN],
    "never/accepts-and-raises": [LISTEN, ValueError("meant")],
    "never/goes-on": [LISTEN, ACCEPT],
    "never/goes-on-and-raises": [LISTEN, ACCEPT, ValueError("meant")],
    "never/answers": [LISTEN, FOR_EVER],
    "never/is-done": [LISTEN, ACCEPT, FOR_EVER],
    "reads": [LISTEN, ACCEPT, LISTEN, LISTEN],
}


async def app(scope: Message, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        return await live(receive, send)
    path = scope["path"].strip("/")
    if path == "alive":
        await send(START)
        return await send(BODY | {"body": json.dumps(alive()).encode()})
    if path.startswith("say/"):
        return await import_module("asgi_app").serve_say(scope, receive, send, [])
    for step in (HTTP if scope["type"] == "http" else SOCKETS)[path]:
        if isinstance(step, BaseException):
            raise step
        if step is LISTEN:
            await receive()
        elif step is FOR_EVER:
            await asyncio.Event().wait()
        else:
            await send(step)


async def live(receive: Any, send: Any) -> None:
    """The process's own conversation; at its end nobody else is there."""
    await receive()
    await send({"type": "lifespan.startup.complete"})
    before = alive()
    await receive()
    await asyncio.sleep(0)  # what was aborted in this round is closed in the next one
    with open(os.environ["ENDED"], "w") as file:
        json.dump([before, alive()], file)
    await send({"type": "lifespan.shutdown.complete"})


def alive() -> tuple[int, int]:
    """(tasks, open files)."""
    return len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd"))
