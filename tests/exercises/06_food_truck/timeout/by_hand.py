"""The learner's time-out, to be asked by hand."""

from typing import Any

from playground.grading import LearnerFile
from playground.grading.byhand import ByHand, asgi, curl
from playground.setups.async_apps import slow


def by_hand(file: LearnerFile, _grader: Any) -> ByHand:
    """An app that waits has one second."""
    with_timeout = file.function("with_timeout")
    return asgi(
        lambda: with_timeout(slow, 1.0),
        says="An app that waits is behind it, and has one second.",
        ask=curl("/?s=2"),
    )
