"""A small site in FastAPI (which is Starlette): the same visits as everywhere, and WebSockets."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from fastapi import BackgroundTasks, FastAPI, HTTPException, Request, WebSocket
from fastapi.responses import PlainTextResponse, RedirectResponse, StreamingResponse
from starlette.websockets import WebSocketDisconnect

done: list[str] = []  # what background tasks have done


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
    yield {"greeting": "hello"}


app = FastAPI(lifespan=lifespan)


@app.get("/", response_class=PlainTextResponse)
async def index(request: Request, name: str = "nobody") -> str:
    return f"{request.state.greeting} {name} at {request.url.netloc}"


@app.get("/thread", response_class=PlainTextResponse)
def thread(name: str) -> str:
    """In a thread of the pool, since it is not async."""
    return name


@app.post("/upload")
async def upload(request: Request) -> dict[str, Any]:
    """A body of any size, never held as a whole."""
    digest, size = hashlib.sha256(), 0
    async for piece in request.stream():
        digest.update(piece)
        size += len(piece)
    return {"sha256": digest.hexdigest(), "size": size}


@app.post("/json", status_code=HTTPStatus.CREATED)
async def take_json(got: dict[str, Any]) -> dict[str, Any]:
    return {"got": got}


@app.get("/stream")
async def stream() -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        for number in range(5):
            yield f"/stream {number}\n"

    return StreamingResponse(lines(), media_type="text/plain")


@app.get("/events")
async def events() -> StreamingResponse:
    """Server-sent events without an end; ``done`` tells that the stream was let go."""

    async def lines() -> AsyncIterator[str]:
        try:
            for number in range(1_000_000):
                yield f"data: {number}\n\n"
                await asyncio.sleep(0.001)
        finally:
            done.append("events")

    return StreamingResponse(lines(), media_type="text/event-stream")


@app.post("/background")
async def background(name: str, tasks: BackgroundTasks) -> str:
    tasks.add_task(done.append, name)
    return "later"


@app.get("/done")
async def get_done() -> list[str]:
    return done


@app.get("/away")
async def away() -> RedirectResponse:
    return RedirectResponse("/?name=redirected")


@app.get("/teapot")
async def teapot() -> None:
    raise HTTPException(HTTPStatus.IM_A_TEAPOT, "short and stout")


@app.get("/fails")
async def fails() -> None:
    raise RuntimeError("as the test wanted")


@app.get("/café/{name}", response_class=PlainTextResponse)
async def cafe(name: str) -> str:
    return name


@app.websocket("/chat")
async def chat(socket: WebSocket) -> None:
    await socket.accept()
    try:
        while True:
            await socket.send_text(json.dumps({"heard": await socket.receive_text()}))
    except WebSocketDisconnect as error:
        done.append(f"chat {error.code}")
