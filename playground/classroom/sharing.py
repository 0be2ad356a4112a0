"""A learner shows a timeline to the room."""

from __future__ import annotations

import math
import os
import tempfile
from pathlib import Path

from playground.classroom import last_run, membership
from playground.classroom.membership import ClassroomError
from playground.classroom.messages import DAY_S, LARGEST_TRACE
from playground.load.run import Run
from playground.trace.records import now_us
from playground.trace.trace import Trace

DRAWN_S = 90.0  # until the board has drawn it, behind others


def share(run: Run | Trace | str | os.PathLike[str] | None = None) -> None:
    """Show a run's timeline on the board: your last one, or a run, or a file of one.

    Everybody in the room sees it, with your name. Raises ClassroomError.
    """
    joined = membership.load()
    if joined is None:
        raise ClassroomError("You are on no board: playground join ADDRESS CODE --name NAME.")
    trace, age_s = _chosen(run)
    data = _bytes(trace)
    if len(data) > LARGEST_TRACE:
        raise ClassroomError(
            f"This run has {len(trace.records):,} records, {len(data):,} bytes; the board takes"
            f" {LARGEST_TRACE:,} bytes: share a run of fewer requests."
        )
    with membership.client() as http:
        http.timeout = DRAWN_S
        answer = membership.ask(
            http,
            joined.address,
            "timeline",
            token=joined.token,
            content=data,
            params={"age_s": f"{age_s:.1f}" if 0 <= age_s < DAY_S else "0"},
        )
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
        return trace.save(Path(scratch) / "shared.trace").read_bytes()
