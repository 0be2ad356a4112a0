# Closes without waiting for the statistics.
# Message: shutdown.complete
# Message: ends before lifespan.shutdown.complete

"""A food truck, as an ASGI application."""

import asyncio
from collections.abc import Awaitable, Callable
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
        self.stock = stock
        self.pay = pay
        self.bake = bake
        self.tell = tell
        self.telling: set[asyncio.Task[None]] = set()  # the loop itself holds tasks only weakly

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """The application."""
        if scope["type"] == "lifespan":
            await self.lifespan(receive, send)
        elif scope["type"] == "http":
            await self.order(scope, receive, send)
        else:
            raise ValueError(scope["type"])

    async def lifespan(self, receive: Receive, send: Send) -> None:
        """Open and close."""
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def order(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Sell one portion."""
        dish = scope["path"][1:]
        guest = (await read_body(receive)).decode()
        if not self.stock.get(dish):
            await answer(send, 409, f"no {dish} left\n")
            return
        self.stock[dish] -= 1
        paid = False
        try:
            paid = await self.collect(guest, dish)
        finally:
            if not paid:
                self.stock[dish] += 1
        if not paid:
            await answer(send, 402, f"{guest} has not paid\n")
            return
        baked = await asyncio.to_thread(self.bake, dish)
        await answer(send, 200, f"{baked} for {guest}\n")
        task = asyncio.create_task(self.tell(guest, dish))
        self.telling.add(task)
        task.add_done_callback(self.telling.discard)

    async def collect(self, guest: str, dish: str) -> bool:
        """Let the guest pay; return whether he did."""
        for _ in range(3):
            try:
                await self.pay(guest, dish)
                return True
            except ValueError:
                return False
            except ConnectionError:  # the terminal has lost its line
                continue
        return False


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
