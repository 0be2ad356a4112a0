"""The HTTP client: sends requests from a thread with a loop of its own, and notes when what
happened.

Times count from the *intended* send, the same moment for all requests of a burst: a client that is
late does not make its server look quick (coordinated omission).
"""

import asyncio
import errno
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from yarl import URL

from playground.load.background import Background
from playground.load.punctuality import LAG_S, of_burst
from playground.trace.records import make_traceparent, now_us

BODY_LIMIT = 1 << 20  # bytes of each answer that are kept
BLOCK = 1 << 16


@dataclass(frozen=True)
class Reply:
    """The answer to one request, or why there is none (``error``, in words).

    Seconds count from the intended send: ``connect_s`` until the client began to connect,
    ``sent_s`` until the request was sent, ``answer_s`` until the head of the answer was there,
    ``latency_s`` until the end. ``intended_s`` is that moment itself, in seconds after the start
    of its run. ``body`` holds at most 1 MiB.
    """

    status: int | None
    headers: dict[str, str]
    body: bytes
    latency_s: float
    error: str | None = None
    connect_s: float | None = None
    sent_s: float | None = None
    answer_s: float | None = None
    intended_s: float = 0.0

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")

    @property
    def intended_us(self) -> float:
        """When it was meant to be sent, in µs after the first of its run."""
        return self.intended_s * 1e6

    @property
    def sent_us(self) -> float | None:
        """When it was sent in truth, by the same clock; None if it never was."""
        return None if self.sent_s is None else (self.intended_s + self.sent_s) * 1e6


@dataclass(frozen=True)
class Probe:
    """A GET each ``every`` seconds, while the requests that it watches are under way."""

    url: str
    every: float


@dataclass(frozen=True)
class Request:
    """What to send: one request to each of ``urls``, at once, and what ``probe`` asks meanwhile.
    With a ``trace_id`` each carries a traceparent.
    """

    urls: tuple[str, ...]
    method: str = "GET"
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    keep_alive: bool = False
    timeout: float = 30.0
    trace_id: str | None = None
    probe: Probe | None = None


Event = Callable[[int, float], None]


def _ignore(number: int, t_us: float) -> None:
    pass


@dataclass
class Observer:
    """Who is told what happens to request ``number`` when (µs), in the client's thread."""

    begun: Event = _ignore
    sent: Event = _ignore
    answered: Event = _ignore  # the head of the answer is there
    ended: Callable[[int, float, Reply], None] = lambda number, t_us, reply: None


