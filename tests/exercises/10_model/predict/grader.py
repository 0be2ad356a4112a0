"""Grader of model-predict: every morning is run on real servers, and nothing is known here."""

from __future__ import annotations

import json
import os
import select
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from playground.grading import Learner
from playground.grading.house import House, hold_against, predictions, request
from playground.load.burst import burst
from playground.patience import at_rest
from playground.setups.server import Server, serve

PATIENCE_S = 30.0  # stops a hang
QUIET = 5  # looks in a row
WORKERS, GUESTS = 3, 6
HOUSES = {
    "import": ("gunicorn-sync", [], "wsgi"),
    "preload": ("gunicorn-sync", ["--preload"], "wsgi"),
    "lifespan": ("gunicorn-asgi", ["--preload"], "lifespan"),
    "spawn": ("uvicorn-workers", ["--timeout-worker-healthcheck=30"], "asgi"),
}
VALUES = 7


def values() -> list[Any]:
    """What the models say."""
    import numpy as np

    scalars = [np.float64(0.5), np.float64("nan"), np.float32(0.5), np.int64(3), np.bool_(True)]
    return [*scalars, np.str_("seven"), np.array([1, 2])]


def check_a_and_b(learner: Learner) -> None:
    """Mornings A and B: seven types and two bodies for Flask and FastAPI."""
    plans = {"A Flask": "/plain", "A FastAPI": "/plain", "A tolist": "/tolist"}
    bodies = {"list": [1, 2], "object": {"features": [1, 2]}}
    names = ("Flask", "FastAPI")
    types = predictions(learner, list(plans))
    shapes = predictions(learner, [f"B {name} {kind}" for name in names for kind in bodies])
    with frameworks() as (flask, fastapi):
        measured, seen = {}, []
        for key, path in plans.items():
            server = flask if key == "A Flask" else fastapi
            mix = [(f"{path}/{number}", 1) for number in range(VALUES)]
            statuses = [reply.status for reply in burst(server, mix, show=False).replies]
            measured[key] = statuses.count(200)
            seen.append(f"{key[2:]}: {' '.join(map(str, statuses))}")
        hold_against(
            types, measured, called="seven predictions, {'prediction': value}",
            seen="; ".join(seen), why="json knows Python's types, their subclasses, nothing else",
        )  # fmt: skip
        measured = {
            f"B {name} {kind}": posted(server, body)
            for name, server in zip(names, (flask, fastapi), strict=True)
            for kind, body in bodies.items()
        }
    hold_against(
        shapes, measured, called="POST /predict with [1, 2], and with {'features': [1, 2]}",
        seen="the statuses", why="a lone list parameter of FastAPI is the whole body",
    )  # fmt: skip


def posted(server: Server, body: object) -> int:
    """The status of /predict with this body."""
    headers = {"Content-Type": "application/json"}
    run = burst(
        server, 1, "/predict", method="POST", body=json.dumps(body), headers=headers, show=False
    )
    return run.replies[0].status or 0


def check_c(learner: Learner) -> None:
    """Morning C: who loads the model?"""
    predicted = predictions(learner, [f"C {name}" for name in HOUSES])
    with ThreadPoolExecutor(2) as pool:
        loaders = dict(zip(HOUSES, pool.map(loads, HOUSES), strict=True))
    hold_against(
        predicted, {f"C {name}": len(pids) for name, pids in loaders.items()},
        called=f"four servers with {WORKERS} workers", seen="each process that loads is noted",
        why="what happens before fork(2) happens once; a lifespan is that of one worker",
    )  # fmt: skip


def check_d(learner: Learner) -> None:
    """Morning D: `async def` and `def`, with a predict that blocks."""
    keys = [f"D {kind} {what}" for kind in ("async", "def") for what in ("inside", "health")]
    predicted = predictions(learner, keys)
    measured = {}
    for kind, app in (("async", blocking_coroutine), ("def", blocking_function)):
        with House(1, 1, "uvicorn", app) as house:
            for number in range(GUESTS):
                house.come(f"guest{number}")
            house.settle()
            with house.connect(request("health")) as client:
                house.settle()
                measured[f"D {kind} inside"] = len(house.inside)
                measured[f"D {kind} health"] = len(select.select([client], [], [], 0)[0])
    hold_against(
        predicted, measured, called=f"uvicorn, {GUESTS} requests at once, then /health",
        seen="nobody else could come in", why="a coroutine that blocks holds the only thread",
    )  # fmt: skip


class frameworks:
    """Flask and FastAPI, each in a server of its own: a context manager."""

    def __enter__(self) -> tuple[Server, Server]:
        self.flask = serve("gunicorn-sync", Flasks(), trace=False)
        try:
            self.fastapi = serve("uvicorn", FastAPIs(), trace=False)
        except BaseException:
            self.flask.stop()
            raise
        return self.flask, self.fastapi

    def __exit__(self, *_: object) -> None:
        self.flask.stop()
        self.fastapi.stop()


