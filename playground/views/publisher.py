"""The picture while it happens: in a notebook, in a terminal, or nowhere.

``live(collector, server, expected=n)`` shows a picture and returns a handle; ``finish(run)`` gives
it the final trace. A publisher thread reads the collector and sends one message each 50 ms at
most, so the picture moves while the cell that started it is busy.
"""

import contextlib
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from playground.errors import Told
from playground.trace import states
from playground.trace.records import NOBODY, Kind, now_us
from playground.trace.trace import DTYPE, Lane, RequestInfo, Trace, settle
from playground.views import wire
from playground.views.summary import zero_us

PERIOD_S = 0.05  # between messages: the Jupyter server drops what comes much faster
KEYFRAME_S = 1.0  # between complete messages, for views whose hello did not arrive
SMALL_RECORDS = 500  # up to that many, every message is complete
KEYFRAME_RECORDS = 20_000  # complete messages larger than that are sent when asked for only
NOTHING = np.empty(0, DTYPE)
FRONT_END_S = 3.0  # after the run, until a view should have said hello


class Handle(Protocol):
    """What ``live`` returns."""

    key: str

    def finish(self, run: Any = None) -> None:
        """The run is over: show its trace, and leave a static picture behind."""


class Source(Protocol):
    """What a picture reads: the collector of a server."""

    def since(self, cursor: int) -> tuple[int, np.ndarray, dict[str, Any]]:
        """New records and changes since a cursor."""

    def snapshot(self) -> Trace:
        """All of the current run."""


def live(
    collector: Source, server: Any = None, *, expected: int = 0, title: str | None = None
) -> Handle:
    """Show the run that ``collector`` is recording: ``expected`` requests (0 = not known).

    In a notebook a widget, in a terminal lanes of characters, elsewhere nothing. ``server`` may
    have a ``command`` (str), shown where the trace's metadata has none, and ``actions`` (names),
    which become buttons that call its ``act``. The handle's ``finish`` accepts a run (with
    ``.trace``), a trace, or nothing.
    """
    if in_notebook():
        return NotebookHandle(collector, server, expected, title)
    if sys.stderr.isatty():
        return TerminalHandle(collector, expected)
    return NullHandle()


def hear_at_once(widget: Any) -> None:
    """What a view says goes to the subshell that it chose, and does not wait for the cell.

    ipykernel (since 7) hands it to the shell that spoke last on this comm: the busy one. So this is
    called after each message to the view.
    """
    with contextlib.suppress(AttributeError):
        del widget.comm._reply_subshell_id


def in_notebook() -> bool:
    """Whether a Jupyter kernel runs this code."""
    shell = sys.modules.get("IPython")
    ipython = shell.get_ipython() if shell else None
    return getattr(ipython, "kernel", None) is not None


class NullHandle:
    """No picture: neither a notebook nor a terminal is there to show one."""

    key = ""

    def finish(self, run: Any = None) -> None:
        """Nothing to end."""


class TerminalHandle:
    """Lanes of characters that move, by ``rich.Live``, on the error stream, above a bar that shows
    how many of the ``expected`` requests are over (0 = not known).
    """

    key = ""

    def __init__(self, collector: Source, expected: int = 0) -> None:
        from rich.console import Console
        from rich.live import Live

        from playground.views import terminal

        self._collector = collector
        self._finished = False
        self._live = Live(
            get_renderable=lambda: (
                "" if self._finished else terminal.moving(collector.snapshot(), now_us(), expected)
            ),
            console=Console(stderr=True),
            refresh_per_second=8,
            transient=True,
        )
        self._live.start()

    def finish(self, run: Any = None) -> None:
        """Remove the moving picture; what called this shows the run."""
        self._finished = True  # a last picture may be higher than the terminal, and stay
        self._live.stop()


class Moving:
    """A widget that follows a run from ``begin`` to ``finish``; what makes it shows it."""

    def __init__(
        self, collector: Source, server: Any = None, expected: int = 0, title: str | None = None
    ) -> None:
        from playground.views.widget import Timeline

        command = getattr(server, "command", None)
        self._told = {"command": command} if isinstance(command, str) else {}
        self._collector = collector
        self._title = title
        self._titles = None if title is None else [title]
        self._finished = False
        self.widget = Timeline()
        self.key = self.widget.key
        self._server, self._actions = server, list(getattr(server, "actions", []))
        offered = {**self._told, "actions": self._actions}
        self._publisher = Publisher(collector, self._send, expected, title, offered)
        self.widget.on_act = self._act
        self.widget.on_hello = self._publisher.hello

    def begin(self) -> None:
        """Send messages from now on."""
        self._publisher.start()

    def finish(self, run: Any = None) -> None:
        """Store the final trace in the widget. A second call does nothing."""
        if self._finished:
            return
        self._finished = True
        self._publisher.close()
        trace = getattr(run, "trace", run)
        if trace is None:
            trace = self._collector.snapshot()
        for name, value in self._told.items():
            trace.meta.setdefault(name, value)
        if hasattr(run, "key"):
            run.key = self.key
        self.widget.show([trace], self._titles)

    def _send(self, message: bytes) -> None:
        self.widget.send({"type": "frame"}, buffers=[message])
        hear_at_once(self.widget)

    def _act(self, name: str) -> None:
        """A button: a signal for the server, unless the run is over by now."""
        if not self._finished and name in self._actions:
            with contextlib.suppress(Told):
                self._server.act(name)


