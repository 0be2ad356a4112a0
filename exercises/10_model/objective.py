"""The capstone: a slow service, brought under its objective.

This service works. Every answer is right, and nobody complained as long as there was one client at
a time. With sixteen it answers about as many requests a second as with one, its health check takes
as long as the queue is, and the platform restarts it.

`model` is slow in a usual way: each *call* takes about 20 ms of processor time, however many rows
are in it, and each row 0.1 ms more. It holds the GIL all the time, and it must not be called by two
threads at once. `model(rows)` takes a list of at most 64 numbers and returns a list of as many
scores. If there are more, or one that it cannot score, it raises ValueError.

Your version is measured against this one, in the same minute, on the same machine, in rounds that
take turns. The objective, each number as a ratio to the service as it is here:

1. The same answers: GET /score/7 is 200 and {"row": 7, "score": …}, also with many at once, and
   each prediction is made by the model when it is asked for: nothing is kept for later.
2. At least 3 times as many answers a second, with 16 clients that each wait for their answer.
3. The median answer of /health, while a crowd is served, takes at most half as long.
4. A client who is alone waits at most 3 times as long.
5. What the model raises is a 500 for a request of that call. All of them are answered, one way or
   the other, and so is whoever comes next.

The rules: one process, and `make_app(model)` returns an ASGI application, with FastAPI or without.
"""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI


def make_app(model: Callable[[list[int]], list[int]]) -> Any:
    """Return the application."""
    app = FastAPI()

    @app.get("/score/{row}")
    async def score(row: int) -> dict[str, int]:
        return {"row": row, "score": model([row])[0]}

    @app.get("/health")
    async def health() -> str:
        return "ok"

    return app