def loads(name: str) -> set[str]:
    """The processes that load the model before everything is at rest."""
    setup, options, kind = HOUSES[name]
    with tempfile.TemporaryDirectory() as folder:
        note = Path(folder, "loads")
        note.touch()
        app = (
            Lifespan(note)
            if kind == "lifespan"
            else Loads(note)
            if kind == "wsgi"
            else ALoads(note)
        )
        with serve(setup, app, workers=WORKERS, trace=False, options=options) as server:
            quiet, limit = 0, time.monotonic() + PATIENCE_S
            while quiet < QUIET and time.monotonic() < limit:
                there = [one for one in server.processes() if one.role == "worker"]
                quiet = quiet + 1 if len(there) == WORKERS and at_rest(server.pids()) else 0
                time.sleep(0.05)
            return set(note.read_text().split())


# ---- the apps, which are made anew in each process that imports them ---------------------------


class Loads:
    """A WSGI application that notes who has imported it."""

    def __init__(self, note: Path) -> None:
        self.note = str(note)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.load()

    def load(self) -> None:
        """Load the model, which is a line in a file."""
        with open(self.note, "a") as file:
            file.write(f"{os.getpid()}\n")

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "1")])
        return [b"."]


class ALoads(Loads):
    """The same for ASGI."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # type: ignore[override]
        if scope["type"] == "lifespan":
            await self.lifespan(receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"."})

    async def lifespan(self, receive: Any, send: Any) -> None:
        """Nothing to do."""
        for what in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{what}.complete"})


class Lifespan(ALoads):
    """Loads in the lifespan."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    async def lifespan(self, receive: Any, send: Any) -> None:
        """Load at startup."""
        self.load()
        await super().lifespan(receive, send)


class Flasks:
    """The endpoints in Flask."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        from flask import Flask, jsonify, request

        app, found = Flask("morning"), values()

        @app.get("/plain/<int:number>")
        def plain(number: int) -> Any:
            return jsonify({"prediction": found[number]})

        @app.post("/predict")
        def predict() -> Any:
            return jsonify({"prediction": sum(request.json["features"])})

        self.app = app

    def __getstate__(self) -> dict[str, Any]:
        return {"made": "there"}

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self.app(environ, start_response)


class FastAPIs:
    """The endpoints in FastAPI."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        from fastapi import FastAPI

        app, found = FastAPI(), values()

        async def plain(number: int):  # type: ignore[no-untyped-def]
            return {"prediction": found[number]}

        async def tolist(number: int):  # type: ignore[no-untyped-def]
            return {"prediction": found[number].tolist()}

        async def predict(features):  # type: ignore[no-untyped-def]
            return {"prediction": sum(features)}

        for function in (plain, tolist):  # annotations of this module are text, so they are set
            function.__annotations__["number"] = int
            app.get(f"/{function.__name__}/{{number}}")(function)
        predict.__annotations__["features"] = list[float]
        app.post("/predict")(predict)
        self.app = app

    def __getstate__(self) -> dict[str, Any]:
        return {"made": "there"}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


def waits(port: int) -> Callable[[str], None]:
    """A function that reports at the gate and blocks until it is opened."""

    def wait(name: str) -> None:
        import os
        import socket

        with socket.create_connection(("127.0.0.1", port)) as gate:
            gate.sendall(f"{os.getpid()} {name}\n".encode())
            gate.recv(1)

    return wait


def service(port: int, kind: str) -> Any:
    """FastAPI with a predict of that kind, and a health check that awaits nothing."""
    from fastapi import FastAPI
    from fastapi.responses import PlainTextResponse

    app, wait = FastAPI(), waits(port)

    async def health():  # type: ignore[no-untyped-def]
        return PlainTextResponse(".")

    async def coroutine(name):  # type: ignore[no-untyped-def]
        wait(name)
        return PlainTextResponse(".")

    def function(name):  # type: ignore[no-untyped-def]
        wait(name)
        return PlainTextResponse(".")

    app.get("/health")(health)
    app.get("/{name}")(coroutine if kind == "async" else function)
    return app


class Blocking:
    """The service, made in the server."""

    def __init__(self, port: int, kind: str) -> None:
        self.port, self.kind = port, kind

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.app = service(state["port"], state["kind"])

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


def blocking_coroutine(port: int) -> Any:
    """`async def predict`."""
    return Blocking(port, "async")


def blocking_function(port: int) -> Any:
    """`def predict`."""
    return Blocking(port, "def")
