"""Send many requests at once, watch them, and keep what happened as a run."""

import math
import re
import resource
import secrets
import time
from typing import Any
from urllib.parse import quote

import numpy as np

from playground.errors import Interrupted
from playground.load.client import Observer, Reply, Request, Sending, send
from playground.load.display import Shown
from playground.load.run import Run, percentile
from playground.setups.catalogue import ServeError
from playground.setups.server import Server
from playground.trace.collector import Collector
from playground.trace.records import OPEN, UNTRACKED, Flag, Kind
from playground.trace.states import first_seen

MOST = 10_000  # requests in a burst
SPARE_FILES = 256  # that this process may have open besides its connections
QUIET_S = 0.1  # for requests from before to end; what is in service longer is seen in the run
LAST_WORDS_S = 0.25  # for the records of servers that end a request after its answer
LATE_US, LATE_PART = (
    5_000.0,
    0.1,
)  # a client later than both, in µs and of the median, is a bottleneck
SERVICES = (Kind.REQUEST, Kind.WORKER)
POLL_S = 0.005
SAFE = "/?&=%~!$'()*+,;:@-._"


def burst(
    server: Server,
    n: int = 8,
    path: str = "/",
    *,
    method: str = "GET",
    body: bytes | str | None = None,
    headers: dict[str, str] | None = None,
    keep_alive: bool = False,
    timeout: float = 30,
    show: bool = True,
) -> Run:
    """Send ``n`` requests at once, wait for all, and return the run.

    ``timeout`` seconds is what each may take. While they run, ``show`` draws them. An interrupt
    gives up what is open; what had happened until then stays in ``server.last_run``.

    Raises ``ServeError`` for numbers and paths that make no sense. A request that fails is no
    error: its reply says what went wrong.
    """
    if not isinstance(server, Server):
        raise ServeError(
            f"{server!r} is not a server: burst(server, …) takes what serve(…) returns."
        )
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= MOST:
        raise ServeError(f"A burst has from 1 to {MOST} requests, not {n!r}.")
    _check(method, body, headers, timeout)
    make_room(n)
    request = Request(
        url=server.url + _path(path),
        method=method,
        body=body.encode() if isinstance(body, str) else body,
        headers=dict(headers or {}),
        keep_alive=keep_alive,
        timeout=timeout,
        count=n,
        trace_id=secrets.token_hex(16),
    )
    return Recording(server, request, f"{method} {path}").run(show)


def get(server: Server, path: str = "/", *, timeout: float = 30) -> Reply:
    """Send one GET request and return its reply. It is recorded as untracked."""
    return send(Request(url=server.url + _path(path), timeout=timeout))[0]


