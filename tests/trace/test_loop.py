"""What is recorded on an event loop: steps of tasks, pool work, gauges, and what is given back."""

import asyncio
import concurrent.futures
import contextlib
import multiprocessing
import os
import signal
import time

import anyio.to_thread
import numpy as np
import pytest
import uvloop

from minimal_servers import eventloop
from playground import burst
from playground import serve as served
from playground.trace.asgi import TracedASGI
from playground.trace.records import NAME_SHIFT, NAMES, Flag, Kind
from playground.trace.sender import Sender
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

    steps = of(serve(app, count=8), Kind.STEP)
    assert len(steps) == len(measured) == 8
    # Against the sleep as the app itself measured it. A busy machine may take the processor away
    # between the two clocks, hence the best of eight; no step can be shorter than its sleep.
    longer = steps["dur_us"] - measured
    assert longer.min() >= 0
    assert longer.min() < 2000


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


def blocked(scope):
    """Whether this is the request that blocks the loop."""
    return dict(scope["headers"])[b"traceparent"].endswith(b"2-01")


def ready_in_block(trace):
    """How long request 1 is known to have been ready while request 2 blocked the loop, in µs."""
    steps = of(trace, Kind.STEP, 2)
    block = steps[steps["dur_us"].argmax()]
    ready = of(trace, Kind.READY, 1)
    begun = np.maximum(ready["t_us"], block["t_us"])
    return np.maximum(np.minimum(ends(ready), block["t_us"] + block["dur_us"]) - begun, 0).sum()


async def sleeper():
    await asyncio.sleep(0.02)


async def impatient():
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.02):
            await asyncio.get_running_loop().create_future()


async def helped():
    await asyncio.to_thread(time.sleep, 0.02)


@pytest.mark.parametrize("wait", [sleeper, impatient, helped])
def test_who_was_due_while_another_blocked_was_ready(serve, wait):
    async def app(scope, receive, send):
        if blocked(scope):
            time.sleep(5 * BLOCK_S)
        else:
            await wait()
        await answer(send)

    trace = serve(app, count=2)
    # due 20 ms after the loop was blocked for 500 ms: at least half of that, on a busy machine
    assert ready_in_block(trace) >= 250_000
    ready = of(trace, Kind.READY, 1)
    assert (ready["flags"] & Flag.LOWER_BOUND).any()


def test_nobody_is_ready_before_the_time_has_come(serve):
    due = []

    async def app(scope, receive, send):
        if blocked(scope):
            time.sleep(BLOCK_S)
        else:
            due.append(time.monotonic_ns() / 1000 + 60_000)
            await asyncio.sleep(0.06)
        await answer(send)

    trace = serve(app, count=2)
    ready = of(trace, Kind.READY, 1)
    waited = ready[ready["flags"] & Flag.LOWER_BOUND != 0]
    assert (waited["t_us"] >= due[0] - 1000).all()  # uvloop counts in whole milliseconds


def test_of_those_who_woke_together_the_last_was_ready_all_the_time(serve):
    there = []

    async def app(scope, receive, send):
        there.append(asyncio.Event())
        if len(there) == 4:
            asyncio.get_running_loop().call_later(0.02, there[0].set)
        await there[0].wait()
        time.sleep(0.02)
        await answer(send)

    trace = serve(app, count=4)
    *others, last = sorted((of(trace, Kind.STEP, n)[-1] for n in range(1, 5)), key=lambda s: s[0])
    ready = of(trace, Kind.READY, last["request"])
    assert len(ready) == 1
    assert ready["flags"][0] == Flag.LOWER_BOUND
    assert ready["t_us"][0] <= min(step["t_us"] for step in others)
    assert np.isclose(ends(ready)[0], last["t_us"], atol=0.01)


def awaits(trace, request=1):
    """The names of what it waited for, longest first."""
    waits = of(trace, Kind.AWAIT, request)
    waits = waits[np.argsort(-waits["dur_us"])]
    return [trace.meta["awaits"][flags >> NAME_SHIFT] for flags in waits["flags"]]


async def locked():
    lock = asyncio.Lock()
    await lock.acquire()
    asyncio.get_running_loop().call_later(0.05, lock.release)
    async with lock:
        pass


