"""Grading: exercise + learner's file → verdict, hints, progress.

What graders import (docs/AUTHORING.md shows how):
`Learner`, `Remote`, `Raised`, `fail`, `fresh`, `same`, `short`; for servers `Server`, `Client`,
`Gate`; for PEP 3333 `environ`, `Recorder`, `Body`, `Blocks`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playground.grading.checking import LearnerFile as LearnerFile
    from playground.grading.checking import fresh as fresh
    from playground.grading.checking import grade as grade
    from playground.grading.exercise import Exercise as Exercise
    from playground.grading.exercise import ExerciseError as ExerciseError
    from playground.grading.exercise import find as find
    from playground.grading.exercise import load as load
    from playground.grading.learner import Learner as Learner
    from playground.grading.learner import Raised as Raised
    from playground.grading.learner import Remote as Remote
    from playground.grading.learner import same as same
    from playground.grading.learner import short as short
    from playground.grading.pep3333 import Blocks as Blocks
    from playground.grading.pep3333 import Body as Body
    from playground.grading.pep3333 import Recorder as Recorder
    from playground.grading.pep3333 import environ as environ
    from playground.grading.verdict import Failed as Failed
    from playground.grading.verdict import Message as Message
    from playground.grading.verdict import Status as Status
    from playground.grading.verdict import Verdict as Verdict
    from playground.grading.verdict import fail as fail
    from playground.grading.wire import Client as Client
    from playground.grading.wire import Gate as Gate
    from playground.grading.wire import Response as Response
    from playground.grading.wire import Server as Server
    from playground.grading.wire import Visit as Visit

_HOME = {
    "exercise": ("Exercise", "ExerciseError", "find", "load"),
    "checking": ("LearnerFile", "fresh", "grade"),
    "learner": ("Learner", "Raised", "Remote", "same", "short"),
    "pep3333": ("Blocks", "Body", "Recorder", "environ"),
    "verdict": ("Failed", "Message", "Status", "Verdict", "fail"),
    "wire": ("Client", "Gate", "Response", "Server", "Visit"),
}
_WHERE = {name: module for module, names in _HOME.items() for name in names}
__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    """Import on first use, so that the learner's process loads only what it needs (PEP 562)."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
