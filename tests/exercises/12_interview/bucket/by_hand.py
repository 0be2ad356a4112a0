"""The learner's rate limit, to be asked by hand."""

from time import monotonic
from typing import Any

from playground.grading import LearnerFile
from playground.grading.byhand import ByHand, asgi, curl
from playground.setups.async_apps import hello


def by_hand(file: LearnerFile, _grader: Any) -> ByHand:
    """Slow enough to see it."""
    limited = file.function("limited")
    return asgi(
        lambda: limited(hello, 0.2, 2, monotonic),
        says="It allows two requests at once, then one every five seconds.",
        ask=curl("/"),
    )
