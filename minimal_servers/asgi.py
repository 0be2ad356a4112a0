"""ASGI: the contract between a web server and an asynchronous application (ASGI 3.0).

Strategy
- ``build_scope`` turns one checked request into the dictionary that the application is called with.
- ``Exchange`` is one request and its response. ``receive`` takes what has arrived from the client's
  own buffer, so nothing is copied into a queue; ``send`` hands over to the same ``Response`` that
  WSGI uses, and waits while the client reads too slowly.
- ``respond`` calls the application once and owns the rules for what may go wrong in between.
- ``Lifespan`` is the one conversation that is about the process and not about a client.

What a connection offers to an exchange is in ``Line``; sockets and loop are elsewhere.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from functools import lru_cache
from http.client import responses
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

from minimal_servers import http11
from minimal_servers.connection import BODY_SECONDS
from minimal_servers.http11 import PERCENT, BadRequest, Request
from minimal_servers.response import ClientGone, Response

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Address = tuple[str, int]
Running = dict[Any, "asyncio.Task[None]"]  # whom it serves: the task
NEVER = float("inf")
log = logging.getLogger(__name__)


class LifespanFailed(Exception):
    """The application said that it cannot start, or cannot end properly."""


class Line(Protocol):
    """One connection, as an exchange sees it."""

    buffer: bytearray  # received, not yet used
    news: asyncio.Event  # set when there is more to know
    slow: bool  # the client reads too slowly
    writable: asyncio.Event  # set when it has caught up
    ended: bool  # the client has sent its last byte
    gone: bool  # nothing can be sent any more

    def transmit(self, data: bytes, wait: bool) -> None: ...  # send after all that is unsent
    def expect(self, seconds: float) -> None: ...  # the client is late after that
    def used(self) -> None: ...  # there is room in the buffer
    def over(self, exchange: "Exchange") -> None: ...  # its response is complete
    def refuse(self, error: BadRequest) -> None: ...  # answer, and close
    def finish(self) -> None: ...  # close after what was sent
    def cut(self) -> None: ...  # close so that it looks broken


def build_scope(request: Request, client: Address, server: Address, state: dict[str, Any]) -> Scope:
    """What the application learns before it reads a byte (ASGI HTTP, HTTP Connection Scope)."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1" if request.minor else "1.0",
        "method": request.method,
        "scheme": "http",
        "path": decode_path(request.path),
        "raw_path": request.path,
        "query_string": request.query,
        "root_path": "",
        "headers": request.headers,
        "client": client,
        "server": server,
        "state": state.copy(),
    }


def decode_path(path: bytes) -> str:
    """Percent-encoding and UTF-8 decoded; what is neither becomes U+FFFD (see ``raw_path``)."""
    return unquote_to_bytes(path).decode("utf-8", "replace") if PERCENT in path else path.decode()


@lru_cache(maxsize=128)
def status_line(status: int) -> bytes:
    """b"404 Not Found" for 404. Raises ValueError for what is no final status (RFC 9110 §15)."""
    if not isinstance(status, int) or not 200 <= status <= 599:
        raise ValueError(f"a response has a status from 200 to 599, not {status!r}")
    return b"%d %b" % (status, responses.get(status, "").encode())


