"""The learner's adapter, to be asked by hand."""

from typing import Any

from playground.grading import LearnerFile
from playground.grading.byhand import ByHand, asgi, curl
from playground.setups.apps import stream


def by_hand(file: LearnerFile, _grader: Any) -> ByHand:
    """A WSGI app streams through it."""
    adapt = file.function("adapt")
    return asgi(
        lambda: adapt(stream),
        says="A WSGI app that streams is behind it.",
        ask=curl("/?s=0.5", "-iN"),
    )
