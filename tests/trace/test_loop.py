"""What is recorded on an event loop: steps of tasks, pool work, gauges, and what is given back."""

import asyncio
import concurrent.futures
import time

import numpy as np
import pytest
import uvloop

from minimal_servers import eventloop
from playground.trace.asgi import TracedASGI
from playground.trace.records import Flag, Kind
from playground.trace.states import State, spans
from tests.trace.test_asgi import answer, receive, scope_of

BLOCK_S = 0.1
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


async def ignore(message):
    pass


@pytest.fixture(params=LOOPS)
def serve(request, collector, sender, until):
    """Serve requests 1, 2 … with ``app``, all at once, on a loop of each kind; the trace.

    ``wave`` is how many are sent, if ``count`` is more; ``afterwards`` for how long the loop runs
    on, in seconds.
    """

    def run(app, count=1, wave=0, afterwards=0.0):
        async def main():
            traced = TracedASGI(app, sender)
            scopes = [scope_of(1 + index) | {"app": traced} for index in range(wave or count)]
            await asyncio.gather(*(traced(scope, receive, ignore) for scope in scopes))
            await asyncio.sleep(afterwards)

        with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
            runner.run(main())
        until(lambda: closed(collector.snapshot(), count), "the end of all spans")
        return collector.snapshot()

    return run


def closed(trace, count):
    mine = trace.records[trace.records["request"] != 0]
    ended = (mine["kind"] == Kind.REQUEST) & ~np.isnan(mine["dur_us"])
    return ended.sum() == count and not np.isnan(mine["dur_us"]).any()


def of(trace, kind, request=None):
    records = trace.records[trace.records["kind"] == kind]
    return records if request is None else records[records["request"] == request]


def ends(records):
    return records["t_us"] + records["dur_us"]


def lane(trace, name):
    return next(lane for lane in trace.lanes if lane.name == name)


def test_a_block_is_one_step_of_its_length(serve):
    measured = []

    async def app(scope, receive, send):
        begun = time.monotonic()
        time.sleep(BLOCK_S)
        measured.append((time.monotonic() - begun) * 1e6)
        await answer(send)

    trace = serve(app)
    steps = of(trace, Kind.STEP)
    assert len(steps) == 1
    # the sleep as the app itself measured it, so that a busy machine does not count
    assert abs(steps["dur_us"][0] - measured[0]) < 2000


def test_steps_of_a_loop_never_overlap(serve):
    async def part():
        await asyncio.sleep(0)
        await asyncio.sleep(0.002)

    async def app(scope, receive, send):
        await asyncio.gather(part(), asyncio.to_thread(time.sleep, 0.001), part())
        await answer(send)

    steps = of(serve(app, count=20), Kind.STEP)
    assert set(steps["request"]) == set(range(1, 21))
    assert len(steps) > 100
    assert (ends(steps)[:-1] <= steps["t_us"][1:] + 0.01).all()


def test_the_states_of_a_request_with_many_tasks_tile_its_service(serve):
    async def part():
        await asyncio.sleep(0)
        await asyncio.sleep(0.002)

    async def app(scope, receive, send):
        await asyncio.gather(part(), part())
        await answer(send)

    trace = serve(app, count=5)
    for number in range(1, 6):
        whole = of(trace, Kind.REQUEST, number)[0]
        parts = np.isin(trace.records["kind"], (Kind.STEP, Kind.AWAIT, Kind.READY))
        mine = trace.records[parts & (trace.records["request"] == number)]
        assert mine["t_us"][0] == whole["t_us"]
        assert np.allclose(ends(mine)[:-1], mine["t_us"][1:], atol=0.01)
        assert np.isclose(ends(mine)[-1], ends(whole), atol=0.01)


