"""What is asked of a server: an app, a path and what goes with it, and how an answer is checked."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from playground.load.client import Reply
from playground.setups.catalogue import ServeError, find
from playground.setups.server import Server, serve
from playground.setups.workloads import ONE_FRAMEWORK, serve_cell
from playground.setups.workloads import find as find_workload

# A set-up with its size, as it is typed: gunicorn-gthread:2x8 has 2 workers of 8 threads each.
SIZED = re.compile(r"(?P<name>[^:]+)(:(?P<workers>\d+)(x(?P<threads>\d+))?)?")


@dataclass(frozen=True)
class Order:
    """``target`` is the app. With a ``workload`` it is the framework's, and ``check`` tells whether
    a body is the right answer. ``how`` is what ``burst`` and ``load`` take besides the path.
    """

    target: str
    path: str
    workload: str = ""
    how: dict[str, Any] = field(default_factory=dict)
    check: Callable[[bytes], bool] = lambda body: True

    def serve(self, setup: str, **sizes: Any) -> Server:
        """Start the set-up with this app, ready for this work. Raises ``ServeError``."""
        if self.workload:
            return serve_cell(setup, self.target, self.workload, **sizes)
        return serve(setup, self.target, **sizes)

    def wrong(self, replies: Iterable[Reply]) -> list[Reply]:
        """Those of complete answers that say error, or are not the right ones."""
        return [
            reply
            for reply in replies
            if reply.error is None and ((reply.status or 0) >= 500 or not self.check(reply.body))
        ]

    def complaint(self, who: str, replies: Sequence[Reply]) -> str:
        """In a sentence: how many had no complete answer, or a wrong one; "" if all were right."""
        errors = [reply.error for reply in replies if reply.error is not None]
        wrong, asked = self.wrong(replies), len(replies)
        if errors:
            return (
                f"{len(errors)} of {asked} requests to {who} had no complete answer: {errors[0]}."
            )
        if wrong:
            return (
                f"{len(wrong)} of {asked} answers of {who} were wrong: status {wrong[0].status},"
                f" {wrong[0].text[:60]!r}."
            )
        return ""


def of_workload(setup: str, workload: str, framework: str | None = None, **sizes: float) -> Order:
    """A workload in a framework, or in the plain app of the set-up's interface.

    Raises ``ServeError`` for names and sizes that do not exist, and for what is no request.
    """
    chosen, work = find(setup), find_workload(workload)
    if work.method == "WS":
        raise ServeError(
            f"{workload} is a conversation and no request: use talk(server, {work.path!r}) in a"
            " notebook, or choose another workload."
        )
    target = framework or ONE_FRAMEWORK.get(setup) or chosen.interface
    how = {"method": work.method, "body": work.body or None, "headers": work.headers}
    return Order(target, work.ask(**sizes), workload, how, work.check)
