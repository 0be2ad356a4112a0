"""A saved trace as a run again: what its client saw is in its records."""

import os

import numpy as np

from playground.load.client import Reply
from playground.load.run import Run
from playground.trace.records import UNTRACKED, Flag, Kind
from playground.trace.trace import RequestInfo, Trace


def reopen(path: str | os.PathLike[str]) -> Run:
    """The run that ``run.save(path)`` wrote. Its replies have no headers and no bodies.

    Raises ``TraceFileError`` for a file that is not a trace, or cannot be read.
    """
    return run_of(Trace.load(path))


def run_of(trace: Trace) -> Run:
    """The run whose trace this is, as far as the trace tells."""
    records = trace.records
    clients = records[(records["kind"] == Kind.CLIENT) & (records["request"] < UNTRACKED)]
    sent, answered = (_moments(records, kind) for kind in (Kind.SEND, Kind.RECV))
    begin_us = float(clients["t_us"].min()) if len(clients) else 0.0
    first_probe = trace.meta.get("probe_from") or UNTRACKED
    run = Run(trace)
    for record in clients[np.argsort(clients["request"])]:
        if np.isnan(record["dur_us"]):
            continue  # it was under way when the trace was cut
        number = int(record["request"])
        reply = _reply(record, trace.requests.get(number), sent, answered, begin_us)
        (run.probe if number >= first_probe else run.replies).append(reply)
    return run


def _reply(
    client: np.void,
    info: RequestInfo | None,
    sent: dict[int, float],
    answered: dict[int, float],
    begin_us: float,
) -> Reply:
    number, due_us = int(client["request"]), float(client["t_us"])
    failed = bool(int(client["flags"]) & Flag.ERROR)
    error = (info and info.error) or "no complete answer"
    return Reply(
        status=info.status if info else None,
        headers={},
        body=b"",
        latency_s=float(client["dur_us"]) / 1e6,
        error=error if failed else None,
        sent_s=(sent[number] - due_us) / 1e6 if number in sent else None,
        answer_s=(answered[number] - due_us) / 1e6 if number in answered else None,
        intended_s=(due_us - begin_us) / 1e6,
    )


def _moments(records: np.ndarray, kind: Kind) -> dict[int, float]:
    mine = records[(records["kind"] == kind) & (records["request"] < UNTRACKED)]
    return dict(zip(mine["request"].tolist(), mine["t_us"].tolist(), strict=True))
