"""Trace → pictures: a widget that moves, a static SVG, a terminal, one HTML file, Perfetto.

Every picture is drawn from ``playground.trace.states.spans`` and from nothing else.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playground.views.publisher import live
    from playground.views.widget import Timeline, compare

__all__ = ["Timeline", "compare", "live"]

_HOMES = {"Timeline": "widget", "compare": "widget", "live": "publisher"}


def __getattr__(name: str) -> Any:
    """Import on first use: widgets take a third of a second that a terminal need not wait for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
