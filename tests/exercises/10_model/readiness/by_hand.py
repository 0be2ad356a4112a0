"""The learner's application, to be asked by hand while its model loads."""

import time
from typing import Any

from playground.grading import LearnerFile
from playground.grading.byhand import ByHand, asgi, curl


def by_hand(file: LearnerFile, _grader: Any) -> ByHand:
    """Its model takes a while to load, and says a body backwards."""
    make_app = file.function("make_app")
    return asgi(
        lambda: make_app(slowly_loaded),
        says="Its model loads for ten seconds, and says a body backwards.",
        ask=curl("/ready"),
    )


def slowly_loaded() -> Any:
    """A load() that can be watched."""
    time.sleep(10.0)
    return lambda body: body[::-1]
