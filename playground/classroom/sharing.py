"""A learner shows a timeline to the room: at once, or from the outbox when the board is there."""

from __future__ import annotations

import math
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from playground.classroom import last_run, membership, reporting
from playground.classroom.membership import ClassroomError, Joined
from playground.classroom.messages import DAY_S, LARGEST_TRACE
from playground.classroom.reporting import Unreached
from playground.load.files import write_whole
from playground.load.run import Run
from playground.trace.records import now_us
from playground.trace.trace import Trace

if TYPE_CHECKING:
    import httpx

DRAWN_S = 90.0  # until the board has drawn it, behind others
LAST_WORDS_S = 10.0  # the same at the end of a process
ENDING = ".trace"


def share(run: Run | Trace | str | os.PathLike[str] | None = None) -> None:
    """Show a run's timeline on the board: your last one, or a run, or a file of one.

    Everybody in the room sees it, with your name. Raises ClassroomError.
    """
    joined = membership.joined_or_refuse()
    trace, age_s = _chosen(run)
    data = _bytes(trace)
    with membership.client() as http:
        answer = _post(http, joined, data, age_s)
    if not answer.is_success:
        raise ClassroomError(membership.detail(answer))
    print(f"On the board, as shared by {joined.name}: {trace.meta.get('title', 'a run')}")


def _chosen(run: Run | Trace | str | os.PathLike[str] | None) -> tuple[Trace, float]:
    if run is None:
        found = last_run.latest()
        if found is None:
            raise ClassroomError(
                "There is no run yet: start a server, send it requests, and share that; or give a"
                " file that .save() wrote."
            )
        return found
    if isinstance(run, Run | Trace):
        trace = run.trace if isinstance(run, Run) else run
        return trace, (now_us() - float(trace.meta.get("started_us", math.nan))) / 1e6
    if isinstance(run, str | os.PathLike):
        return last_run.read(Path(run))
    raise ClassroomError(f"{run!r} is no run: pass what burst(…) or load(…) returned.")


def _bytes(trace: Trace) -> bytes:
    with tempfile.TemporaryDirectory() as scratch:
        data = trace.save(Path(scratch) / "shared.trace").read_bytes()
    if len(data) > LARGEST_TRACE:
        raise ClassroomError(
            f"This run has {len(trace.records):,} records, {len(data):,} bytes; the board takes"
            f" {LARGEST_TRACE:,} bytes: share a run of fewer requests."
        )
    return data


def _post(
    http: httpx.Client, joined: Joined, data: bytes, age_s: float, run: str = ""
) -> httpx.Response:
    http.timeout = DRAWN_S
    age = f"{age_s:.1f}" if 0 <= age_s < DAY_S else "0"
    params = {"age_s": age, "run": run}
    return membership.ask(
        http, joined.address, "timeline", token=joined.token, content=data, params=params
    )


# ---- from the outbox -------------------------------------------------------------------------


def put(trace: Trace, run: str) -> None:
    """Leave the trace of a run that was shown while it went on for the board; the newest counts.

    ``run`` is its name there. Raises ClassroomError for one that is too large, and a sentence of
    another kind where nothing can be written.
    """
    data = _bytes(trace)
    target = membership.outbox() / f"{run}{ENDING}"
    write_whole(target, data)
    for path in _waiting():
        if path != target:
            path.unlink(missing_ok=True)
    SENDER.wake()


def deliver(http: httpx.Client) -> None:
    """Send the run that is in the outbox. Raises Unreached."""
    while (joined := membership.load()) and (found := _waiting()):
        path = max(found, key=lambda each: each.stat().st_mtime_ns)
        age_s = time.time() - path.stat().st_mtime
        answer = _post(http, joined, path.read_bytes(), age_s, path.stem)
        if answer.status_code in (401, 403, 410):
            reporting.give_up(joined, membership.detail(answer))
        elif answer.is_success or answer.status_code in (413, 422):
            path.unlink(missing_ok=True)
        else:
            raise Unreached(membership.detail(answer))


def _waiting() -> list[Path]:
    return list(membership.outbox().glob(f"*{ENDING}"))


SENDER = reporting.Sender(deliver, LAST_WORDS_S)
