"""A small Django project in one file: forms, files, sessions, streaming, errors."""

import hashlib
from collections.abc import Iterator
from json import loads as decode

import django
from django.conf import settings
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="for tests only",
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
    ],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
)
django.setup()


def index(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"hello {request.GET.get('name', 'nobody')} at {request.get_host()}")


def form(request: HttpRequest) -> HttpResponse:
    return JsonResponse(request.POST.dict())


def file(request: HttpRequest) -> HttpResponse:
    upload = request.FILES["upload"]
    digest = hashlib.sha256(upload.read()).hexdigest()
    return JsonResponse({"name": upload.name, "sha256": digest, "note": request.POST["note"]})


def json(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"got": decode(request.body)})


def stream(request: HttpRequest) -> StreamingHttpResponse:
    def blocks() -> Iterator[str]:
        for number in range(5):
            yield f"{request.path} {number}\n"

    return StreamingHttpResponse(blocks(), content_type="text/plain")


def count(request: HttpRequest) -> HttpResponse:
    request.session["count"] = request.session.get("count", 0) + 1
    return HttpResponse(str(request.session["count"]))


def away(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect("/?name=redirected")


def teapot(request: HttpRequest) -> HttpResponse:
    return HttpResponse("short and stout", status=418)


def fails(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("as the test wanted")


def cafe(request: HttpRequest, name: str) -> HttpResponse:
    return HttpResponse(name)


urlpatterns = [
    path("", index),
    path("form", form),
    path("file", file),
    path("json", json),
    path("stream", stream),
    path("count", count),
    path("away", away),
    path("teapot", teapot),
    path("fails", fails),
    path("caf\N{LATIN SMALL LETTER E WITH ACUTE}/<name>", cafe),
]

from django.core.wsgi import get_wsgi_application  # noqa: E402 - needs the settings above

app = get_wsgi_application()
