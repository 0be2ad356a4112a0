"""The learner's pool, to be asked by hand."""

import socket
from typing import Any

from playground.grading import LearnerFile
from playground.grading.byhand import ByHand, curl, defined, stay


def by_hand(file: LearnerFile, grader: Any) -> ByHand:
    """Two threads, and the handle of the checks."""
    serve_file = file.function("serve")
    source = grader.HANDLE

    def your_server(listener: socket.socket, _app: object) -> None:
        stop, rope = socket.socketpair()
        with stop, rope:
            serve_file(listener, defined(source, "make")(stay), 2, stop)

    return ByHand(
        your_server,
        says="A party stays for two seconds; /quick does not, and /fail raises.",
        ask=curl("/ann"),
    )
