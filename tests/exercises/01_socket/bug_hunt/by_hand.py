"""The learner's HTTP server, to be asked by hand."""

from typing import Any

from playground.grading import LearnerFile
from playground.grading.byhand import ByHand, curl, listener_only


def by_hand(file: LearnerFile, _grader: Any) -> ByHand:
    """It needs nothing behind it."""
    return ByHand(
        listener_only(file),
        says="It tells what you asked for, and how long your body was.",
        ask=curl("/menu", "-d soup"),
    )
