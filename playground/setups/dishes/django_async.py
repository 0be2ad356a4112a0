"""The dishes in Django for ASGI servers: the same project, with views that are ``async def``."""

from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path
from django.views.decorators.http import require_POST

from playground.setups.apps import EVENTS, TEXT, number, pace
from playground.setups.async_apps import Receive, Scope, Send
from playground.setups.dishes import django_app, loops, work
from playground.setups.dishes.django_app import JSON, made, model_of, query
from playground.setups.dishes.work import MOST_MS, MOST_S

ALLOWED_HOSTS = django_app.ALLOWED_HOSTS
DATA_UPLOAD_MAX_MEMORY_SIZE = django_app.DATA_UPLOAD_MAX_MEMORY_SIZE
ROOT_URLCONF = __name__
SECRET_KEY = django_app.SECRET_KEY


async def hello(request: HttpRequest) -> HttpResponse:
    """Thirteen bytes at once."""
    return django_app.hello(request)


async def cpu(request: HttpRequest) -> HttpResponse:
    """Computes in pure Python, on the loop's own thread unless told otherwise."""
    asked = number(query(request), "ms", 50.0, MOST_MS)
    return HttpResponse(await loops.compute(in_pool(request), work.compute, asked), TEXT)


async def native(request: HttpRequest) -> HttpResponse:
    """Computes in C, on the loop's own thread unless told otherwise."""
    asked = number(query(request), "ms", 50.0, MOST_MS)
    return HttpResponse(await loops.compute(in_pool(request), work.native, asked), TEXT)


async def waiting(request: HttpRequest) -> HttpResponse:
    """Waits, and leaves the loop to others meanwhile."""
    return HttpResponse(await loops.wait(number(query(request), "s", 0.1, MOST_S)), TEXT)


async def upstream(request: HttpRequest) -> HttpResponse:
    """Asks another service."""
    return HttpResponse(await loops.fetch(number(query(request), "s", 0.1, MOST_S)), JSON)


async def database(request: HttpRequest) -> HttpResponse:
    """A report from a database."""
    return HttpResponse(await loops.query(), JSON)


async def hybrid(request: HttpRequest) -> HttpResponse:
    """Asks another service, then computes."""
    waited = number(query(request), "s", 0.1, MOST_S)
    computed = number(query(request), "ms", 50.0, MOST_MS)
    return HttpResponse(await loops.hybrid(waited, computed, in_pool(request)), TEXT)


async def events(request: HttpRequest) -> StreamingHttpResponse:
    """Server-sent events: each stream is a task."""
    stream, headers = loops.events(*pace(query(request))), {"Cache-Control": "no-store"}
    return StreamingHttpResponse(stream, content_type=EVENTS, headers=headers)


@require_POST
async def predict(request: HttpRequest) -> HttpResponse:
    """Which digit a picture shows: on the loop's own thread unless told otherwise."""
    asked = (work.predict, request.body, model_of(request))
    try:
        return HttpResponse(await loops.compute(in_pool(request), *asked), JSON)
    except work.Unanswerable as error:
        return JsonResponse({"detail": str(error)}, status=400)


async def beside(request: HttpRequest) -> HttpResponse:
    """Answers at once, if the loop lets it."""
    return django_app.beside(request)


def in_pool(request: HttpRequest) -> bool:
    """Whether a thread shall compute."""
    return number(query(request), "pool", 0.0, 1.0) > 0


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


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """The project for ASGI servers. Django is set up by the first request."""
    await made(get_asgi_application, __name__)(scope, receive, send)


work.get_ready()
