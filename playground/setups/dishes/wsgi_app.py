"""The dishes without a framework (PEP 3333)."""

import json
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import parse_qs

from playground.setups import apps
from playground.setups.apps import Environ, StartResponse, number
from playground.setups.dishes import work
from playground.setups.dishes.work import MOST_MS, MOST_S

JSON = "application/json"
BODY_LIMIT = 1 << 20  # bytes


def native(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Computes in C for 50, or ``?ms=``, milliseconds of processor time."""
    blocks = work.native(number(environ["QUERY_STRING"], "ms", 50.0, MOST_MS))
    return apps.answer(start_response, blocks.encode())


def upstream(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Asks another service, which takes 0.1, or ``?s=``, seconds."""
    answer = work.fetch(number(environ["QUERY_STRING"], "s", 0.1, MOST_S))
    return as_json(start_response, answer)


def database(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """A report from a database."""
    return as_json(start_response, work.query())


def hybrid(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Asks another service (``?s=``), then computes in Python (``?ms=``)."""
    query = environ["QUERY_STRING"]
    rounds = work.hybrid(number(query, "s", 0.1, MOST_S), number(query, "ms", 50.0, MOST_MS))
    return apps.answer(start_response, rounds.encode())


def predict(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Which digit a picture shows."""
    if environ["REQUEST_METHOD"] != "POST":
        return refused(start_response, HTTPStatus.METHOD_NOT_ALLOWED, "POST a picture.")
    body = environ["wsgi.input"].read(min(int(environ.get("CONTENT_LENGTH") or 0), BODY_LIMIT))
    model = parse_qs(environ["QUERY_STRING"]).get("model", ["sklearn"])[0]
    try:
        return as_json(start_response, work.predict(body, model))
    except work.Unanswerable as error:
        return refused(start_response, HTTPStatus.BAD_REQUEST, str(error))


DISHES: dict[str, apps.Application] = {
    "/hello": apps.hello,
    "/cpu": apps.cpu,
    "/native": native,
    "/waiting": apps.slow,
    "/upstream": upstream,
    "/database": database,
    "/hybrid": hybrid,
    "/events": apps.events,
    "/predict": predict,
}


@apps.with_health
def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Whatever stands on the menu."""
    dish = DISHES.get(environ.get("PATH_INFO", ""))
    if dish is None:
        return refused(start_response, HTTPStatus.NOT_FOUND, f"There are {', '.join(DISHES)}.")
    return dish({"QUERY_STRING": "", **environ}, start_response)


def as_json(start_response: StartResponse, body: bytes) -> Iterable[bytes]:
    """A whole response."""
    start_response("200 OK", [("Content-Type", JSON), ("Content-Length", str(len(body)))])
    return [body]


def refused(start_response: StartResponse, status: HTTPStatus, why: str) -> Iterable[bytes]:
    """An error, and a sentence about it as JSON."""
    body = json.dumps({"detail": why}).encode()
    headers = [("Content-Type", JSON), ("Content-Length", str(len(body)))]
    start_response(f"{status.value} {status.phrase}", headers)
    return [body]


work.get_ready()
