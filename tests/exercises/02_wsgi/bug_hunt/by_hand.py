"""The learner's WSGI server, to be asked by hand."""

from typing import Any

from playground.grading import LearnerFile
from playground.grading.byhand import ByHand, WSGIMadeThere, curl, defined, stay


def by_hand(file: LearnerFile, grader: Any) -> ByHand:
    """The app of the checks is behind it."""
    source = grader.APPS
    app = WSGIMadeThere(lambda: defined(source, "make_app")(stay), "the app of the checks")
    says = "The app of the checks is behind it: it shows its environ, and has pages as /stream."
    return ByHand(file.function("serve"), app, says, curl("/menu?soup"))