def test_tasks_belong_to_the_request_that_created_them(serve):
    seen = {}

    async def part(number):
        await asyncio.sleep(0)
        begun = time.monotonic_ns() / 1000
        time.sleep(0.002)
        seen.setdefault(number, []).append((begun, time.monotonic_ns() / 1000))

    async def app(scope, receive, send):
        number = int(dict(scope["headers"])[b"traceparent"][44:52], 16)
        await asyncio.gather(part(number), part(number))
        await answer(send)

    trace = serve(app, count=3)
    for number, pieces in seen.items():
        steps = of(trace, Kind.STEP, number)
        for begun, ended in pieces:
            assert ((steps["t_us"] <= begun) & (ends(steps) >= ended)).sum() == 1


def test_a_task_that_was_just_created_is_ready(serve):
    async def part():
        pass

    async def app(scope, receive, send):
        task = asyncio.create_task(part())
        await task
        await answer(send)

    ready = of(serve(app), Kind.READY)
    exact = ready[ready["flags"] & Flag.LOWER_BOUND == 0]
    assert len(exact) == 1


def test_who_is_ready_while_another_blocks_is_not_told_to_wait(serve):
    async def app(scope, receive, send):
        await asyncio.sleep(0)
        time.sleep(0.02)
        await answer(send)

    trace = serve(app, count=2)
    first, second = (of(trace, Kind.STEP, number)[-1] for number in (1, 2))
    ready = of(trace, Kind.READY, 2)
    assert ready["t_us"][-1] <= first["t_us"]
    assert np.isclose(ends(ready)[-1], second["t_us"], atol=0.01)


def test_a_function_in_a_pool_thread_is_work_on_its_lane(serve):
    async def app(scope, receive, send):
        await asyncio.to_thread(time.sleep, 0.01)
        await answer(send)

    trace = serve(app)
    work = of(trace, Kind.WORKER)
    assert work["request"].tolist() == [1]
    assert work["dur_us"][0] >= 10_000
    assert trace.lanes[work["lane"][0]].kind == "thread"
    assert trace.lanes[work["lane"][0]].name == "pool 1"
    assert trace.lanes[work["lane"][0]].tid != lane(trace, "loop 1").tid
    found = spans(trace)
    waiting = found[found["kind"] == State.WAITING]
    assert not ((waiting["t_us"] < ends(work)[0] - 1) & (ends(waiting) > work["t_us"][0] + 1)).any()
    assert (found["lane"] == work["lane"][0]).sum() == 1
    values = of(trace, Kind.GAUGE)
    inside = values[values["lane"] == lane(trace, "in the pool").id]
    assert inside["dur_us"].tolist() == [1, 0]


def test_more_functions_than_threads_wait_for_the_pool(serve):
    async def app(scope, receive, send):
        loop = asyncio.get_running_loop()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            jobs = [loop.run_in_executor(pool, time.sleep, 0.002) for _ in range(3)]
            await asyncio.gather(*jobs)
        await answer(send)

    trace = serve(app)
    work = of(trace, Kind.WORKER)
    assert len(work) == 3
    assert (ends(work)[:-1] <= work["t_us"][1:]).all()
    values = of(trace, Kind.GAUGE)
    waiting = values[values["lane"] == lane(trace, "waiting for the pool").id]
    assert waiting["dur_us"].max() >= 2
    assert waiting["dur_us"][-1] == 0


def test_an_error_in_a_pool_thread_is_told_and_goes_on(serve):
    async def app(scope, receive, send):
        try:
            await asyncio.to_thread(int, "no number")
        except ValueError:
            await answer(send)

    trace = serve(app)
    assert of(trace, Kind.WORKER)["flags"].tolist() == [Flag.ERROR]
    assert trace.requests[1].error is None


def test_a_task_that_outlives_its_request_still_runs_for_it(serve):
    left = []

    async def late():
        await asyncio.sleep(0.01)
        time.sleep(0.002)

    async def app(scope, receive, send):
        left.append(asyncio.create_task(late()))
        await answer(send)

    trace = serve(app, afterwards=0.05)
    over = ends(of(trace, Kind.REQUEST))[0]
    after = of(trace, Kind.STEP)[-1]
    assert after["t_us"] > over
    assert after["request"] == 1
    assert after["dur_us"] >= 2000
    found = spans(trace)
    last = found[found["t_us"] >= over]
    assert set(last["kind"]) == {State.RUNNING}
    assert last["dur_us"][-1] == after["dur_us"]