class Exchange(Response):
    """One request and its response, as the two callables that the application gets."""

    def __init__(self, line: Line, request: Request) -> None:
        super().__init__(request, line.transmit)
        self.line = line
        self.must_ask = request.expects_continue  # the client waits to be asked for its body
        self.complete = False  # the response has been said
        self.body_done = False  # the last byte of the request body has been received
        self.pieces: Iterator[bytes | None] | None = None  # the body on its way in
        self.skipped = 0  # bytes of body that nobody wanted
        self.listens = False  # the application waits, or has waited, for news
        self.told = False  # the application knows that nobody listens: it may leave without a word

    async def receive(self) -> Message:
        """The next event: everything that has arrived of the body, or that the client has gone."""
        line = self.line
        while not self.complete and not line.gone:
            if not self.body_done:
                try:
                    body = self.take_body()
                except BadRequest as error:
                    self.reject(error)
                    break
                if body or self.body_done:
                    line.expect(NEVER)
                    line.used()
                    return {"type": "http.request", "body": body, "more_body": not self.body_done}
                self.ask()
            if line.ended:
                break
            if not self.body_done:
                line.expect(BODY_SECONDS)
            line.news.clear()
            self.listens = True
            await line.news.wait()
        self.told = True
        return {"type": "http.disconnect"}

    def take_body(self) -> bytes:
        """All of the body that is in the buffer. Raises BadRequest."""
        if self.pieces is None:
            self.pieces = http11.read_body(self.request, self.line.buffer)
        taken: list[bytes] = []
        for piece in self.pieces:
            if piece is None:
                return b"".join(taken)
            taken.append(piece)
        self.body_done = True
        return b"".join(taken)

    def ask(self) -> None:
        """100 Continue, only now that somebody wants the body (RFC 9110 §10.1.1)."""
        if self.must_ask:
            self.must_ask = False
            if not self.started:
                self.line.transmit(http11.CONTINUE, False)

    async def send(self, message: Message) -> None:
        """Take one event of the response; returns when the client can take more.

        Raises ClientGone when nobody is there, RuntimeError for a wrong type or a wrong order,
        TypeError and ValueError for what HTTP forbids.
        """
        line = self.line
        if line.gone:
            raise ClientGone("the client has gone")
        kind = message["type"]
        if kind == "http.response.start" and not self.status:
            self.start(message)
        elif kind == "http.response.body" and self.status and not self.complete:
            self.block(message.get("body", b""), message.get("more_body", False))
        else:
            raise RuntimeError(f"unexpected message {kind!r} (ASGI HTTP, Response Start and Body)")
        if line.slow:
            await line.writable.wait()
            if line.gone and not self.complete:
                raise ClientGone("the client has gone")

    def start(self, message: Message) -> None:
        """Remember status and fields; they leave with the first block."""
        try:
            self.set_head(status_line(message["status"]), message.get("headers", ()))
        except (AttributeError, TypeError) as error:
            raise TypeError("headers are pairs of bytes (ASGI HTTP, Response Start)") from error

    def block(self, body: bytes, more: bool) -> None:
        """One block of the body. A body in one block has a known length."""
        if type(body) is not bytes:
            if not isinstance(body, (bytearray, memoryview)):
                raise TypeError(f"a body consists of bytes, not {type(body).__name__}")
            body = bytes(body)
        if self.must_ask:  # it was never asked for its body, and may send it or not
            self.keep_alive = False
        if not more:
            self.wait = False
            self.whole(len(body))
        self.write(body)
        if not more:
            self.finish()
            self.end()

    def end(self) -> None:
        """The response is over; the application may work on (ASGI: receive() says disconnect)."""
        self.complete = True
        if self.listens:
            self.line.news.set()
        self.line.over(self)

    def reject(self, error: BadRequest) -> None:
        """The body is malformed, or does not come. The client is told if it is not too late."""
        self.complete = True
        self.line.news.set()
        if self.started:
            log.warning("a request is cut off in its body: %s", error)
            self.line.cut()
        else:
            self.line.refuse(error)

    def arrived(self) -> None:
        """The client has sent something, perhaps what ``receive`` waits for."""
        self.line.news.set()

    def late(self) -> None:
        """The body did not come."""
        self.reject(BadRequest("408 Request Timeout", "the request is too slow"))

    def last_call(self) -> None:
        """The server is about to end: no request after this one."""
        self.keep_alive = False

    def settle(self, failed: bool) -> None:
        """The application is done. What it completed stays; anything else is an error."""
        if self.complete or self.line.gone:
            return
        if not (failed or self.told):
            log.error("the application returned without completing its response")
        try:
            self.fail()
            self.end()
        except ClientGone:
            self.complete = True
            self.line.cut()


class Conversation(Protocol):
    """What the application is called for: an exchange, or a WebSocket."""

    async def receive(self) -> Message: ...
    async def send(self, message: Message) -> None: ...
    def settle(self, failed: bool) -> None: ...


async def respond(
    app: Application,
    scope: Scope,
    conversation: Conversation,
    running: dict[Any, asyncio.Task[None]],
) -> None:
    """Call the application once. Nothing that it does ends the worker.

    ``running`` has the tasks of this process; what is done takes itself out.
    """
    failed = True
    try:
        await app(scope, conversation.receive, conversation.send)
        failed = False
    except ClientGone:
        log.debug("the client has gone")
    except asyncio.CancelledError:
        log.warning("the application was too slow to end: cancelled")
    except BaseException as error:  # SystemExit too: one request must not end the worker
        if isinstance(error.__context__, ClientGone):  # a framework's word for the same
            log.info("the client has gone: %r", error)
        else:
            log.exception("the application failed")
    conversation.settle(failed)
    running.pop(conversation, None)


class Lifespan:
    """Start-up and shutdown of the application (ASGI, Lifespan Protocol)."""

    task: asyncio.Task[None]
    answer: asyncio.Future[str]  # "" when all is well, else what went wrong

    def __init__(self, app: Application) -> None:
        self.app = app
        self.state: dict[str, Any] = {}
        self.inbox: asyncio.Queue[Message] = asyncio.Queue()
        self.asked = ""

    async def startup(self) -> None:
        """Wait until the application is ready. Raises LifespanFailed with its own words."""
        self.task = asyncio.create_task(self.run())
        await self.ask("lifespan.startup")

    async def shutdown(self) -> None:
        """Let the application put everything away, if it listens. Raises LifespanFailed."""
        if not self.task.done():
            await self.ask("lifespan.shutdown")
            await self.task

    async def ask(self, event: str) -> None:
        """Say one thing and wait for the answer to it."""
        self.asked, self.answer = event, asyncio.get_running_loop().create_future()
        self.inbox.put_nowait({"type": event})
        if problem := await self.answer:
            raise LifespanFailed(f"{event} failed: {problem}")

    async def run(self) -> None:
        """The whole conversation. Who raises before answering has no lifespan, says the spec."""
        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self.state,
        }
        try:
            await self.app(scope, self.inbox.get, self.send)
        except BaseException as error:  # SystemExit too
            if not self.inbox.empty():
                log.info("the application has no lifespan: %r", error)
            elif not (self.answer.done() and self.answer.result()):  # not told before
                log.exception("the application failed in its lifespan")
        if not self.answer.done():
            self.answer.set_result("")

    async def send(self, message: Message) -> None:
        """One answer of the application. Raises RuntimeError for anything unexpected."""
        kind = message["type"]
        if self.answer.done() or kind not in (f"{self.asked}.complete", f"{self.asked}.failed"):
            raise RuntimeError(f"unexpected message {kind!r} (ASGI, Lifespan Protocol)")
        failed = kind.endswith("failed")
        self.answer.set_result((message.get("message") or "no reason given") if failed else "")
