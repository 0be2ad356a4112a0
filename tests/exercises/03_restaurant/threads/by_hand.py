"""The learner's house, to be asked by hand."""

import socket
from typing import Any

from playground.grading import LearnerFile
from playground.grading.byhand import ByHand
from playground.grading.kitchen import NAMED, by_name


def by_hand(file: LearnerFile, _grader: Any) -> ByHand:
    """Two threads."""
    serve_file = file.function("serve")

    def your_server(listener: socket.socket, _app: object) -> None:
        stop, rope = socket.socketpair()
        with stop, rope:
            serve_file(listener, by_name, 2, stop)

    return ByHand(
        your_server,
        says="Whoever comes with a name, on a line, stays for two seconds; quick does not.",
        ask=NAMED,
    )
