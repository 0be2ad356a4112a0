"""Open many connections that stay, and see who is served meanwhile, and what it costs."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import numpy as np
from yarl import URL

from playground.errors import Interrupted
from playground.load.background import Background
from playground.load.checks import (
    check_headers,
    check_seconds,
    check_server,
    check_whole,
    make_room,
    quoted,
)
from playground.load.client import BLOCK, BODY_LIMIT, Reply, in_words, session
from playground.load.recording import Recording
from playground.load.table import table_html, table_text
from playground.setups.server import Server
from playground.setups.usage import Usage
from playground.trace.records import Kind, make_traceparent, now_us
from playground.trace.trace import Trace

MOST_EVENTS = 1000
LONGEST_EVENT = 1 << 16  # bytes that are kept of one that has not ended
EVENT_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")


@dataclass
class Stream:
    """One connection that was held. ``first_s`` is when its first event came, in seconds from the
    intended opening; ``error`` says why it ended before its time.
    """

    status: int | None = None
    events: int = 0
    first_s: float | None = None
    error: str | None = None


@dataclass
class Held:
    """What came of ``asked`` connections: ``streams`` in the order of their numbers.

    ``probe`` are the replies to plain requests that were sent while they were open. ``before`` and
    ``during`` is what the server used without and with them. ``tasks`` were alive for requests, as
    its trace says: None where it does not.
    """

    asked: int
    path: str
    streams: list[Stream]
    before: Usage
    during: Usage
    wanted: int = 3
    probe_path: str | None = None
    probe: list[Reply] = field(default_factory=list)
    tasks: int | None = None
    trace: Trace | None = None

    @property
    def opened(self) -> int:
        """How many got the head of a response."""
        return sum(stream.status in (101, 200) for stream in self.streams)

    @property
    def served(self) -> int:
        """How many got all the events that were waited for."""
        return sum(stream.events >= self.wanted for stream in self.streams)

    @property
    def starved(self) -> int:
        """How many did not."""
        return self.asked - self.served

    @property
    def probe_answered(self) -> int:
        """How many of the plain requests were answered meanwhile."""
        return sum(reply.error is None for reply in self.probe)

    def rows(self) -> list[tuple[str, str]]:
        """What the table shows: names and values."""
        told = [
            ("connections asked for", f"{self.asked} × {self.path}"),
            ("opened", str(self.opened)),
            (f"served ({self.wanted} event{'s' * (self.wanted != 1)} each)", str(self.served)),
            ("starved", str(self.starved)),
        ]
        if self.probe_path is not None:
            answered = f"{self.probe_answered} of {len(self.probe)} answered"
            told.append((f"meanwhile GET {self.probe_path}", answered))
        threads, grown = self.during.threads, self.during.memory_mib - self.before.memory_mib
        told += [
            ("threads", f"{threads} ({threads - self.before.threads:+d})"),
            ("memory", f"{self.during.memory_mib:.1f} MiB ({grown:+.1f})"),
            ("accepted connections", str(self.during.connections)),
        ]
        if self.tasks is not None:
            told.append(("tasks of requests", str(self.tasks)))
        return told + [("first error", error) for error in self._errors()[:1]]

    def _errors(self) -> list[str]:
        return [stream.error for stream in self.streams if stream.error]

    def __str__(self) -> str:
        return table_text(self.rows())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return table_html(self.rows())


def hold(
    server: Server,
    n: int,
    path: str = "/events",
    *,
    events: int = 3,
    patience: float = 3.0,
    probe: str | None = "/health",
    probes: int = 3,
    websocket: bool = False,
    headers: dict[str, str] | None = None,
) -> Held:
    """Open ``n`` streams (or WebSockets) at once and hold them, and say what came of it.

    It waits until each had ``events`` events or ``patience`` seconds are over: events of an event
    stream, lines of any other body, messages of a WebSocket. Then, with all still open, it looks at
    what the server uses, and sends ``probes`` GETs of ``probe`` at once, each for at most
    ``patience`` seconds (None: it sends none). Then it closes everything.

    Raises ``ServeError`` for numbers and paths that make no sense, and if the server has ended.
    """
    check_server(server, "hold")
    check_whole("n", n, 1)
    check_whole("events", events, 1, MOST_EVENTS)
    check_seconds("patience", patience)
    check_whole("probes", probes, 0, 1000)
    check_headers(headers)
    target = server.url + quoted(path)
    asks = [server.url + quoted(probe)] * probes if probe is not None else []
    make_room(n + len(asks))
    what = "WebSocket" if websocket else "GET"

    def label(number: int) -> str:
        return f"{what} {path}" if number <= n else f"probe GET {probe}"

    recording = Recording(server, f"{n} × {what} {path} held open on {server.name}", label)
    before = server.usage()
    recording.begin(probe_from=n + 1 if asks else None)
    holding = _Holding(server, recording, target, n, asks, events, patience, websocket, headers)
    try:
        holding.wait()
        recording.await_last_words([])
    except KeyboardInterrupt:
        holding.cancel()
        raise Interrupted("the connections are closed.") from None
    finally:
        trace = recording.finish()
    return Held(
        asked=n,
        path=path,
        streams=holding.streams,
        before=before,
        during=holding.during,
        wanted=events,
        probe_path=probe if asks else None,
        probe=holding.replies,
        tasks=_tasks(trace, holding.looked_us),
        trace=trace,
    )


class _Holding:
    """The connections, on a loop of their own."""

    def __init__(
        self,
        server: Server,
        recording: Recording,
        target: str,
        n: int,
        asks: list[str],
        events: int,
        patience: float,
        websocket: bool,
        headers: dict[str, str] | None,
    ) -> None:
        self._server, self._recording, self._asks = server, recording, asks
        self._url, self._events, self._patience = URL(target, encoded=True), events, patience
        self._receive = self._messages if websocket else self._pieces
        self._headers = dict(headers or {})
        self.streams = [Stream() for _ in range(n)]
        self.replies: list[Reply] = []
        self.during = Usage(0.0, 0, 0, 0)
        self.looked_us = self._begun_us = 0.0
        self._background = Background(self._all)
        self.wait, self.cancel = self._background.wait, self._background.cancel

    async def _all(self) -> None:
        async with session(keep_alive=False, timeout=None) as opened:
            self._begun_us = now_us()
            waited = [asyncio.Event() for _ in self.streams]
            tasks = [
                asyncio.create_task(self._hold(opened, place + 1, stream, enough))
                for place, (stream, enough) in enumerate(zip(self.streams, waited, strict=True))
            ]
            try:
                looks = [asyncio.create_task(enough.wait()) for enough in waited]
                await asyncio.wait(looks, timeout=self._patience)
                for look in looks:
                    look.cancel()
                self.during = await asyncio.to_thread(self._server.usage)
                self.looked_us = now_us()
                await self._probe(opened)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _hold(
        self, opened: aiohttp.ClientSession, number: int, stream: Stream, enough: asyncio.Event
    ) -> None:
        """Count what comes until this task is cancelled, or the server ends the connection."""
        self._recording.begun(number, self._begun_us)
        try:
            async for found in self._receive(opened, number, stream):
                if found and stream.first_s is None:
                    stream.first_s = (now_us() - self._begun_us) / 1e6
                stream.events += found
                if stream.events >= self._events:
                    enough.set()
            if stream.events < self._events:
                stream.error = "the server ended it before"
        except asyncio.CancelledError:
            if stream.status is None:
                stream.error = f"no answer within {self._patience:g} s"
            raise
        except aiohttp.WSServerHandshakeError as refused:
            stream.status = refused.status
            stream.error = f"the server answered {refused.status} to the handshake"
        except Exception as problem:
            stream.error = in_words(problem, self._patience)
        finally:
            enough.set()
            self._recording.ended(number, now_us(), stream.status, stream.error)

    async def _pieces(
        self, opened: aiohttp.ClientSession, number: int, stream: Stream
    ) -> AsyncIterator[int]:
        """How many events, or lines, each piece of a body ends."""
        headers = {**self._headers, **self._named(number)}
        async with opened.get(self._url, headers=headers, allow_redirects=False) as answer:
            stream.status = answer.status
            self._recording.answered(number, now_us())
            rest = b""
            of_events = answer.content_type == "text/event-stream"
            async for piece in answer.content.iter_any():
                parts = EVENT_END.split(rest + piece) if of_events else (rest + piece).split(b"\n")
                *whole, rest = parts
                rest = rest[-LONGEST_EVENT:]
                yield sum(not of_events or has_data(one) for one in whole)

    async def _messages(
        self, opened: aiohttp.ClientSession, number: int, stream: Stream
    ) -> AsyncIterator[int]:
        """One for each message of a WebSocket."""
        headers = {**self._headers, **self._named(number)}
        async with opened.ws_connect(self._url, headers=headers, timeout=NO_CLOSING) as socket:
            stream.status = 101
            self._recording.answered(number, now_us())
            async for _ in socket:
                yield 1

    async def _probe(self, opened: aiohttp.ClientSession) -> None:
        first = len(self.streams) + 1
        asking = [self._ask(opened, first + i, url) for i, url in enumerate(self._asks)]
        self.replies = list(await asyncio.gather(*asking))

    async def _ask(self, opened: aiohttp.ClientSession, number: int, url: str) -> Reply:
        begun = now_us()
        self._recording.begun(number, begun)
        status, error, body = None, None, bytearray()
        headers: dict[str, str] = {}
        limit = aiohttp.ClientTimeout(total=self._patience)
        place, named = URL(url, encoded=True), self._named(number)
        try:
            async with opened.get(place, headers=named, timeout=limit) as answer:
                status, headers = answer.status, dict(answer.headers)
                async for block in answer.content.iter_chunked(BLOCK):
                    body += block[: BODY_LIMIT - len(body)]
        except Exception as problem:
            error = in_words(problem, self._patience)
        ended = now_us()
        self._recording.ended(number, ended, status, error)
        intended_s = (begun - self._begun_us) / 1e6
        took_s = (ended - begun) / 1e6
        return Reply(status, headers, bytes(body), took_s, error, intended_s=intended_s)

    def _named(self, number: int) -> dict[str, str]:
        return {"traceparent": make_traceparent(self._recording.trace_id, number)}


NO_CLOSING = aiohttp.ClientWSTimeout(ws_close=0.2)  # a server that is full does not say good-bye


def has_data(event: bytes) -> bool:
    """Whether a block of an event stream is an event, not a comment (HTML, section 9.2.6)."""
    return any(line.partition(b":")[0] == b"data" for line in re.split(rb"\r\n|\r|\n", event))


def _tasks(trace: Trace, at_us: float) -> int | None:
    """The gauges ``tasks`` of all processes at that moment, added up."""
    total = None
    for lane in (one for one in trace.lanes if one.kind == "gauge" and one.name == "tasks"):
        records = trace.records
        mine = (records["kind"] == Kind.GAUGE) & (records["lane"] == lane.id)
        told = np.asarray(records["dur_us"][mine & (records["t_us"] <= at_us)])
        if len(told):
            total = (total or 0) + int(told[-1])
    return total
