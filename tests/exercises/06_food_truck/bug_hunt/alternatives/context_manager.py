"""A food truck, as an ASGI application."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def make_app(
    stock: dict[str, int],
    pay: Callable[[str, str], Awaitable[None]],
    bake: Callable[[str], str],
    tell: Callable[[str, str], Awaitable[None]],
) -> "Truck":
    """Return the application."""
    return Truck(stock, pay, bake, tell)


class Truck:
    """One truck: an ASGI application."""

    def __init__(self, stock: dict[str, int], pay: Any, bake: Any, tell: Any) -> None:
        self.stock = Counter(stock)
        self.pay, self.bake, self.tell = pay, bake, tell
        self.notes: list[asyncio.Future[Any]] = []

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """The application."""
        if scope["type"] == "lifespan":
            for event in ("startup", "shutdown"):
                await receive()
                if self.notes:
                    await asyncio.wait(self.notes)
                await send({"type": f"lifespan.{event}.complete"})
            return
        dish, guest = scope["path"].strip("/"), str(await read_body(receive), "utf-8")
        try:
            async with self.portion(dish):
                await self.collect(guest, dish)
        except LookupError:
            return await answer(send, 409, f"no {dish} left\n")
        except PermissionError:
            return await answer(send, 402, f"{guest} has not paid\n")
        loop = asyncio.get_running_loop()
        baked = await loop.run_in_executor(None, self.bake, dish)
        await answer(send, 200, f"{baked} for {guest}\n")
        self.notes = [note for note in self.notes if not note.done()]
        self.notes.append(asyncio.ensure_future(self.tell(guest, dish)))

    @asynccontextmanager
    async def portion(self, dish: str) -> AsyncIterator[None]:
        """Hold a portion; whatever goes wrong inside puts it back."""
        if self.stock[dish] < 1:
            raise LookupError(dish)
        self.stock[dish] -= 1
        try:
            yield
        except BaseException:
            self.stock[dish] += 1
            raise

    async def collect(self, guest: str, dish: str, attempts: int = 3) -> None:
        """Let the guest pay."""
        try:
            await self.pay(guest, dish)
        except ValueError as error:
            raise PermissionError from error
        except ConnectionError as error:
            if attempts == 1:
                raise PermissionError from error
            await self.collect(guest, dish, attempts - 1)


async def read_body(receive: Receive) -> bytes:
    """Return the whole body of a request."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def answer(send: Send, status: int, text: str) -> None:
    """Send one whole response."""
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
