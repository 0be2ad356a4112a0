"""The picture that moves: an anywidget whose front end lies in ``frontend/``.

The model's state holds one finished message (``final``), so a notebook that was saved with widget
state opens interactively without a kernel. ``playground.views.publisher`` sends the live messages.
"""

import uuid
from collections.abc import Callable, Sequence
from typing import Any

import anywidget
import traitlets

from playground.trace.trace import Trace
from playground.views import frontend, static, wire

STORED_RECORDS = 100_000  # more would make the notebook file too large to open quickly


class Timeline(anywidget.AnyWidget):
    """One or more traces on one clock, to play, scrub, zoom and hover.

    ``Timeline(trace)`` shows a finished trace. ``traces`` may be a sequence, with ``titles`` of the
    same length; all are drawn on one scale, each from its first intended send.
    """

    _esm = frontend.module()
    _css = frontend.style()
    final = traitlets.Bytes(b"").tag(sync=True)
    key = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self, traces: Trace | Sequence[Trace] = (), titles: Sequence[str] | None = None
    ) -> None:
        super().__init__(key=uuid.uuid4().hex[:12])
        self.traces = [traces] if isinstance(traces, Trace) else list(traces)
        self.titles = list(titles) if titles is not None else None
        self.seen = False  # a view has said hello
        self.on_hello: Callable[[int], None] | None = None
        self.on_act: Callable[[str], None] | None = None  # a button was pressed
        self.on_msg(self._message)
        if self.traces:
            self.show(self.traces, self.titles)

    def show(self, traces: Sequence[Trace], titles: Sequence[str] | None = None) -> None:
        """Make finished traces the picture of every view, and store them in the model's state."""
        self.traces = list(traces)
        self.titles = list(titles) if titles is not None else None
        names: list[str | None] = list(titles) if titles else [None] * len(self.traces)
        if len(names) != len(self.traces):
            raise ValueError(f"{len(self.traces)} traces and {len(names)} titles: give one each.")
        parts = [wire.whole(trace, name) for trace, name in zip(self.traces, names, strict=True)]
        self.final = wire.pack([wire.shorten(part, STORED_RECORDS) for part in parts])

    def _message(self, _: Any, content: dict[str, Any], __: list[memoryview]) -> None:
        """May run in any thread while a cell is busy."""
        if content.get("type") == "hello":
            self.seen = True
            if self.on_hello is not None:
                self.on_hello(int(content.get("seq", 0)))
        elif content.get("type") == "act" and self.on_act is not None:
            self.on_act(str(content.get("name")))

    def view(self) -> dict[str, Any]:
        """A MIME bundle that shows the widget, and words where its front end is missing."""
        shown = super()._repr_mimebundle_()
        data = dict(shown[0]) if shown else {}
        return {**data, "text/plain": "The moving picture of this run."}

    def _ipython_display_(self) -> None:
        """Show the widget and below it its static twin, which the live view hides."""
        from IPython.display import display

        display(self.view(), raw=True)
        if self.traces:
            display(static.bundle(self.traces, self.titles, key=self.key), raw=True)


def compare(traces: Sequence[Trace], titles: Sequence[str]) -> Timeline:
    """Finished traces stacked on one clock and one scale, with one set of controls."""
    if not traces:
        raise ValueError("Nothing to compare: give at least one trace.")
    return Timeline(traces, titles)
