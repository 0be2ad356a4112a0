"""Grader of model-objective: the learner's service and the one of the stub, asked in turn.

What is judged is a ratio of the two in one run, so a machine that is busy or slow changes both. One
round may still be unlucky, so there are more of them until the verdict is clear. The model counts
its processor time and not the clock, and tells what it was asked.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from playground.grading import Learner, fail, fresh
from playground.grading.asgi import Exchange, Stage, http_scope, lifespan_scope, request
from playground.load.burst import burst
from playground.load.client import Reply
from playground.load.paced import load
from playground.setups.catalogue import ServeError
from playground.setups.server import Server, serve

CALL_S, ROW_S = 0.02, 0.0001  # processor time
CLIENTS, N = 16, 32
LONELY = 5  # requests of one client
MOST, MANY = 64, 100  # rows in a call, requests at once
UNLUCKY = 13  # the model cannot score it
LEAD, ROUNDS = 2, 9  # who leads by two rounds has won; after nine, who leads
FASTER, QUICKER, ALONE = 3.0, 0.5, 3.0
T = TypeVar("T")
LIMITED = f"""
def model(rows):
    if len(rows) > {MOST} or {UNLUCKY} in rows:
        raise ValueError("I cannot do this")
    return [row * row % 97 for row in rows]
"""
STUB = Path(__file__).resolve().parents[4] / "exercises" / "10_model" / "objective.py"


class Model:
    """Needs processor time for each call and each row, and holds the GIL meanwhile."""

    def __init__(self) -> None:
        self.rows = self.calls = self.together = 0
        self.inside = threading.Lock()

    def __call__(self, rows: list[int]) -> list[int]:
        """The scores of these rows."""
        if len(rows) > MOST:
            raise ValueError("too many rows")
        if not self.inside.acquire(blocking=False):
            self.together += 1
            self.inside.acquire()
        try:
            self.calls += 1
            self.rows += len(rows)
            end = time.thread_time() + CALL_S + ROW_S * len(rows)
            while time.thread_time() < end:
                pass
            return [row * row % 97 for row in rows]
        finally:
            self.inside.release()


class Service:
    """``make_app(model)`` of a file, made in the server; ``/told`` says what it asked."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.__name__ = "make_app(model)"

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        spec = importlib.util.spec_from_file_location("service", self.path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        self.model = Model()
        self.app = module.make_app(self.model)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != "/told":
            await self.app(scope, receive, send)
            return
        told = {"rows": self.model.rows, "calls": self.model.calls, "both": self.model.together}
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(told).encode()})


def check_answers(learner: Learner) -> None:
    """Objective 1: the same answers, also with many at once, and each made when it is asked for."""
    learner.obtain("make_app", lambda rows: [row * row % 97 for row in rows])
    with started(learner.path) as server:
        asked = [*range(40), *[5] * 8]
        for rows in ([7], asked):
            before = told(server)
            run = burst(server, [(f"/score/{row}", 1) for row in rows], show=False)
            for row, reply in zip(rows, run.replies, strict=True):
                right(row, reply, len(rows))
            made = told(server)["rows"] - before["rows"]
            if made != len(rows):
                fail(
                    f"{len(rows)} × GET /score/…", f"the model was asked for {made} rows",
                    f"for {len(rows)} rows", why="nothing is kept for later: a score may change",
                    nudge="A cache answers quickly, and with yesterday's score.",
                )  # fmt: skip
        if told(server)["both"]:
            fail(
                f"{len(asked)} × GET /score/… at once",
                "the model was called by two threads at once",
                "one call at a time", why="the model is not made for threads",
                nudge="One task that calls the model, and everybody else waits for it.",
            )  # fmt: skip


def right(row: int, reply: Reply, among: int) -> None:
    """Fail unless it is the answer for this row."""
    called = f"GET /score/{row}, one of {among} at once"
    wanted = {"row": row, "score": row * row % 97}
    if reply.error or reply.status != 200:
        fail(called, reply.error or f"status {reply.status}", f"200 {wanted}", why="objective 1")
    try:
        found = json.loads(reply.body)
    except ValueError:
        found = reply.body
    if found != wanted:
        fail(
            called, f"{found!r}", f"{wanted!r}", why="each client gets the answer of the own row",
            nudge="Answers come in the order of the rows.",
        )  # fmt: skip


@fresh
def check_limits(learner: Learner) -> None:
    """Objective 5: no call with more than 64 rows, and everybody hears of one that fails."""
    with Stage(learner) as stage:
        app = learner.obtain("make_app", learner.define(LIMITED, "model"))
        stage.exchange(app, lifespan_scope(), {"type": "lifespan.startup"})
        stage.run()
        for exchange in ask(stage, app, *range(UNLUCKY + 1, UNLUCKY + 1 + MANY)):
            if status(exchange) != 200:
                exchange.fail(
                    f"{MANY} requests at once: status {status(exchange)}", "status 200",
                    why=f"the model takes at most {MOST} rows in a call",
                    nudge="Who does not fit in is in the next call.",
                )  # fmt: skip
        several = (UNLUCKY - 1, UNLUCKY, UNLUCKY + 1)
        for row, exchange in zip(several, ask(stage, app, *several), strict=True):
            if status(exchange) not in ([500] if row == UNLUCKY else [200, 500]):
                exchange.fail(
                    f"{several} at once, and the model raised ValueError:"
                    f" status {status(exchange)}", "status 500",
                    why="objective 5: who waits for a call that failed has to hear of it",
                    nudge="What becomes of the futures when the model raises?",
                )  # fmt: skip
        (after,) = ask(stage, app, UNLUCKY + 2)
        if status(after) != 200:
            after.fail(
                f"asked after a call that failed: status {status(after)}", "status 200",
                why="objective 5: whoever comes next is answered",
                nudge="Is the task that calls the model still alive?", stacks=True,
            )  # fmt: skip


