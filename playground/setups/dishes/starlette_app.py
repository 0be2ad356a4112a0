"""The dishes in Starlette (ASGI)."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from playground.setups.apps import COUNTS, EVENTS, aside, number, pace
from playground.setups.dishes import loops, work
from playground.setups.dishes.work import MOST_MS, MOST_S

JSON = "application/json"


async def hello(request: Request) -> Response:
    """Thirteen bytes at once."""
    return PlainTextResponse("Hello, world!")


async def cpu(request: Request) -> Response:
    """Computes in pure Python, on the loop's own thread unless told otherwise."""
    asked = number(request.url.query, "ms", 50.0, MOST_MS)
    return PlainTextResponse(await loops.compute(in_pool(request), work.compute, asked))


async def native(request: Request) -> Response:
    """Computes in C, on the loop's own thread unless told otherwise."""
    asked = number(request.url.query, "ms", 50.0, MOST_MS)
    return PlainTextResponse(await loops.compute(in_pool(request), work.native, asked))


async def waiting(request: Request) -> Response:
    """Waits, and leaves the loop to others meanwhile."""
    return PlainTextResponse(await loops.wait(number(request.url.query, "s", 0.1, MOST_S)))


async def upstream(request: Request) -> Response:
    """Asks another service."""
    asked = number(request.url.query, "s", 0.1, MOST_S)
    return Response(await loops.fetch(asked), media_type=JSON)


async def database(request: Request) -> Response:
    """A report from a database."""
    return Response(await loops.query(), media_type=JSON)


async def hybrid(request: Request) -> Response:
    """Asks another service, then computes."""
    waited = number(request.url.query, "s", 0.1, MOST_S)
    computed = number(request.url.query, "ms", 50.0, MOST_MS)
    return PlainTextResponse(await loops.hybrid(waited, computed, in_pool(request)))


async def events(request: Request) -> Response:
    """Server-sent events: each stream is a task."""
    stream, headers = loops.events(*pace(request.url.query)), {"Cache-Control": "no-store"}
    return StreamingResponse(stream, media_type=EVENTS, headers=headers)


async def predict(request: Request) -> Response:
    """Which digit a picture shows: on the loop's own thread unless told otherwise."""
    body, model = await request.body(), request.query_params.get("model", "sklearn")
    answer = await loops.compute(in_pool(request), work.predict, body, model)
    return Response(answer, media_type=JSON)


async def beside(request: Request) -> Response:
    """Answers at once, if the loop lets it."""
    return PlainTextResponse(aside(request.url.path))


async def ws(socket: WebSocket) -> None:
    """Says back what it hears."""
    await socket.accept()
    COUNTS["sockets"] += 1
    try:
        async for said in socket.iter_text():
            await socket.send_text(said)
    finally:
        COUNTS["sockets"] -= 1


async def unanswerable(request: Request, error: Exception) -> Response:
    """What is wrong with the request."""
    return JSONResponse({"detail": str(error)}, 400)


def in_pool(request: Request) -> bool:
    """Whether a thread shall compute."""
    return number(request.url.query, "pool", 0.0, 1.0) > 0


app = Starlette(
    routes=[
        Route("/hello", hello),
        Route("/cpu", cpu),
        Route("/native", native),
        Route("/waiting", waiting),
        Route("/upstream", upstream),
        Route("/database", database),
        Route("/hybrid", hybrid),
        Route("/events", events),
        Route("/predict", predict, methods=["POST"]),
        Route("/health", beside),
        Route("/counts", beside),
        WebSocketRoute("/ws", ws),
    ],
    exception_handlers={work.Unanswerable: unanswerable},
)

work.get_ready()
