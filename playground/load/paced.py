"""Send requests over time, as guests arrive at a door, and keep what happened as a run."""

import asyncio
import itertools
from collections.abc import Iterator

import aiohttp

from playground.load.arrivals import LONGEST_S, TOGETHER, Plan, most_within, plan
from playground.load.burst import Progress, burst, record
from playground.load.checks import (
    check_body,
    check_headers,
    check_method,
    check_probe,
    check_seconds,
    check_server,
    make_room,
    quoted,
)
from playground.load.client import Observer, Probe, Reply, Request, Sending
from playground.load.display import Show
from playground.load.punctuality import of_load
from playground.load.recording import Recording
from playground.load.run import Run
from playground.setups.catalogue import ServeError
from playground.setups.server import Server
from playground.trace.records import now_us

REST_S = 0.05  # of a client in a closed loop after a request without an answer
SHARP_S = 0.001  # before a moment, from which on the clock is watched: timers are no better …
SHARP_PART = 0.1  # … but no more of the time than this


def load(
    server: Server,
    path: str = "/",
    *,
    arrivals: str = "poisson",
    rate: float = 20.0,
    n: int | None = None,
    seconds: float | None = None,
    clients: int = 8,
    seed: int = 1,
    method: str = "GET",
    body: bytes | str | None = None,
    headers: dict[str, str] | None = None,
    keep_alive: bool = False,
    timeout: float = 30,
    probe: str | None = None,
    every: float = 0.05,
    show: Show = True,
    share: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Send requests over time, wait for all, and return the run.

    ``arrivals`` says when: ``"poisson"`` (at random, ``rate`` a second on average; the same
    ``seed`` gives the same moments), ``"steady"`` (one each ``1/rate`` s), ``"together"`` (all at
    once, as ``burst`` does), or ``"closed"`` (``clients`` of them, each sends again when it is
    answered). It ends with ``n`` requests or after ``seconds``, whichever comes first; 5 seconds if
    you do not say. What is under way then is waited for, ``timeout`` s at most.

    Latency counts from the intended moment, which no answer moves: a server that stalls is late for
    all that should have been sent meanwhile. The closed loop is the exception, and says so.
    ``run.summary()`` tells how late the client itself was (``sender_late_ms``), and whether that is
    what one sees (``bottleneck``).

    ``probe`` is the path of a health check, as in ``burst``: one GET each ``every`` seconds, on
    connections of their own, until the load is over. What comes back is in ``run.probe``, and in
    none of the other numbers. ``share`` shows the run on the classroom's board, as in ``burst``.

    An interrupt gives up what is open; what had happened until then stays in ``server.last_run``.

    Raises ``ServeError`` for numbers and paths that make no sense, ``ClassroomError`` where a run
    is to be shared and no board was joined. A request that fails is no
    error: its reply says what went wrong.
    """
    check_server(server, "load")
    settled = plan(arrivals, n, seconds, rate, clients, seed)
    if settled.arrivals == TOGETHER:
        return burst(
            server,
            settled.most,
            path,
            method=method,
            body=body,
            headers=headers,
            keep_alive=keep_alive,
            timeout=timeout,
            probe=probe,
            every=every,
            show=show,
            share=share,
            progress=progress,
        )
    check_method(method)
    check_body(body)
    check_headers(headers)
    check_seconds("timeout", timeout)
    url = server.url + quoted(path)
    moments = settled.offsets() if settled.open else []
    if settled.open and not moments:
        raise ServeError(
            f"No request falls into {settled.seconds:g} s at {settled.rate:g}/s: take a higher"
            " rate=, or more seconds=."
        )
    probes = check_probe(probe, every, timeout, settled.known_s)
    make_room((most_within(moments, timeout) if settled.open else settled.clients) + probes)
    count = "" if settled.n is None else f"{settled.n} × "
    first_probe = (len(moments) or settled.most) + 1
    beside = f", probe {probe}" if probe else ""
    recording = Recording(
        server,
        f"{count}{method} {path}, {settled.words()}{beside}, on {server.name}",
        lambda number: f"{method} {path}" if number < first_probe else f"probe GET {probe}",
    )
    request = Request(
        urls=(url,),
        method=method,
        body=body.encode() if isinstance(body, str) else body,
        headers=dict(headers or {}),
        keep_alive=keep_alive,
        timeout=timeout,
        trace_id=recording.trace_id,
        probe=Probe(server.url + quoted(probe), every) if probe else None,
    )
    started: list[Paced] = []

    def start(observer: Observer) -> Sending:
        started.append(Paced(request, observer, settled, moments, first_probe))
        return started[0]

    def look() -> None:
        if progress is not None:
            progress(started[0].part)

    return record(
        server,
        recording,
        start,
        expected=len(moments) or settled.n or 0,
        show=show,
        share=share,
        look=look,
        probe_from=first_probe if probe else None,
        arrivals=settled.meta(),
    )


class Paced(Sending):
    """Requests that go out by a plan: at ``moments`` (seconds from the start), or in turns. Those
    of the probe are numbered from ``first_probe`` on.
    """

    def __init__(
        self,
        request: Request,
        observer: Observer,
        settled: Plan,
        moments: list[float],
        first_probe: int,
    ) -> None:
        self._plan, self._moments, self._url = settled, moments, request.urls[0]
        self._first_probe = first_probe
        self._starts_us: list[float] = []  # how late each request was taken up
        super().__init__(request, observer)

    @property
    def part(self) -> float:
        """How much is done, from 0 to 1."""
        done = len(self._own)
        if self._plan.open:
            return done / max(1, len(self._moments))
        passed = (now_us() - self.intended_us) / 1e6 if self.intended_us else 0.0
        return min(1.0, max(passed / self._plan.longest_s, done / self._plan.most))

    @property
    def _own(self) -> list[Reply]:
        """The replies so far, without those of the probe."""
        return [one for number, one in list(self.replies.items()) if number < self._first_probe]

    def punctuality(self) -> dict[str, float | bool]:
        """How late it was itself, and whether that shows."""
        replies = self._own
        connects = [one.connect_s * 1e6 for one in replies if one.connect_s is not None]
        late = [*self._starts_us, *connects] if self._plan.open else []
        return of_load(late, self.lags_us, (one.latency_s for one in replies))

    async def _send_all(self, opened: aiohttp.ClientSession) -> None:
        self.intended_us = now_us()
        own: set[asyncio.Task[None]] = set()
        probes: set[asyncio.Task[None]] = set()
        over, probe = asyncio.create_task(self._follow(opened, own)), self._request.probe
        try:
            if probe is not None:
                await self._probe(opened, probe, over, self._first_probe, probes)
            await over
            if probes:
                await asyncio.wait(probes)
        finally:
            for task in (over, *own, *probes):
                task.cancel()
            await asyncio.gather(over, *own, *probes, return_exceptions=True)

    async def _follow(self, opened: aiohttp.ClientSession, tasks: set[asyncio.Task[None]]) -> None:
        """Send what is planned, and wait for it."""
        if self._plan.open:
            await self._on_schedule(opened, tasks)
        else:
            numbers = itertools.count(1)
            tasks.update(
                asyncio.create_task(self._in_turns(opened, numbers))
                for _ in range(self._plan.clients)
            )
        for task in asyncio.as_completed(tasks):
            await task

    async def _on_schedule(
        self, opened: aiohttp.ClientSession, tasks: set[asyncio.Task[None]]
    ) -> None:
        """Open: each at its moment, whatever has become of the others."""
        sharp_us = min(SHARP_S, SHARP_PART / self._plan.rate) * 1e6
        for number, moment in enumerate(self._moments, 1):
            due = self.intended_us + moment * 1e6
            await asyncio.sleep(max(0.0, due - now_us() - sharp_us) / 1e6)
            while now_us() < due:
                await asyncio.sleep(0)
            self._begin(number, due)
            tasks.add(asyncio.create_task(self._at_last(opened, number)))

    async def _at_last(self, opened: aiohttp.ClientSession, number: int) -> None:
        self._starts_us.append(now_us() - self._due[number])
        await self._one(opened, number, self._url)

    async def _in_turns(self, opened: aiohttp.ClientSession, numbers: Iterator[int]) -> None:
        """Closed: one client, which sends again when it is answered."""
        until = self.intended_us + (self._plan.seconds or LONGEST_S) * 1e6
        while now_us() < until and (number := next(numbers)) <= self._plan.most:
            self._begin(number, now_us())
            await self._one(opened, number, self._url)
            if self.replies[number].error is not None:
                await asyncio.sleep(REST_S)
