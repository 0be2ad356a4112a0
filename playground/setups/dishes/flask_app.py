"""The dishes in Flask (WSGI)."""

from flask import Flask, Response, request

from playground.setups.apps import EVENTS, TEXT, aside, event_stream, number, pace
from playground.setups.dishes import work
from playground.setups.dishes.work import MOST_MS, MOST_S

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 1 << 20
JSON = "application/json"


def query() -> str:
    """What stands behind the question mark."""
    return request.query_string.decode("latin-1")


@app.get("/hello")
def hello() -> Response:
    """Thirteen bytes at once."""
    return Response("Hello, world!", content_type=TEXT)


@app.get("/cpu")
def cpu() -> Response:
    """Computes in pure Python."""
    return Response(work.compute(number(query(), "ms", 50.0, MOST_MS)), content_type=TEXT)


@app.get("/native")
def native() -> Response:
    """Computes in C, without the GIL."""
    return Response(work.native(number(query(), "ms", 50.0, MOST_MS)), content_type=TEXT)


@app.get("/waiting")
def waiting() -> Response:
    """Waits, and keeps its thread meanwhile."""
    return Response(work.wait(number(query(), "s", 0.1, MOST_S)), content_type=TEXT)


@app.get("/upstream")
def upstream() -> Response:
    """Asks another service."""
    return Response(work.fetch(number(query(), "s", 0.1, MOST_S)), content_type=JSON)


@app.get("/database")
def database() -> Response:
    """A report from a database."""
    return Response(work.query(), content_type=JSON)


@app.get("/hybrid")
def hybrid() -> Response:
    """Asks another service, then computes."""
    waited, computed = number(query(), "s", 0.1, MOST_S), number(query(), "ms", 50.0, MOST_MS)
    return Response(work.hybrid(waited, computed), content_type=TEXT)


@app.get("/events")
def events() -> Response:
    """Server-sent events; the thread is kept as long as they are read."""
    headers = {"Cache-Control": "no-store"}
    return Response(event_stream(*pace(query())), content_type=EVENTS, headers=headers)


@app.post("/predict")
def predict() -> Response:
    """Which digit a picture shows."""
    answer = work.predict(request.get_data(), request.args.get("model", "sklearn"))
    return Response(answer, content_type=JSON)


@app.get("/health")
@app.get("/counts")
def beside() -> Response:
    """Answers at once, if a worker is free."""
    return Response(aside(request.path), content_type=TEXT)


@app.errorhandler(work.Unanswerable)
def unanswerable(error: work.Unanswerable) -> tuple[dict[str, str], int]:
    """What is wrong with the request."""
    return {"detail": str(error)}, 400


work.get_ready()