class NotebookHandle(Moving):
    """The same in a cell's output while the cell is busy, and a static picture for afterwards."""

    def __init__(
        self, collector: Source, server: Any = None, expected: int = 0, title: str | None = None
    ) -> None:
        from IPython.display import display

        super().__init__(collector, server, expected, title)
        self._noted = False
        self._twin: Any = None
        display(self.widget.view(), raw=True)
        self.begin()

    def finish(self, run: Any = None) -> None:
        """Store the final trace in the widget and show the static picture (hidden while the widget
        is seen). A second call does nothing.
        """
        if self._finished:
            return
        super().finish(run)
        from IPython.display import display

        self._twin = display(self._static(), raw=True, display_id=True)
        self.widget.on_hello = self._greeted
        timer = threading.Timer(FRONT_END_S, self._miss)
        timer.daemon = True
        timer.start()

    def _static(self, note: str | None = None) -> dict[str, Any]:
        from playground.views import static

        return static.bundle(self.widget.traces, self._titles, key=self.key, note=note)

    def _miss(self) -> None:
        """No view has said hello: the static picture says why nothing moves."""
        from playground.views import static

        if not self.widget.seen:
            self._noted = True
            self._twin.update(self._static(static.NO_FRONT_END), raw=True)

    def _greeted(self, _: int) -> None:
        """A view has said hello after all, from behind a busy kernel."""
        if self._noted:
            self._noted = False
            self._twin.update(self._static(), raw=True)


class Publisher(threading.Thread):
    """Reads the collector and sends what changed: only the requests of which something came."""

    def __init__(
        self,
        collector: Source,
        send: Callable[[bytes], None],
        expected: int,
        title: str | None,
        told: dict[str, Any],
    ) -> None:
        super().__init__(name="timeline-publisher", daemon=True)
        self._collector = collector
        self._send = send
        self._expected = expected
        self._title = title
        self._told = told
        self._cursor = 0
        self._records = NOTHING
        self._lanes: list[Lane] = []
        self._requests: dict[int, RequestInfo] = {}
        self._meta: dict[str, Any] = {}
        self._zero = float("nan")
        self._seq = 0
        self._asked = True  # the first message is complete
        self._complete_at = 0.0
        self._wake = threading.Event()
        self._closing = False

    def hello(self, seq: int) -> None:
        """A view has everything up to ``seq``: send it the whole if that is not all."""
        if seq != self._seq:
            self._asked = True
            self._wake.set()

    def close(self) -> None:
        """End after the message that is being sent."""
        self._closing = True
        self._wake.set()
        if self.is_alive():
            self.join(5)

    def run(self) -> None:
        """Until ``close``: a message, then a pause of 50 ms, or longer if making it took long."""
        while not self._closing:
            began = time.monotonic()
            self.step(began)
            cost = time.monotonic() - began
            pause = max(PERIOD_S, 4 * cost)
            self._wake.wait(pause)
            self._wake.clear()
            rest = began + PERIOD_S - time.monotonic()
            if rest > 0 and not self._closing:
                time.sleep(rest)

    def step(self, now: float) -> None:
        """Read the collector and send one message."""
        self._cursor, fresh, changes = self._collector.since(self._cursor)
        changed = changes.get("requests", {})
        self._requests.update(changed)
        self._lanes = changes.get("lanes", self._lanes)
        lost = changes["meta"].get("dropped") != self._meta.get("dropped")
        self._meta = changes["meta"]
        if len(fresh):
            self._records = settle(np.concatenate([self._records, fresh]))
        touched = states.touched(self._records, fresh) | set(changed)
        zero = zero_us(self._trace(self._records))
        period = 0 if len(self._records) <= SMALL_RECORDS else KEYFRAME_S
        due = now - self._complete_at >= period and len(self._records) <= KEYFRAME_RECORDS
        if self._asked or due or lost or zero != self._zero:
            self._asked, self._complete_at, self._zero = False, now, zero
            self._publish(None)
        else:
            self._publish(tuple(sorted(touched)), fresh)

    def _part(self, touched: tuple[int, ...], fresh: np.ndarray) -> np.ndarray:
        """All of some requests, what is known of lanes, and of loops and gauges what is new."""
        records = self._records
        mine = np.isin(records["request"], np.array([NOBODY, *touched], "u4"))
        mine &= ~np.isin(records["kind"], wire.OF_LOOPS)
        return np.concatenate([records[mine], fresh[np.isin(fresh["kind"], wire.OF_LOOPS)]])

    def _trace(self, records: np.ndarray, requests: dict[int, RequestInfo] | None = None) -> Trace:
        meta = {**self._told, **self._meta}
        return Trace(records, self._lanes, self._requests if requests is None else requests, meta)

    def _publish(self, touched: tuple[int, ...] | None, fresh: np.ndarray = NOTHING) -> None:
        if touched is None:
            trace = self._trace(self._records)
        else:
            infos = {
                number: self._requests[number] for number in touched if number in self._requests
            }
            trace = self._trace(self._part(touched, fresh), infos)
        gauges = self._records["kind"] == Kind.GAUGE
        now = self._zero if gauges.all() else now_us()  # the clock starts with the first send
        part = wire.Part(trace, self._zero, now, self._title, self._expected, touched)
        base = 0 if touched is None else self._seq
        self._seq += 1
        self._send(wire.pack([part], seq=self._seq, base=base, live=True))
