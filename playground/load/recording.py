"""What a client does with a server, written into the server's collector as it goes."""

import math
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from playground.classroom import last_run
from playground.load.client import Observer, Reply
from playground.patience import Patience
from playground.setups.server import Server
from playground.setups.watching import Watch
from playground.trace.collector import Collector
from playground.trace.records import OPEN, UNTRACKED, Flag, Kind
from playground.trace.states import first_seen
from playground.trace.trace import Trace

QUIET_S = 0.1  # for requests from before to end; what is in service longer is seen in the run
LAST_WORDS_S = 0.25  # for the records of servers that end a request after its answer
REPLACED_S = 2.0  # for who comes after a worker that has ended, so that the picture shows it
SERVICES = (Kind.REQUEST, Kind.WORKER)
POLL_S = 0.005


class Recording:
    """One run on a server: its requests are numbered from 1 on, ``label(number)`` names each.

    Requests that carry a traceparent of ``trace_id`` are joined with what the server records.
    """

    def __init__(self, server: Server, title: str, label: Callable[[int], str]) -> None:
        self.trace_id = secrets.token_hex(16)
        self.title = title
        self.collector = server.collector or Collector({"traced": False})
        self._server = server
        self._label = label
        self._begun: dict[int, float] = {}
        self._watch: Watch | None = None

    def begin(self, **meta: Any) -> None:
        """From here on; ``meta`` is told with the trace."""
        self._await_quiet()
        server = self._server
        told = {"title": self.title, "command": server.command, "setup": server.name}
        size = {"workers": server.workers, "threads": server.threads}
        self.collector.begin(
            self.trace_id,
            **told,
            interface=server.interface,
            **size,
            interrupted=False,
            **{"probe_from": None, "arrivals": None, **meta},
        )
        self._watch = server.watch(self.collector)

    def observer(self) -> Observer:
        """Writes down what a client tells."""
        return Observer(self.begun, self.sent, self.answered, self._ended)

    def begun(self, number: int, t_us: float) -> None:
        """A request was meant to be sent."""
        self._begun[number] = t_us
        self.collector.describe(number, label=self._label(number))
        self.collector.record(Kind.CLIENT, t_us, OPEN, number)

    def sent(self, number: int, t_us: float) -> None:
        """It was sent."""
        self.collector.record(Kind.SEND, t_us, 0.0, number)

    def answered(self, number: int, t_us: float) -> None:
        """Its answer has begun."""
        self.collector.record(Kind.RECV, t_us, 0.0, number)

    def ended(self, number: int, t_us: float, status: int | None, error: str | None) -> None:
        """It is over, for the client."""
        flags = Flag.NONE if error is None else Flag.ERROR
        begun_us = self._begun[number]
        self.collector.record(Kind.CLIENT, begun_us, t_us - begun_us, number, flags=flags)
        if status is not None:
            self.collector.describe(number, status=status)
        if error is not None and self.collector.infos()[number].error is None:
            self.collector.describe(number, error=error)

    def await_last_words(self, answered: Iterable[int]) -> None:
        """A server ends a request, or itself, after its answer: the record comes a moment later."""
        if self._server.collector:
            known = list(answered)
            self._wait(lambda: self._is_all_told(known), LAST_WORDS_S)

    def _is_all_told(self, answered: list[int]) -> bool:
        records = self.collector.snapshot().records
        services = records[np.isin(records["kind"], SERVICES) & (records["request"] < UNTRACKED)]
        still_open = np.isnan(services["dur_us"]).any()
        return not still_open and bool(np.isin(answered, services["request"]).all())

    def finish(self, **meta: Any) -> Trace:
        """The trace of it all; ``meta`` is what is known only now."""
        self._record_queues()
        if self._watch is not None:
            self._watch.await_replacement(REPLACED_S)
            self._watch.close()
        self.collector.annotate(**meta)
        trace = self.collector.snapshot()
        if self.collector is not self._server.collector:
            self.collector.close()
        last_run.keep(trace)
        return trace

    def _ended(self, number: int, t_us: float, reply: Reply) -> None:
        self.ended(number, t_us, reply.status, reply.error)

    def _await_quiet(self) -> None:
        """A request that has just been answered is over: let the server say so before the run."""
        self._wait(lambda: not self.collector.serving, QUIET_S)

    def _wait(self, condition: Callable[[], bool], seconds: float) -> None:
        """Wait for what the server is about to tell: not long, unless it is kept from running."""
        patience, is_over = Patience(self._server.pids, seconds), False
        while True:
            self.collector.catch_up()
            if condition() or is_over:
                return
            is_over = patience.over()
            time.sleep(POLL_S)

    def _record_queues(self) -> None:
        """From the intended send to the server's own record; none where the server left none."""
        numbers = np.array(sorted(self._begun), "u4")
        began = first_seen(self.collector.snapshot().records, numbers)
        for number, served in zip(numbers.tolist(), began.tolist(), strict=True):
            if math.isfinite(served):
                sent = self._begun[number]
                self.collector.record(Kind.QUEUE, sent, max(served - sent, 0.0), number)
