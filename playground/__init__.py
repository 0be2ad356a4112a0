"""The playground: start a server, send it requests, and look at what happened.

The verbs are imported when they are first used, so that server processes, which import this package
too, stay light.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playground.classroom.membership import join, leave
    from playground.classroom.sharing import share
    from playground.grading.magics import exercise
    from playground.grading.predictions import predict, reveal
    from playground.interview.card import evidence, practice, questions
    from playground.interview.mock_widget import mock_interview
    from playground.interview.predict_widget import predict_timeline
    from playground.load.burst import burst, get
    from playground.load.client import Reply
    from playground.load.display import compare, timeline
    from playground.load.frames import Frame
    from playground.load.hold import Held, hold
    from playground.load.interleaved import Comparison, interleaved
    from playground.load.percentiles import Percentiles, percentiles
    from playground.load.raw import Wire, raw
    from playground.load.reopen import reopen
    from playground.load.run import Run
    from playground.load.sip import Sips, sip
    from playground.load.talk import Conversation, talk
    from playground.setups.catalogue import ServeError
    from playground.setups.processes import ProcessInfo
    from playground.setups.server import Server, serve
    from playground.setups.typed import Typed, typed
    from playground.setups.usage import Usage
    from playground.trace.ownloop import watch
    from playground.trace.trace import Trace

__all__ = [
    "Comparison",
    "Conversation",
    "Frame",
    "Held",
    "Percentiles",
    "ProcessInfo",
    "Reply",
    "Run",
    "ServeError",
    "Server",
    "Sips",
    "Trace",
    "Typed",
    "Usage",
    "Wire",
    "burst",
    "compare",
    "evidence",
    "exercise",
    "get",
    "hold",
    "interleaved",
    "join",
    "leave",
    "load",
    "mock_interview",
    "panel",
    "percentiles",
    "practice",
    "predict",
    "predict_timeline",
    "questions",
    "raw",
    "reopen",
    "reveal",
    "serve",
    "share",
    "sip",
    "talk",
    "timeline",
    "typed",
    "watch",
]

_HOMES = {
    "Comparison": "playground.load.interleaved",
    "Conversation": "playground.load.talk",
    "Frame": "playground.load.frames",
    "Held": "playground.load.hold",
    "Percentiles": "playground.load.percentiles",
    "ProcessInfo": "playground.setups.processes",
    "Reply": "playground.load.client",
    "Run": "playground.load.run",
    "ServeError": "playground.setups.catalogue",
    "Server": "playground.setups.server",
    "Sips": "playground.load.sip",
    "Trace": "playground.trace.trace",
    "Typed": "playground.setups.typed",
    "Usage": "playground.setups.usage",
    "Wire": "playground.load.raw",
    "burst": "playground.load.burst",
    "compare": "playground.load.display",
    "evidence": "playground.interview.card",
    "exercise": "playground.grading.magics",
    "get": "playground.load.burst",
    "hold": "playground.load.hold",
    "interleaved": "playground.load.interleaved",
    "join": "playground.classroom.membership",
    "leave": "playground.classroom.membership",
    "load": "playground.load",  # a module that can be called
    "mock_interview": "playground.interview.mock_widget",
    "panel": "playground.panel",  # the same
    "percentiles": "playground.load.percentiles",
    "practice": "playground.interview.card",
    "predict": "playground.grading.predictions",
    "predict_timeline": "playground.interview.predict_widget",
    "questions": "playground.interview.card",
    "raw": "playground.load.raw",
    "reopen": "playground.load.reopen",
    "reveal": "playground.grading.predictions",
    "serve": "playground.setups.server",
    "share": "playground.classroom.sharing",
    "sip": "playground.load.sip",
    "talk": "playground.load.talk",
    "timeline": "playground.load.display",
    "typed": "playground.setups.typed",
    "watch": "playground.trace.ownloop",
}


def __getattr__(name: str) -> Any:
    """Import a verb on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(_HOMES[name])
    value = globals()[name] = home if home.__name__ == f"playground.{name}" else getattr(home, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _register_magics() -> None:
    """Add `%%exercise` where IPython runs; a server's process never gets here."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None:
        from playground.grading.magics import register

        register(shell)


_register_magics()
