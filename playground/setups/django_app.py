"""The slow endpoint in Django (WSGI and ASGI): a project in one file, settings included."""

import functools
import os
import time
from collections.abc import Iterable
from typing import Any

from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

from playground.setups.apps import Environ, StartResponse, number

ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = __name__
SECRET_KEY = "nothing here is signed"
WSGI_APPLICATION = f"{__name__}.application"


def slow(request: HttpRequest) -> HttpResponse:
    """Waits one second, or ``?s=`` seconds, and keeps its thread meanwhile."""
    time.sleep(number(request.META["QUERY_STRING"], "s", 1.0, 30.0))
    return HttpResponse("slept\n", content_type="text/plain")


def health(request: HttpRequest) -> HttpResponse:
    """Answers at once, if somebody is free."""
    return HttpResponse("ok\n", content_type="text/plain")


urlpatterns = [path("", slow), path("slow", slow), path("health", health)]


def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """The project for WSGI servers. Django is set up by the first request."""
    return _handler(get_wsgi_application)(environ, start_response)


async def asgi_application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The project for ASGI servers."""
    await _handler(get_asgi_application)(scope, receive, send)


@functools.cache
def _handler(get: Any) -> Any:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", __name__)
    return get()