class Sending:
    """Requests on their way. ``wait`` for them, or ``cancel`` what has not been answered.

    Requests 1 to ``len(request.urls)`` are meant for the same moment; those of the probe have the
    numbers after them.
    """

    def __init__(self, request: Request, observer: Observer | None = None) -> None:
        self._request = request
        self._observer = observer or Observer()
        self.intended_us = 0.0
        self.lags_us: list[float] = []  # how late the client's own loop was, look by look
        self.replies: dict[int, Reply] = {}
        self._due: dict[int, float] = {}
        self._marks: dict[int, dict[str, float]] = defaultdict(dict)
        self._background = Background(self._all)
        self.wait, self.cancel = self._background.wait, self._background.cancel

    @property
    def lag_us(self) -> float:
        """The worst delay of the client's own loop."""
        return max(self.lags_us, default=0.0)

    def punctuality(self) -> dict[str, float | bool]:
        """How late it was itself, and whether that was what limited the run."""
        return of_burst(self.lag_us, list(self.replies.values()))

    async def _all(self) -> None:
        async with session(
            self._request.keep_alive, self._request.timeout, self._hooks()
        ) as opened:
            watch = asyncio.create_task(self._watch_lag())
            try:
                await self._send_all(opened)
            finally:
                watch.cancel()

    async def _send_all(self, opened: aiohttp.ClientSession) -> None:
        self.intended_us = now_us()
        urls = self._request.urls
        for number in range(1, len(urls) + 1):
            self._begin(number, self.intended_us)
        tasks = {
            asyncio.create_task(self._one(opened, number, url))
            for number, url in enumerate(urls, 1)
        }
        try:
            if self._request.probe is not None:
                over = asyncio.create_task(_all_of(set(tasks)))
                await self._probe(opened, self._request.probe, over, len(urls) + 1, tasks)
            await asyncio.wait(tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _probe(
        self,
        opened: aiohttp.ClientSession,
        probe: Probe,
        over: asyncio.Task[None],
        number: int,
        tasks: set[asyncio.Task[None]],
    ) -> None:
        """Until all is ``over``, add one to ``tasks`` that asks, at fixed times; they get the
        numbers from ``number`` on.
        """
        due = self.intended_us
        while True:
            due += probe.every * 1e6
            await asyncio.wait({over}, timeout=max(due - now_us(), 0.0) / 1e6)
            if over.done():
                return
            self._begin(number, due)
            tasks.add(asyncio.create_task(self._one(opened, number, probe.url, probing=True)))
            number += 1

    def _begin(self, number: int, due_us: float) -> None:
        self._due[number] = due_us
        self._observer.begun(number, due_us)

    async def _one(
        self, opened: aiohttp.ClientSession, number: int, url: str, probing: bool = False
    ) -> None:
        status, error = None, None
        headers: dict[str, str] = {}
        body = bytearray()
        try:
            async with self._open(opened, number, url, probing) as answer:
                status, headers = answer.status, dict(answer.headers)
                async for block in answer.content.iter_chunked(BLOCK):
                    body += block[: BODY_LIMIT - len(body)]
        except asyncio.CancelledError:
            error = "interrupted before the answer was complete"
            raise
        except Exception as problem:
            error = in_words(problem, self._request.timeout)
        finally:
            ended = now_us()
            latency_s = (ended - self._due[number]) / 1e6
            intended_s = (self._due[number] - self.intended_us) / 1e6
            told = {**self._marks[number], "intended_s": intended_s}
            reply = Reply(status, headers, bytes(body), latency_s, error, **told)
            self.replies[number] = reply
            self._observer.ended(number, ended, reply)

    def _open(self, opened: aiohttp.ClientSession, number: int, url: str, probing: bool) -> Any:
        request = self._request
        headers = dict(request.headers)
        if request.trace_id is not None:
            headers["traceparent"] = make_traceparent(request.trace_id, number)
        if probing:
            headers["Connection"] = "close"
        return opened.request(
            "GET" if probing else request.method,
            URL(url, encoded=True),
            data=None if probing else request.body,
            headers=headers,
            allow_redirects=False,
            trace_request_ctx=number,
        )

    def _hooks(self) -> aiohttp.TraceConfig:
        def hook(name: str, event: Event) -> Any:
            async def note(session: object, context: Any, params: object) -> None:
                now, number = now_us(), context.trace_request_ctx
                self._marks[number][name] = (now - self._due[number]) / 1e6
                event(number, now)

            return note

        hooks = aiohttp.TraceConfig()
        hooks.on_connection_create_start.append(hook("connect_s", _ignore))
        hooks.on_request_headers_sent.append(hook("sent_s", self._observer.sent))
        # aiohttp's request ends where the answer begins: its head is there
        hooks.on_request_end.append(hook("answer_s", self._observer.answered))
        return hooks

    async def _watch_lag(self) -> None:
        while True:
            before = now_us()
            await asyncio.sleep(LAG_S)
            self.lags_us.append(now_us() - before - LAG_S * 1e6)


async def _all_of(tasks: set[asyncio.Task[None]]) -> None:
    await asyncio.wait(tasks)


def session(
    keep_alive: bool, timeout: float | None, *hooks: aiohttp.TraceConfig
) -> aiohttp.ClientSession:
    """Connections without a limit; nothing is remembered, decoded, followed or sent again."""
    return aiohttp.ClientSession(
        # subtle: no name is looked up, and aiodns, where it is installed, leaves a thread behind
        connector=aiohttp.TCPConnector(
            limit=0, force_close=not keep_alive, resolver=aiohttp.ThreadedResolver()
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=timeout),
        auto_decompress=False,
        trace_configs=list(hooks),
        middlewares=(once,),
    )


class Unanswered(Exception):
    """A connection ended without an answer, for the reason in ``__cause__``."""


async def once(request: aiohttp.ClientRequest, handler: Any) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a request again behind our back: here that is what one wants to
    see.
    """
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise Unanswered from error


def send(request: Request, observer: Observer | None = None) -> list[Reply]:
    """Send and wait; an interrupt gives up what is open."""
    sending = Sending(request, observer)
    try:
        sending.wait()
    except BaseException:
        sending.cancel()
        raise
    return [sending.replies[number] for number in sorted(sending.replies)]


def in_words(problem: BaseException, timeout: float) -> str:
    """What went wrong with a request, for people."""
    if isinstance(problem, Unanswered) and problem.__cause__ is not None:
        problem = problem.__cause__
    if isinstance(problem, asyncio.TimeoutError):
        return f"no complete answer within {timeout:g} s"
    if isinstance(problem, aiohttp.ServerDisconnectedError):
        return "the server closed the connection without an answer"
    if isinstance(problem, aiohttp.ClientPayloadError):
        return "the answer was cut short"
    if isinstance(problem, aiohttp.ClientConnectorError):
        if problem.os_error.errno == errno.ECONNREFUSED:
            return f"connection refused: nothing listens on port {problem.port}"
        return f"cannot connect: {problem.os_error.strerror or problem.os_error}"
    if isinstance(problem, OSError) and problem.errno in (errno.ECONNRESET, errno.EPIPE):
        return "the server reset the connection"
    if isinstance(problem, aiohttp.ClientResponseError):
        return f"the answer is not HTTP: {problem.message}"
    return f"{type(problem).__name__}: {problem}"
