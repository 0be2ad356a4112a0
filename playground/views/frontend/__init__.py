"""The front end: readable JavaScript files, sent to the browser as one module.

A widget's module is imported from a blob URL, so it is one file without imports of its own. Here it
is several, one idea each, and ``module`` joins them: names are shared, and only the last exports.
"""

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
PARTS = (
    "words",  # states, colours, numbers in words
    "run",  # rows → requests, lanes, and the moment t
    "brush",  # bars, textures, text on a canvas
    "scene",  # what both scenes share: the line at the door
    "restaurant",  # WSGI: every table has its own waiter
    "truck",  # ASGI: one cook, ovens, a pass, a bell
    "timeline",  # rows of bars, lanes, the lag of a loop
    "view",  # clock, controls, mouse and keys
    "processes",  # rows of the server's processes, signals and their buttons
    "widget",  # messages from the kernel; what anywidget calls
)


@cache
def module() -> str:
    """One ES module that exports ``{ render }``."""
    return "\n".join((FOLDER / f"{part}.js").read_text("utf-8") for part in PARTS)


@cache
def style() -> str:
    """The style sheet around the canvases."""
    return (FOLDER / "style.css").read_text("utf-8")
