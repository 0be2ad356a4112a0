"""What all static views share: colours (safe for colour-blind readers) and words."""

from dataclasses import dataclass

from playground.trace.records import UNTRACKED
from playground.trace.states import State

PALETTE = {
    "light": (
        *("#0072b2", "#e69f00", "#009e73", "#cc79a7"),
        *("#56b4e9", "#d55e00", "#8f7ee7", "#8c8c2b"),
    ),
    "dark": (
        *("#3a97d9", "#e69f00", "#17b286", "#d98bb6"),
        *("#7cc7f2", "#e8752a", "#a396f0", "#a9a944"),
    ),
}
STATE_WORDS = {
    State.QUEUED: "queued",
    State.RUNNING: "running",
    State.WAITING: "waiting",
    State.READY: "ready, not running",
    State.SERVED: "in service, unknown which",
}


@dataclass(frozen=True)
class Theme:
    """The colours of one static picture. ``paper`` is empty where the page shows through."""

    ink: str
    muted: str
    faint: str
    paper: str
    alarm: str
    many: str
    colors: tuple[str, ...]


THEMES = {
    "light": Theme(
        "#1d1d24", "#5f6673", "#e2e4e9", "#ffffff", "#b3261e", "#4a5264", PALETTE["light"]
    ),
    "dark": Theme(
        "#ececf1", "#a3a8b4", "#363943", "#15161a", "#ff8a80", "#aab2c5", PALETTE["dark"]
    ),
    # for a page of unknown background: its own text colour, and colours of middle lightness
    "auto": Theme(
        "currentColor", "currentColor", "#8a909c", "", "#d93f34", "#7f8797", PALETTE["light"]
    ),
}


def color_of(
    request: int, colors: tuple[str, ...], probe_from: int | None = None, ink: str = ""
) -> str:
    """The one colour of a request in every view; probes, which are numbered from ``probe_from`` on,
    have that of the text.
    """
    if is_probe(request, probe_from):
        return ink
    return "#7f8797" if request >= UNTRACKED else colors[(request - 1) % len(colors)]


def is_probe(request: int, probe_from: int | None) -> bool:
    """Whether a request is one of the probes, which are numbered from ``probe_from`` on."""
    return probe_from is not None and probe_from <= request < UNTRACKED


def tag(request: int, probe_from: int | None = None) -> str:
    """``#3``; ``p3`` for a probe, ``?3`` for a request that carried no number of the run."""
    if probe_from is not None and is_probe(request, probe_from):
        return f"p{request - probe_from + 1}"
    return f"?{request - UNTRACKED}" if request >= UNTRACKED else f"#{request}"


def seconds(value: float) -> str:
    """A time in seconds, with the unit that reads best: ``1.72 s``, ``45 ms``, ``120 µs``."""
    size = abs(value)
    if size == 0:
        return "0 s"
    if size >= 9.995:
        return f"{value:.1f} s"
    if size >= 0.9995:
        return f"{value:.2f} s"
    if size >= 0.0995:
        return f"{value * 1e3:.0f} ms"
    if size >= 0.0009995:
        return f"{float(f'{value * 1e3:.2g}'):g} ms"
    return f"{value * 1e6:.0f} µs"


def percent(part: float, whole: float) -> str:
    """``part`` of ``whole`` in percent; ``–`` of nothing."""
    if whole <= 0:
        return "–"
    value = min(100.0, part / whole * 100)
    return f"{value:.0f} %" if value >= 9.95 else f"{value:.1f} %"
