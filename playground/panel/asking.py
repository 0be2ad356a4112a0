"""From choices to a run or a comparison, by the same engine as the command line."""

import contextlib
from collections.abc import Callable, Sequence

from playground.errors import Interrupted
from playground.load.display import Show
from playground.load.interleaved import Comparison, interleaved
from playground.load.paced import load
from playground.load.run import Run
from playground.panel.choices import Choice, Work, order
from playground.setups.catalogue import ServeError

# Is told what goes on, and which part of it is done (None: not known), ten times a second. It may
# raise ``Stopped``; then the servers are ended, and what they did until then is kept.
Tell = Callable[[str, float | None], None]


class Stopped(Interrupted):
    """Somebody wants no more of it, and nothing of it is left."""


def ask_one(choice: Choice, work: Work, tell: Tell, show: Show = False) -> tuple[Run, str]:
    """Serve, send, end; the run, and what was wrong with its answers ("" if nothing).

    Of an interrupted run it is what there is. Raises ``ServeError``, and ``Stopped`` if there is
    nothing yet.
    """
    asked = order(choice, work)
    starting = f"Starting {choice.title} …"
    tell(starting, None)
    size = {"workers": choice.workers, "threads": choice.threads}
    stopped = False

    def advance(part: float) -> None:
        nonlocal stopped
        try:
            tell(f"Asking {choice.title} …", part)
        except Stopped:
            stopped = True
            raise

    with asked.serve(choice.setup, **size, look=lambda: tell(starting, None)) as server:
        try:
            run = load(
                server,
                asked.path,
                **work.timing,
                **asked.how,
                show=show,
                progress=advance,
            )
        except KeyboardInterrupt:
            if not stopped or server.last_run is None:
                raise
            return server.last_run, ""
        _end(tell, choice.title)
    return run, asked.complaint(choice.title, run.replies)


def ask_all(choices: Sequence[Choice], work: Work, tell: Tell) -> tuple[Comparison, str]:
    """Serve all of them, send the same to each in turn, end; and what was wrong with answers.

    Raises ``ServeError``, and ``Stopped``.
    """
    if len(choices) < 2:
        raise ServeError("To compare takes two set-ups at least: add another one.")
    orders = [order(choice, work) for choice in choices]
    with contextlib.ExitStack() as stack:
        servers = []
        for choice, asked in zip(choices, orders, strict=True):
            starting = f"Starting {choice.title} …"
            tell(starting, None)
            size = {"workers": choice.workers, "threads": choice.threads}
            server = asked.serve(
                choice.setup, **size, trace=False, look=lambda words=starting: tell(words, None)
            )
            servers.append(stack.enter_context(server))

        def advance(part: float) -> None:
            turn = min(work.rounds, int(part * work.rounds) + 1)
            tell(f"Round {turn} of {work.rounds}, each asked in turn …", part)

        found = interleaved(
            servers,
            orders[0].path,
            rounds=work.rounds,
            titles=[choice.title for choice in choices],
            progress=advance,
            **work.timing,
            **orders[0].how,
        )
        _end(tell, "them")
    wrong = [
        asked.complaint(one.name, one.replies)
        for one, asked in zip(found.outcomes, orders, strict=True)
    ]
    return found, next(filter(None, wrong), "")


def _end(tell: Tell, who: str) -> None:
    """The servers are about to end; whoever wants to stop now gets that anyway."""
    with contextlib.suppress(Stopped):
        tell(f"Ending {who} …", None)
