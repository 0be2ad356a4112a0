"""The dishes without a framework (ASGI 3.0)."""

import json
from http import HTTPStatus
from urllib.parse import parse_qs

from playground.setups import async_apps
from playground.setups.apps import TEXT
from playground.setups.async_apps import Receive, Scope, Send, number
from playground.setups.dishes import loops, work
from playground.setups.dishes.work import MOST_MS, MOST_S

JSON = "application/json"
BODY_LIMIT = 1 << 20  # bytes


async def cpu(scope: Scope, receive: Receive, send: Send) -> None:
    """Computes in pure Python, on the loop's own thread unless told otherwise."""
    asked = number(scope, "ms", 50.0, MOST_MS)
    rounds = await loops.compute(in_pool(scope), work.compute, asked)
    await answer(send, rounds.encode(), TEXT)


async def native(scope: Scope, receive: Receive, send: Send) -> None:
    """Computes in C, on the loop's own thread unless told otherwise."""
    asked = number(scope, "ms", 50.0, MOST_MS)
    blocks = await loops.compute(in_pool(scope), work.native, asked)
    await answer(send, blocks.encode(), TEXT)


async def upstream(scope: Scope, receive: Receive, send: Send) -> None:
    """Asks another service."""
    await answer(send, await loops.fetch(number(scope, "s", 0.1, MOST_S)), JSON)


async def database(scope: Scope, receive: Receive, send: Send) -> None:
    """A report from a database."""
    await answer(send, await loops.query(), JSON)


async def hybrid(scope: Scope, receive: Receive, send: Send) -> None:
    """Asks another service, then computes."""
    waited, computed = number(scope, "s", 0.1, MOST_S), number(scope, "ms", 50.0, MOST_MS)
    rounds = await loops.hybrid(waited, computed, in_pool(scope))
    await answer(send, rounds.encode(), TEXT)


async def predict(scope: Scope, receive: Receive, send: Send) -> None:
    """Which digit a picture shows: on the loop's own thread unless told otherwise."""
    if scope["method"] != "POST":
        await refuse(send, HTTPStatus.METHOD_NOT_ALLOWED, "POST a picture.")
        return
    body = await body_of(receive)
    model = parse_qs(scope["query_string"].decode("latin-1")).get("model", ["sklearn"])[0]
    try:
        digit = await loops.compute(in_pool(scope), work.predict, body, model)
    except work.Unanswerable as error:
        await refuse(send, HTTPStatus.BAD_REQUEST, str(error))
    else:
        await answer(send, digit, JSON)


DISHES: dict[str, async_apps.Application] = {
    "/hello": async_apps.hello,
    "/cpu": cpu,
    "/native": native,
    "/waiting": async_apps.slow,
    "/upstream": upstream,
    "/database": database,
    "/hybrid": hybrid,
    "/events": async_apps.events,
    "/predict": predict,
}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Whatever stands on the menu; a WebSocket at any path says back what it hears."""
    if scope["type"] == "websocket":
        await async_apps.ws(scope, receive, send)
    else:
        await requests(scope, receive, send)


@async_apps.for_http
async def requests(scope: Scope, receive: Receive, send: Send) -> None:
    """One dish."""
    dish = DISHES.get(scope["path"])
    if dish is None:
        await refuse(send, HTTPStatus.NOT_FOUND, f"There are {', '.join(DISHES)}.")
    else:
        await dish(scope, receive, send)


def in_pool(scope: Scope) -> bool:
    """Whether a thread shall compute."""
    return number(scope, "pool", 0.0, 1.0) > 0


async def body_of(receive: Receive) -> bytes:
    """The request's body; what is more than the limit is not read."""
    body, more = b"", True
    while more and len(body) < BODY_LIMIT:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def refuse(send: Send, status: HTTPStatus, why: str) -> None:
    """An error, and a sentence about it as JSON."""
    await answer(send, json.dumps({"detail": why}).encode(), JSON, status)


async def answer(
    send: Send, body: bytes, content_type: str, status: HTTPStatus = HTTPStatus.OK
) -> None:
    """A whole response."""
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status.value, "headers": headers})
    await send({"type": "http.response.body", "body": body})


work.get_ready()