async def gathered():
    await asyncio.gather(asyncio.sleep(0.05), asyncio.sleep(0.05))


NAMED = {
    "sleep": lambda: asyncio.sleep(0.05),
    "to_thread": lambda: asyncio.to_thread(time.sleep, 0.05),
    "Lock.acquire": locked,
    "gather": gathered,
}


@pytest.mark.parametrize("name", NAMED)
def test_a_long_wait_has_the_name_of_what_it_waits_for(serve, name):
    async def deeper():
        await NAMED[name]()

    async def app(scope, receive, send):
        await deeper()
        await answer(send)

    assert awaits(serve(app))[0] == name


def test_a_function_of_anyio_that_needs_a_thread_is_named_as_asyncios(serve):
    async def app(scope, receive, send):
        await anyio.to_thread.run_sync(time.sleep, 0.05)
        await answer(send)

    assert awaits(serve(app))[0] == "to_thread"


def test_names_end_when_their_numbers_are_taken(collector, sender):
    channel = sender.channel()
    numbers = [channel.name(f"name {index}") for index in range(NAMES + 5)]
    assert numbers == [*range(1, NAMES + 1), 0, 0, 0, 0, 0]
    assert channel.name("name 3") == 4
    assert channel.name("") == 0


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
    assert idle["dur_us"].sum() > 0  # how much, is up to the machine
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


async def killer(scope, receive, send):
    """The last of three requests ends the process at once."""
    if not dict(scope["headers"])[b"traceparent"].endswith(b"3-01"):
        await asyncio.sleep(60)
    os.kill(os.getpid(), signal.SIGKILL)


def run_killer(path, loop):
    async def main():
        traced = TracedASGI(killer, Sender(path))
        await asyncio.gather(*(traced(scope_of(1 + index), receive, ignore) for index in range(3)))

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(main())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_kill_in_the_first_step_loses_no_request(collector, until, loop):
    process = multiprocessing.get_context("spawn").Process(
        target=run_killer, args=(collector.path, loop)
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    until(lambda: closed(collector.snapshot(), 3), "the end of all spans")
    found = of(collector.snapshot(), Kind.REQUEST)
    assert found["request"].tolist() == [1, 2, 3]
    assert (found["flags"] & Flag.ERROR).all()
    assert list(collector.folder.iterdir()) == [collector.folder / "records"]  # no board is left


def test_more_requests_than_the_board_has_room_for_are_all_told(monkeypatch, serve):
    monkeypatch.setattr("playground.trace.board.SLOTS", 2)

    async def app(scope, receive, send):
        await asyncio.sleep(0.001)
        await answer(send)

    trace = serve(app, count=10)
    assert sorted(of(trace, Kind.REQUEST)["request"]) == list(range(1, 11))


@pytest.mark.parametrize("setup", ["minimal-asgi", "uvicorn", "hypercorn"])
def test_servers_have_their_requests_traced_with_names_and_dues(setup, until):
    async def app(scope, receive, send):
        import __main__

        if scope["type"] == "lifespan":
            while (await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        come = __main__.__dict__.setdefault("come", asyncio.Event())
        asleep = __main__.__dict__.setdefault("asleep", asyncio.Event())
        if scope["path"] == "/block":
            come.set()
            await asleep.wait()
            time.sleep(0.5)
        elif scope["path"] == "/sleep":
            await come.wait()
            asleep.set()
            await asyncio.sleep(0.1)
        else:
            while (await receive())["type"] != "http.disconnect":
                pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x"})

    with served(setup, app) as server:
        trace = burst(server, [("/sleep", 1), ("/block", 1)], show=False).trace
        burst(server, 1, "/listen", timeout=0.5, show=False)
        wanted = {"sleep", "receive"}
        until(lambda: wanted <= set(server.collector.snapshot().meta["awaits"]), "the names")
    numbers = {info.label: number for number, info in trace.requests.items()}
    ready = of(trace, Kind.READY, numbers["GET /sleep"])
    steps = of(trace, Kind.STEP, numbers["GET /block"])
    block = steps[steps["dur_us"].argmax()]
    late = ready[(ready["flags"] & Flag.LOWER_BOUND) != 0]
    assert ((late["t_us"] > block["t_us"]) & (late["t_us"] < ends(block))).any()
