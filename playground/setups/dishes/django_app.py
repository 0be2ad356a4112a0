"""The dishes in Django for WSGI servers: a project in one file, settings included."""

import functools
import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path
from django.views.decorators.http import require_POST

from playground.setups.apps import (
    EVENTS,
    TEXT,
    Environ,
    StartResponse,
    aside,
    event_stream,
    number,
    pace,
)
from playground.setups.dishes import work
from playground.setups.dishes.work import MOST_MS, MOST_S

ALLOWED_HOSTS = ["127.0.0.1"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
ROOT_URLCONF = __name__
SECRET_KEY = "nothing here is signed"
WSGI_APPLICATION = f"{__name__}.application"

JSON = "application/json"


def query(request: HttpRequest) -> str:
    """What stands behind the question mark."""
    return str(request.META["QUERY_STRING"])


def hello(request: HttpRequest) -> HttpResponse:
    """Thirteen bytes at once."""
    return HttpResponse("Hello, world!", content_type=TEXT)


def cpu(request: HttpRequest) -> HttpResponse:
    """Computes in pure Python."""
    return HttpResponse(work.compute(number(query(request), "ms", 50.0, MOST_MS)), TEXT)


def native(request: HttpRequest) -> HttpResponse:
    """Computes in C, without the GIL."""
    return HttpResponse(work.native(number(query(request), "ms", 50.0, MOST_MS)), TEXT)


def waiting(request: HttpRequest) -> HttpResponse:
    """Waits, and keeps its thread meanwhile."""
    return HttpResponse(work.wait(number(query(request), "s", 0.1, MOST_S)), TEXT)


def upstream(request: HttpRequest) -> HttpResponse:
    """Asks another service."""
    return HttpResponse(work.fetch(number(query(request), "s", 0.1, MOST_S)), JSON)


def database(request: HttpRequest) -> HttpResponse:
    """A report from a database."""
    return HttpResponse(work.query(), JSON)


def hybrid(request: HttpRequest) -> HttpResponse:
    """Asks another service, then computes."""
    waited = number(query(request), "s", 0.1, MOST_S)
    return HttpResponse(work.hybrid(waited, number(query(request), "ms", 50.0, MOST_MS)), TEXT)


def events(request: HttpRequest) -> StreamingHttpResponse:
    """Server-sent events; the thread is kept as long as they are read."""
    headers = {"Cache-Control": "no-store"}
    return StreamingHttpResponse(
        event_stream(*pace(query(request))), content_type=EVENTS, headers=headers
    )


@require_POST
def predict(request: HttpRequest) -> HttpResponse:
    """Which digit a picture shows."""
    try:
        return HttpResponse(work.predict(request.body, model_of(request)), JSON)
    except work.Unanswerable as error:
        return JsonResponse({"detail": str(error)}, status=400)


def beside(request: HttpRequest) -> HttpResponse:
    """Answers at once, if somebody is free."""
    return HttpResponse(aside(request.path), TEXT)


def model_of(request: HttpRequest) -> str:
    """Which model is asked for."""
    return str(request.GET.get("model", "sklearn"))


urlpatterns = [
    path("hello", hello),
    path("cpu", cpu),
    path("native", native),
    path("waiting", waiting),
    path("upstream", upstream),
    path("database", database),
    path("hybrid", hybrid),
    path("events", events),
    path("predict", predict),
    path("health", beside),
    path("counts", beside),
]


def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """The project for WSGI servers. Django is set up by the first request."""
    return made(get_wsgi_application, __name__)(environ, start_response)


@functools.cache
def made(get: Callable[[], Any], settings: str) -> Any:
    """Django's own application, with these settings unless it has others already."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", settings)
    return get()


work.get_ready()
