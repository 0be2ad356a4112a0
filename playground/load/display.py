"""How runs are shown: moving in a notebook, as colours and characters in a terminal."""

from collections.abc import Callable
from typing import Any

from playground.load.outcome import check_together
from playground.load.percentiles import Percentiles, percentiles
from playground.load.run import Run
from playground.setups.catalogue import ServeError
from playground.setups.server import Server
from playground.trace.collector import Collector
from playground.trace.trace import Trace
from playground.views.publisher import Handle, in_notebook, live

Shows = Run | Trace
# Whether a run is drawn while it goes on, or by whom: a function of a collector, its server, how
# many requests there will be, and a title. It gives what ``finish(run)`` is called of at the end.
Show = bool | Callable[[Collector, Server, int, str], Handle]


class Shown:
    """A burst of ``expected`` requests, shown from before it begins until ``finish``."""

    def __init__(self, collector: Collector, server: Server, expected: int, title: str) -> None:
        self._handle: Handle | None = None
        try:
            self._handle = live(collector, server, expected=expected, title=title)
        except ImportError as missing:
            print(
                f"The moving picture needs {missing.name or 'anywidget'}, which is not installed"
                " here: run `make lab` once. The static picture follows."
            )

    def finish(self, run: Run) -> None:
        """The burst has ended: leave its picture."""
        if self._handle is not None:
            self._handle.finish(run)
        if not in_notebook():
            _print(run.trace)
            if run.note:
                print(run.note)
        elif self._handle is None:
            from IPython.display import display

            display(run)
        elif run.trace.meta.get("arrivals") and run.note:
            print(run.note)  # the moving picture has no place for it


def shown_by(
    show: Show, collector: Collector, server: Server, expected: int, title: str
) -> Handle | Shown | None:
    """Begin to draw a run, if that is wished."""
    if callable(show):
        return show(collector, server, expected, title)
    return Shown(collector, server, expected, title) if show else None


def timeline(run: Shows) -> Any:
    """The run or trace as a widget to play, scrub and zoom; printed where there is no notebook."""
    return _show([_trace(run)], None)


def compare(*runs: Shows, titles: list[str] | None = None) -> Any:
    """Up to four runs or traces stacked on one clock and one scale. ``titles``: one for each.

    If one of them is a load over time, their percentiles are shown first, in one chart.

    Raises ``ServeError`` without runs or for too many, for what is no run, and for too few or too
    many titles.
    """
    if not runs:
        raise ServeError("There is nothing to compare: pass runs, as in compare(one, other).")
    check_together(len(runs), "runs")
    if titles is not None and len(titles) != len(runs):
        raise ServeError(f"titles= wants one title for each of the {len(runs)} runs.")
    traces = [_trace(run) for run in runs]
    if any(trace.meta.get("arrivals") for trace in traces):
        _overlay(percentiles(*runs, titles=titles))
    names = titles or [str(trace.meta.get("title", "run")) for trace in traces]
    return _show(traces, names)


def _overlay(curves: Percentiles) -> None:
    if in_notebook():
        from IPython.display import display

        display(curves)
    else:
        print(curves.to_text())


def _show(traces: list[Trace], titles: list[str] | None) -> Any:
    if in_notebook():
        from playground.views.widget import Timeline

        return Timeline(traces, titles)
    for place, trace in enumerate(traces):
        _print(trace, titles[place] if titles else None)
    return None


def _print(trace: Trace, title: str | None = None) -> None:
    from rich.console import Console

    from playground.views import terminal

    Console().print(terminal.render(trace, title=title))


def _trace(run: Shows) -> Trace:
    if not isinstance(run, Run | Trace):
        raise ServeError(f"{run!r} is no run: pass what burst(…) or Trace.load(…) returned.")
    return run.trace if isinstance(run, Run) else run