def ask(stage: Stage, app: Any, *rows: int) -> list[Exchange]:
    """Ask for these rows at once, and let everything happen that can within a minute."""
    asked = [
        stage.exchange(
            app, http_scope("GET", f"/score/{row}"), request(), called=f"GET /score/{row}"
        )
        for row in rows
    ]
    stage.run(60.0)
    return asked


def status(exchange: Exchange) -> int | None:
    """Status of the answer, None for none; 500 is also what a server makes of an exception."""
    if exchange.sent:
        return exchange.response().status
    return 500 if exchange.done and exchange.raised() else None


@fresh
def check_objective(learner: Learner) -> None:
    """Objectives 2, 3 and 4: throughput, health check, and nobody waits alone."""
    with started(STUB) as slow, started(learner.path) as yours:
        pair = (slow, yours)
        for server in pair:
            burst(server, 4, "/score/1", show=False)  # warm up
        crowd = rounds(
            lambda turn: rate_ratio(pair, turn, CLIENTS, N, "throughput_rps"),
            lambda found: found >= FASTER,
        )
        if median(crowd) < FASTER:
            fail(
                f"{CLIENTS} clients, rounds of {N} requests to both in turn",
                f"{median(crowd):.2f} times as many answers a second as the service of the stub"
                f" (rounds: {listed(crowd)})", f"at least {FASTER:g} times as many",
                why="a call costs 20 ms, however many rows are in it",
                nudge="How many rows are in one call, on average? Who could wait for whom?",
            )  # fmt: skip
        health = rounds(lambda turn: health_ratio(pair, turn), lambda found: found <= QUICKER)
        if median(health) > QUICKER:
            fail(
                f"{CLIENTS * 2} requests at once and GET /health meanwhile, to both in turn",
                f"its median takes {median(health):.2f} times as long as that of the stub"
                f" (rounds: {listed(health)})", f"at most {QUICKER:g} times as long",
                why="a platform restarts what does not answer",
                nudge="What does /health wait for, and does it have to?",
            )  # fmt: skip
        alone = rounds(
            lambda turn: rate_ratio(pair, turn, 1, LONELY, "p50_s"), lambda found: found <= ALONE
        )
        if median(alone) > ALONE:
            fail(
                f"one client, rounds of {LONELY} requests to both in turn",
                f"an answer takes {median(alone):.2f} times as long as from the service of the stub"
                f" (rounds: {listed(alone)})", f"at most {ALONE:g} times as long",
                why="who is alone waits for colleagues who do not come",
                nudge="How long is your patience? Is any needed, if a call takes 20 ms anyway?",
            )  # fmt: skip


def rounds(ratio: Callable[[int], float], good: Callable[[float], bool]) -> list[float]:
    """The ratios of as many rounds as it takes to have a lead.

    Their median is on the side that leads.
    """
    found: list[float] = []
    lead = 0
    while abs(lead) < LEAD and len(found) < ROUNDS:
        found.append(ratio(len(found)))
        lead += 1 if good(found[-1]) else -1
    return found


def rate_ratio(pair: tuple[Server, Server], turn: int, clients: int, n: int, what: str) -> float:
    """How many times the value of the slow one, in one round."""
    values = []
    for server in in_turn(pair, turn):
        told = load(server, "/score/7", arrivals="closed", clients=clients, n=n, show=False)
        summary = told.summary()
        if summary["failed"]:
            fail(
                f"{clients} clients, {n} requests", f"{summary['failed']} of {n} got no answer",
                "all are answered", why="objective 1",
            )  # fmt: skip
        values.append(summary[what])
    slow, yours = in_turn(values, turn)
    return float(yours / slow)


def health_ratio(pair: tuple[Server, Server], turn: int) -> float:
    """The median of /health under a crowd, as a ratio, in one round."""
    medians = []
    for server in in_turn(pair, turn):
        run = burst(
            server, CLIENTS * 2, "/score/7", probe="/health", every=0.01, show=False, timeout=90
        )
        summary = run.summary()
        if summary["probe_failed"]:
            fail("GET /health under load", "no answer", "an answer", why="objective 3")
        medians.append(summary["probe_p50_s"])
    if None in medians:  # a crowd that is served before the first probe is due: nothing to wait for
        return 0.0
    slow, yours = in_turn(medians, turn)
    return float(yours / slow)


def in_turn(two: Sequence[T], turn: int) -> Sequence[T]:
    """The two as they are, or the other way round: who begins changes."""
    return two if turn % 2 == 0 else two[::-1]


@contextlib.contextmanager
def started(path: Path) -> Iterator[Server]:
    """Uvicorn, one process, with the service of this file."""
    try:
        server = serve("uvicorn", Service(path), trace=False)
    except ServeError as error:
        fail(
            "make_app(model) in Uvicorn", str(error).splitlines()[-1], "a server that answers",
            nudge="Does the application start on its own?",
        )  # fmt: skip
    with server:
        yield server


def told(server: Server) -> dict[str, int]:
    """What the model was asked so far."""
    found: dict[str, int] = json.loads(burst(server, 1, "/told", show=False).replies[0].body)
    return found


def listed(numbers: list[float]) -> str:
    """Numbers in words."""
    return ", ".join(f"{number:.2f}" for number in numbers)
