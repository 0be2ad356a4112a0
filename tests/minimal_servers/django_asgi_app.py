"""The site of django_app.py as Django serves it on ASGI, and one view that is async."""

import asyncio
from collections.abc import AsyncIterator

import django_app
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, StreamingHttpResponse
from django.urls import path


async def slow_stream(request: HttpRequest) -> StreamingHttpResponse:
    async def blocks() -> AsyncIterator[str]:
        for number in range(5):
            await asyncio.sleep(0)
            yield f"{request.path} {number}\n"

    return StreamingHttpResponse(blocks(), content_type="text/plain")


django_app.urlpatterns.append(path("async-stream", slow_stream))
app = get_asgi_application()
