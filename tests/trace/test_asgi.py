import asyncio

import numpy as np
import pytest

from playground.trace.asgi import TracedASGI
from playground.trace.records import Flag, Kind, make_traceparent
from playground.trace.states import State, spans
from tests.trace.conftest import TRACE_ID


def scope_of(request=1, type="http"):
    headers = [(b"traceparent", make_traceparent(TRACE_ID, request).encode())]
    return {"type": type, "method": "GET", "path": "/", "query_string": b"", "headers": headers}


async def receive():
    return {"type": "http.request", "body": b"", "more_body": False}


async def answer(send):
    await send({"type": "http.response.start", "status": 201, "headers": []})
    await send({"type": "http.response.body", "body": b"x"})


def call(app, scope=None):
    """Run an app on a loop; what it sent."""
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(app(scope or scope_of(), receive, send))
    return sent


@pytest.fixture
def ended(collector, until):
    def wait(count=1):
        def all_closed():
            records = collector.snapshot().records
            mine = records[records["kind"] == Kind.REQUEST]
            return len(mine) == count and not np.isnan(mine["dur_us"]).any()

        until(all_closed, "the end of the request")
        return collector.snapshot()

    return wait


def test_the_states_of_a_request_follow_each_other_without_a_hole(sender, ended):
    async def app(scope, receive, send):
        await asyncio.sleep(0)
        await asyncio.sleep(0.001)
        await answer(send)

    messages = call(TracedASGI(app, sender, cpu=True))
    assert [message["type"] for message in messages] == [
        "http.response.start",
        "http.response.body",
    ]
    trace = ended()
    found = spans(trace)
    assert np.allclose((found["t_us"] + found["dur_us"])[:-1], found["t_us"][1:], atol=0.01)
    assert (found["lane"] == 1).all()
    exact = found[found["flags"] & Flag.LOWER_BOUND == 0]  # a slow machine shows READY as well
    run, wait, ready = State.RUNNING, State.WAITING, State.READY
    assert exact["kind"].tolist() == [run, ready, run, wait, run]
    served = trace.records[trace.records["kind"] == Kind.REQUEST][0]
    assert found["t_us"][0] == served["t_us"]
    assert np.isclose(found["dur_us"].sum(), served["dur_us"], atol=0.1)
    assert trace.lanes[1].kind == "loop"
    assert trace.requests[1].status == 201
    assert trace.requests[1].cpu_us > 0


def test_requests_interleave_on_one_loop_and_never_run_together(sender, ended):
    async def app(scope, receive, send):
        for _ in range(3):
            await asyncio.sleep(0)
        await answer(send)

    async def both():
        traced = TracedASGI(app, sender)

        async def send(message):
            pass

        await asyncio.gather(*(traced(scope_of(number), receive, send) for number in (1, 2)))

    asyncio.run(both())
    found = spans(ended(2))
    running = found[found["kind"] == State.RUNNING]
    assert running["request"].tolist() == [1, 2] * 4
    assert ((running["t_us"] + running["dur_us"])[:-1] <= running["t_us"][1:] + 0.01).all()


def test_a_step_is_seen_while_it_lasts(collector, sender, until, ended):
    seen = []

    async def app(scope, receive, send):
        until(lambda: (collector.snapshot().records["kind"] == Kind.STEP).any(), "the open step")
        seen.append(spans(collector.snapshot())[-1])
        await answer(send)

    call(TracedASGI(app, sender))
    assert seen[0]["kind"] == State.RUNNING
    assert np.isnan(seen[0]["dur_us"])
    ended()


def test_an_error_goes_on_and_is_recorded(sender, ended):
    async def app(scope, receive, send):
        await asyncio.sleep(0)
        raise RuntimeError("broken on purpose")

    with pytest.raises(RuntimeError, match="broken on purpose"):
        call(TracedASGI(app, sender))
    trace = ended()
    assert trace.requests[1].error == "RuntimeError: broken on purpose"
    base = trace.records[trace.records["kind"] == Kind.REQUEST]
    assert base["flags"][0] == Flag.ERROR


def test_an_error_in_what_is_awaited_can_be_handled(sender, ended):
    async def app(scope, receive, send):
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_exception, ValueError("awaited"))
        try:
            await future
        except ValueError:
            await answer(send)

    assert call(TracedASGI(app, sender))[0]["status"] == 201
    assert ended().requests[1].error is None


def test_cancellation_reaches_the_app(sender, ended):
    cleaned = []

    async def app(scope, receive, send):
        try:
            await asyncio.sleep(60)
        finally:
            cleaned.append(True)

    async def main():
        task = asyncio.create_task(TracedASGI(app, sender)(scope_of(), receive, None))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert cleaned == [True]
    assert ended().requests[1].error == "CancelledError"


def test_lifespan_is_not_touched(collector, sender):
    async def app(scope, receive, send):
        raise ValueError(scope["type"])

    with pytest.raises(ValueError, match="lifespan"):
        call(TracedASGI(app, sender), scope_of(type="lifespan"))
    assert len(collector.snapshot().records) == 0


def test_an_app_of_the_other_interface_fails_as_it_would(sender, ended):
    def app(environ, start_response):
        return [b""]

    with pytest.raises(TypeError):
        call(TracedASGI(app, sender))
    assert "TypeError" in ended().requests[1].error
