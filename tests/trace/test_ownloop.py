"""What is recorded on the course's own loop: steps, who was ready since when, and idle times."""

import socket
import threading
import time

import numpy as np
import pytest

from minimal_servers.eventloop import Loop, Task, gather, recv, run, sleep
from playground.trace.asgi import TracedASGI
from playground.trace.batch import FLUSH_S, QUIET_ROUNDS
from playground.trace.ownloop import running, watch
from playground.trace.records import Flag, Kind
from tests.trace.test_asgi import answer, receive, scope_of
from tests.trace.test_loop import closed, ends, ignore, lane, of

BLOCK_S = 0.5
PARTS = (Kind.STEP, Kind.AWAIT, Kind.READY)
EXACT = 0


@pytest.fixture
def serve(collector, sender, until):
    """Serve requests 1, 2 … with one app each, all at once, on a loop of ours; the trace."""

    def serving(*apps):
        async def dispatch(scope, *channels):
            await scope["app"](scope, *channels)

        async def main():
            traced = TracedASGI(dispatch, sender)
            scopes = [scope_of(number) | {"app": app} for number, app in enumerate(apps, 1)]
            await gather(*(traced(scope, receive, ignore) for scope in scopes))

        run(main(), watch(Loop()))
        until(lambda: closed(collector.snapshot(), len(apps)), "the end of all spans")
        return collector.snapshot()

    return serving


async def polite(scope, receive, send):
    await sleep(0.01)
    await answer(send)


async def rude(scope, receive, send):
    await sleep(0)
    time.sleep(BLOCK_S)
    await answer(send)


def inside(moment, spans):
    """Whether a moment lies in one of the spans."""
    return bool(((spans["t_us"] <= moment) & (moment <= ends(spans))).any())


def test_steps_waits_and_readiness_fill_each_request_and_steps_never_overlap(serve):
    trace = serve(polite, rude, polite)
    for number in (1, 2, 3):
        parts = trace.records[np.isin(trace.records["kind"], PARTS)]
        parts = parts[parts["request"] == number]
        whole = of(trace, Kind.REQUEST, number)
        assert parts["t_us"][0] == whole["t_us"][0]
        np.testing.assert_allclose(parts["t_us"][1:], ends(parts)[:-1], atol=0.01)
        np.testing.assert_allclose(ends(parts)[-1], ends(whole)[0], atol=0.01)
    steps = of(trace, Kind.STEP)
    assert (steps["t_us"][1:] >= ends(steps)[:-1] - 0.01).all()


def test_a_timer_is_ready_since_it_was_due_although_the_loop_was_blocked(serve):
    asked = []

    async def sleeper(scope, receive, send):
        asked.append(time.monotonic() * 1e6)
        await sleep(BLOCK_S / 2)
        await answer(send)

    trace = serve(sleeper, rude)
    ready = of(trace, Kind.READY, 1)
    block = of(trace, Kind.STEP, 2)
    assert len(ready) == 1
    assert ready["flags"][0] == EXACT
    assert ready["t_us"][0] >= asked[0] + BLOCK_S / 2 * 1e6 - 0.01
    assert inside(ready["t_us"][0], block)
    assert ends(ready)[0] >= ends(block)[-1]
    gauges = of(trace, Kind.GAUGE)
    lag = gauges[gauges["lane"] == lane(trace, "loop lag").id]
    late = lag[lag["t_us"] >= ends(block)[-1]][0]
    assert abs(late["t_us"] - late["dur_us"] - ready["t_us"][0]) < 0.01


def test_who_yields_with_sleep_0_is_ready_at_once(serve):
    async def app(scope, receive, send):
        await sleep(0)
        await answer(send)

    trace = serve(app)
    kinds = [Kind(kind) for kind in trace.records["kind"] if kind in PARTS]
    assert [kind for kind in kinds if kind != Kind.AWAIT] == [Kind.STEP, Kind.READY, Kind.STEP]
    assert of(trace, Kind.READY)["flags"].tolist() == [EXACT]


@pytest.mark.parametrize("busy", [True, False])
def test_a_socket_is_exact_only_where_the_loop_was_waiting_for_it(serve, busy):
    left, right = socket.socketpair()

    async def reader(scope, receive, send):
        await recv(left, 1)
        time.sleep(0.001)
        await answer(send)

    async def last_reader(*exchange):
        threading.Timer(1.0, right.sendall, [b"xy"]).start()  # the loop waits by then
        await reader(*exchange)

    async def writer(scope, receive, send):
        right.sendall(b"xy")
        time.sleep(BLOCK_S)
        await answer(send)

    with left, right:
        trace = serve(reader, reader, writer) if busy else serve(reader, last_reader)
    ready = of(trace, Kind.READY)  # both are found at once, and one of them has to stand in line
    assert set(ready["flags"].tolist()) == {Flag.LOWER_BOUND if busy else EXACT}


def test_nothing_stays_behind_after_a_silence(serve, until):
    """The thread that sends rests when there was nothing to send; the loop has to wake it."""
    rested, asked = FLUSH_S * QUIET_ROUNDS * 4, []

    async def patient(scope, receive, send):
        asked.append(running().trace.batch)
        await sleep(rested)
        until(lambda: asked[0]._resting, "the thread that sends rests")  # it holds the loop
        await sleep(0.01)
        await answer(send)

    trace = serve(patient)
    assert len(of(trace, Kind.STEP, 1)) == 3
    assert len(of(trace, Kind.AWAIT, 1)) + len(of(trace, Kind.READY, 1)) >= 2


def test_tasks_of_a_request_are_its_own_and_their_birth_makes_them_ready(serve):
    async def child():
        await sleep(0)

    async def app(scope, receive, send):
        Task(child())
        time.sleep(0.001)
        await gather(child(), child())
        await answer(send)

    trace = serve(app, polite)
    # the call: until it waits for gather, and after it; gather is awaited in it; each child: two
    assert len(of(trace, Kind.STEP, 1)) >= 2 + 3 * 2
    assert len(of(trace, Kind.STEP, 2)) == 2
    ready = of(trace, Kind.READY, 1)
    assert len(ready)
    assert (ready["flags"] == EXACT).all()


def test_the_loop_is_idle_when_nobody_can_make_a_step(serve):
    trace = serve(polite, polite)
    idle, steps = of(trace, Kind.IDLE), of(trace, Kind.STEP)
    assert len(idle)
    assert {span["request"] for span in idle} == {0}
    middles = idle["t_us"] + idle["dur_us"] / 2
    assert not any(inside(middle, steps) for middle in middles)
    lanes = {lane.id: lane.kind for lane in trace.lanes}
    assert {lanes[lane] for lane in idle["lane"].tolist()} == {"loop"}


def test_a_watched_loop_works_as_before_when_nothing_is_served():
    async def main():
        return await gather(sleep(0.001), sleep(0))

    assert run(main(), watch(Loop())) == [None, None]