class Recording:
    """The requests of one burst, written into the server's collector as they go."""

    def __init__(self, server: Server, request: Request, label: str) -> None:
        self._server = server
        self._request = request
        self._label = label
        self._title = f"{request.count} × {label} on {server.name}"
        self._begun: dict[int, float] = {}
        self._collector = server.collector or Collector({"traced": False})

    def run(self, show: bool) -> Run:
        """Send, watch, wait, and join the two sides."""
        server = self._server
        self._await_quiet()
        self._collector.begin(
            self._request.trace_id or "",
            title=self._title,
            command=server.command,
            setup=server.name,
            interface=server.interface,
            workers=server.workers,
            threads=server.threads,
            interrupted=False,
        )
        count = self._request.count
        shown = Shown(self._collector, server, count, self._title) if show else None
        sending = Sending(self._request, self._observer())
        try:
            sending.wait()
            self._await_last_words(sending)
        except KeyboardInterrupt:
            sending.cancel()
            self._collector.annotate(interrupted=True)
            raise Interrupted("what had happened until then is in server.last_run.") from None
        finally:
            run = server.last_run = self._finish(sending)
            if shown is not None:
                shown.finish(run)
        return run

    def _await_quiet(self) -> None:
        """A request that has just been answered is over: let the server say so before the run."""
        end = time.monotonic() + QUIET_S
        while self._collector.serving and time.monotonic() < end:
            time.sleep(POLL_S)

    def _observer(self) -> Observer:
        record, describe = self._collector.record, self._collector.describe

        def begun(number: int, t_us: float) -> None:
            self._begun[number] = t_us
            describe(number, label=self._label)
            record(Kind.CLIENT, t_us, OPEN, number)

        def sent(number: int, t_us: float) -> None:
            record(Kind.SEND, t_us, 0.0, number)

        def answered(number: int, t_us: float) -> None:
            record(Kind.RECV, t_us, 0.0, number)

        def ended(number: int, t_us: float, reply: Reply) -> None:
            flags = Flag.NONE if reply.error is None else Flag.ERROR
            begun_us = self._begun[number]
            record(Kind.CLIENT, begun_us, t_us - begun_us, number, flags=flags)
            if reply.status is not None:
                describe(number, status=reply.status)
            if reply.error is not None and self._collector.infos()[number].error is None:
                describe(number, error=reply.error)

        return Observer(begun, sent, answered, ended)

    def _await_last_words(self, sending: Sending) -> None:
        """A server ends a request, or itself, after its answer: the record comes a moment later."""
        answered = [number for number, reply in sending.replies.items() if reply.error is None]
        end = time.monotonic() + (LAST_WORDS_S if self._server.collector else 0)
        while time.monotonic() < end:
            records = self._collector.snapshot().records
            services = records[
                np.isin(records["kind"], SERVICES) & (records["request"] < UNTRACKED)
            ]
            still_open = np.isnan(services["dur_us"]).any()
            if not still_open and np.isin(answered, services["request"]).all():
                return
            time.sleep(POLL_S)

    def _finish(self, sending: Sending) -> Run:
        self._record_queues()
        replies = [sending.replies[number] for number in sorted(sending.replies)]
        self._collector.annotate(**punctuality(sending.lag_us, replies))
        run = Run(self._collector.snapshot(), replies)
        if self._collector is not self._server.collector:
            self._collector.close()
        return run

    def _record_queues(self) -> None:
        """From the intended send to the server's own record; none where the server left none."""
        numbers = np.array(sorted(self._begun), "u4")
        began = first_seen(self._collector.snapshot().records, numbers)
        for number, served in zip(numbers.tolist(), began.tolist(), strict=True):
            if math.isfinite(served):
                sent = self._begun[number]
                self._collector.record(Kind.QUEUE, sent, max(served - sent, 0.0), number)


def make_room(connections: int) -> None:
    """Let this process open so many sockets; raises ``ServeError`` if it must not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        if hard != resource.RLIM_INFINITY and hard < needed:
            most = hard - SPARE_FILES
            raise ServeError(f"This system allows {most} connections at once, not {connections}.")
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def punctuality(lag_us: float, replies: list[Reply]) -> dict[str, float | bool]:
    """How late the client itself was, in µs, and whether that was what limited the run."""
    starts = [reply.connect_s for reply in replies if reply.connect_s is not None]
    late = max(lag_us, *(start * 1e6 for start in starts), 0.0)
    median = percentile(sorted(reply.latency_s for reply in replies), 50) or 0.0
    limited = late > LATE_US and late > LATE_PART * median * 1e6
    return {"client_lag_us": late, "client_bottleneck": limited}


def _check(method: Any, body: Any, headers: Any, timeout: Any) -> None:
    """Raises ``ServeError`` for what no request can be made of."""
    if not isinstance(method, str) or not re.fullmatch(r"[!#$%&'*+.^_`|~\w-]+", method, re.ASCII):
        raise ServeError(f"A method is a word such as 'GET' or 'POST', not {method!r}.")
    if not isinstance(body, bytes | str | None):
        raise ServeError(f"A body is bytes or text, not {type(body).__name__}.")
    if not isinstance(headers, dict | None):
        raise ServeError(f"headers= is a dictionary such as {{'Accept': '*/*'}}, not {headers!r}.")
    for part in (part for field in (headers or {}).items() for part in field):
        if not isinstance(part, str) or re.search(r"[\r\n\0]", part):
            raise ServeError(f"The names and values of headers are text in one line, not {part!r}.")
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0:
        raise ServeError(f"timeout= is a number of seconds above 0, not {timeout!r}.")


def _path(path: str) -> str:
    if not isinstance(path, str) or not path.startswith("/"):
        raise ServeError(f"A path begins with a slash, such as '/slow?s=0.2', not {path!r}.")
    return quote(path, safe=SAFE)
