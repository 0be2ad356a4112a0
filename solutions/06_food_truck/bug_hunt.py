r"""Bug hunt: a food truck that works, as long as the guests come one after the other.

It sells soup to everybody who tries it out alone. It breaks seven of the promises below, nearly
all of them only when two guests are there, or when somebody goes. Each bug is one that asyncio
makes easy. Find them and repair them; the grader names one at a time.

`make_app(stock, pay, bake, tell)` returns an ASGI application for one process.

- `stock` says how many portions of each dish there are: {"soup": 3}.
- `await pay(guest, dish)` waits for the card terminal. ValueError: the card is refused.
  ConnectionError: the terminal has lost its line, so try again, three times in all.
- `bake(dish)` blocks, and returns the dish. It works in any thread.
- `await tell(guest, dish)` is for the statistics. It may be slow, and it may raise.

POST /soup with the guest's name as its body sells one portion (answers: text/plain; charset=utf-8):
- 409 "no soup left\n" if there is none. A portion belongs to a guest from the moment when the whole
  order has been read, so nobody sells it twice, and nobody waits until another one has paid.
- 402 "ann has not paid\n" if the card is refused, or after the third ConnectionError.
- 200 "soup for ann\n" when it is paid and baked. While one dish is baked, others are served.
- Who has not paid has no portion: it is there for the next guest. That includes a guest whose
  request is cancelled while he pays: pay is not called again, and the cancellation goes on.
- After a sale, and only then, `tell` is called once. The guest does not wait for it: the app sends
  its answer and returns. What tell raises harms nobody.
- At lifespan.shutdown, every tell that was begun ends before lifespan.shutdown.complete is sent.
"""

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
        await asyncio.gather(*self.telling, return_exceptions=True)
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