def test_a_cancelled_task_is_closed(serve):
    async def app(scope, receive, send):
        task = asyncio.create_task(asyncio.sleep(60))
        await asyncio.sleep(0)
        never = asyncio.create_task(asyncio.sleep(60))
        task.cancel()
        never.cancel()
        await asyncio.gather(task, never, return_exceptions=True)
        await answer(send)

    trace = serve(app)
    assert trace.requests[1].error is None
    assert trace.requests[1].status == 201


def test_how_late_a_timer_came_shows_a_block(serve):
    async def app(scope, receive, send):
        await asyncio.sleep(0.03)
        time.sleep(BLOCK_S)
        await asyncio.sleep(0.03)
        await answer(send)

    trace = serve(app)
    values = of(trace, Kind.GAUGE)
    lag = values[values["lane"] == lane(trace, "loop lag").id]
    block = of(trace, Kind.STEP)[1]
    assert block["dur_us"] >= 100_000
    # it was due 25 ms after the one before, so within the first 25 ms of the block
    assert lag["dur_us"].max() >= 70_000


def test_asyncio_is_idle_while_nobody_runs(collector, sender, until):
    async def app(scope, receive, send):
        await asyncio.sleep(0.01)
        await answer(send)

    asyncio.run(TracedASGI(app, sender)(scope_of(), receive, ignore))
    until(lambda: closed(collector.snapshot(), 1), "the end of all spans")
    trace = collector.snapshot()
    idle, steps = of(trace, Kind.IDLE), of(trace, Kind.STEP)
    assert idle["dur_us"].sum() >= 8000
    assert set(idle["request"]) == {0}
    for step in steps:
        assert not (
            (idle["t_us"] < step["t_us"] + step["dur_us"]) & (ends(idle) > step["t_us"])
        ).any()


def lifespan_messages():
    messages = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive():
        return {"type": next(messages)}

    return receive


@pytest.mark.parametrize("name", LOOPS)
def test_what_was_installed_is_chained_and_given_back(sender, name):
    made = []

    def factory(loop, coroutine, **named):
        made.append(coroutine)
        return asyncio.Task(coroutine, loop=loop, **named)

    during = []

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            during.append(asyncio.get_running_loop().get_task_factory())
            await asyncio.create_task(asyncio.sleep(0))
            await receive()

    async def main():
        loop = asyncio.get_running_loop()
        loop.set_task_factory(factory)
        await TracedASGI(app, sender)({"type": "lifespan"}, lifespan_messages(), ignore)
        assert loop.get_task_factory() is factory
        assert len(made) == 1
        assert "select" not in vars(getattr(loop, "_selector", factory))

    with asyncio.Runner(loop_factory=LOOPS[name]) as runner:
        runner.run(main())
    assert during[0] is not factory
    assert not hasattr(concurrent.futures.ThreadPoolExecutor.submit, "__wrapped__")


def test_the_next_request_of_a_connection_is_not_work_of_the_one_before(serve):
    tasks = []

    async def app(scope, receive, send):
        await answer(send)
        if not tasks:  # as a server does when the next request has arrived already
            following = scope["app"](scope_of(2), receive, ignore)
            tasks.append(asyncio.create_task(following))

    trace = serve(app, count=2, wave=1, afterwards=0.01)
    first, second = of(trace, Kind.STEP, 1), of(trace, Kind.STEP, 2)
    assert len(first) == len(second) == 1
    assert ends(first)[0] <= second["t_us"][0]


def test_a_loop_that_is_not_asyncios_has_its_requests_traced(collector, sender, until):
    async def app(scope, receive, send):
        await eventloop.sleep(0.01)
        await answer(send)

    eventloop.run(TracedASGI(app, sender)(scope_of(), receive, ignore))
    until(lambda: closed(collector.snapshot(), 1), "the end of all spans")
    trace = collector.snapshot()
    assert trace.requests[1].status == 201
    assert [State(kind).name for kind in spans(trace)["kind"]] == ["RUNNING", "WAITING", "RUNNING"]
