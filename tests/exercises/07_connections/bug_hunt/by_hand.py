"""The learner's WebSocket server, to be asked by hand."""

from typing import Any

from playground.grading import LearnerFile
from playground.grading.byhand import ByHand, listener_only


def by_hand(file: LearnerFile, _grader: Any) -> ByHand:
    """It needs nothing behind it."""
    return ByHand(
        listener_only(file),
        says="It opens a WebSocket, and says back what comes in its frames.",
        ask="python -m websockets ws://127.0.0.1:$PORT/",
    )
