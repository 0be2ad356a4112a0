"""The learner's ASGI middleware, to be asked by hand."""

from time import perf_counter
from typing import Any

from playground.grading import LearnerFile
from playground.grading.byhand import ByHand, asgi, curl
from playground.setups.async_apps import slow


def by_hand(file: LearnerFile, _grader: Any) -> ByHand:
    """It measures an app that waits."""
    timed = file.function("timed")
    return asgi(
        lambda: timed(slow, perf_counter),
        says="An app that waits is behind it.",
        ask=curl("/?s=0.5"),
    )
