"""The learner's WSGI middleware, to be asked by hand."""

from time import monotonic
from typing import Any

from playground.grading import LearnerFile
from playground.grading.byhand import ByHand, curl, wsgi
from playground.setups.apps import stream


def by_hand(file: LearnerFile, _grader: Any) -> ByHand:
    """It prints what it reports."""
    metered = file.function("metered")
    return wsgi(
        lambda: metered(stream, print, monotonic),
        says="An app that streams is behind it, and its reports come here.",
        ask=curl("/?s=0.5"),
    )
