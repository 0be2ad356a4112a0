"""The dishes in FastAPI (ASGI): every endpoint is ``async def``, so what computes holds the loop.

Parameters are declared, and FastAPI answers 422 to those that are out of bounds.
"""

from typing import Annotated

from fastapi import FastAPI, Query, Request, WebSocket, WebSocketDisconnect
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from pydantic import BaseModel, Field

from playground.setups.apps import COUNTS, EVENTS, MOST_EVENTS, aside
from playground.setups.dishes import loops, work
from playground.setups.dishes.models import PIXELS
from playground.setups.dishes.work import MOST_MS, MOST_S

app = FastAPI(default_response_class=PlainTextResponse)
JSON = "application/json"

Seconds = Annotated[float, Query(ge=0, le=MOST_S)]
Milliseconds = Annotated[float, Query(ge=0, le=MOST_MS)]
Pixel = Annotated[float, Field(ge=0, le=16)]


class Picture(BaseModel):
    """8 × 8 pixels, row by row."""

    pixels: Annotated[list[Pixel], Field(min_length=PIXELS, max_length=PIXELS)]


@app.get("/hello")
async def hello() -> str:
    """Thirteen bytes at once."""
    return "Hello, world!"


@app.get("/cpu")
async def cpu(ms: Milliseconds = 50.0, pool: bool = False) -> str:
    """Computes in pure Python, on the loop's own thread unless told otherwise."""
    return await loops.compute(pool, work.compute, ms)


@app.get("/native")
async def native(ms: Milliseconds = 50.0, pool: bool = False) -> str:
    """Computes in C, on the loop's own thread unless told otherwise."""
    return await loops.compute(pool, work.native, ms)


@app.get("/waiting")
async def waiting(s: Seconds = 0.1) -> str:
    """Waits, and leaves the loop to others meanwhile."""
    return await loops.wait(s)


@app.get("/upstream")
async def upstream(s: Seconds = 0.1) -> Response:
    """Asks another service."""
    return Response(await loops.fetch(s), media_type=JSON)


@app.get("/database")
async def database() -> Response:
    """A report from a database."""
    return Response(await loops.query(), media_type=JSON)


@app.get("/hybrid")
async def hybrid(s: Seconds = 0.1, ms: Milliseconds = 50.0, pool: bool = False) -> str:
    """Asks another service, then computes."""
    return await loops.hybrid(s, ms, pool)


@app.get("/events")
async def events(
    s: Annotated[float, Query(ge=0, le=5)] = 0.1,
    n: Annotated[int, Query(ge=0, le=MOST_EVENTS)] = 0,
) -> Response:
    """Server-sent events: each stream is a task."""
    stream, headers = loops.events(s, n or MOST_EVENTS), {"Cache-Control": "no-store"}
    return StreamingResponse(stream, media_type=EVENTS, headers=headers)


@app.post("/predict")
async def predict(picture: Picture, model: str = "sklearn", pool: bool = False) -> Response:
    """Which digit a picture shows: on the loop's own thread unless told otherwise."""
    answer = await loops.compute(pool, work.classified, picture.pixels, model)
    return Response(answer, media_type=JSON)


@app.get("/health")
@app.get("/counts")
async def beside(request: Request) -> Response:
    """Answers at once, if the loop lets it."""
    return PlainTextResponse(aside(request.url.path))


@app.websocket("/ws")
async def ws(socket: WebSocket) -> None:
    """Says back what it hears."""
    await socket.accept()
    COUNTS["sockets"] += 1
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        pass
    finally:
        COUNTS["sockets"] -= 1


@app.exception_handler(RequestValidationError)
async def invalid(request: Request, error: RequestValidationError) -> Response:
    """What is wrong with each part, without the part itself: NaN cannot be said in JSON."""
    told = [{"loc": part["loc"], "msg": part["msg"]} for part in error.errors()]
    return JSONResponse({"detail": told}, 422)


@app.exception_handler(work.Unanswerable)
async def unanswerable(request: Request, error: work.Unanswerable) -> Response:
    """What is wrong with the request."""
    return JSONResponse({"detail": str(error)}, 400)


work.get_ready()
