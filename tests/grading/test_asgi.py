"""The stage: an event loop in the learner's process that goes on only as far as the grader says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from playground.grading import Failed, Learner, Raised
from playground.grading.asgi import (
    DISCONNECT,
    RECEIVE,
    Stage,
    body,
    hold,
    http_scope,
    problem,
    request,
    sleep,
    start,
)

SOURCE = """
import asyncio, contextlib

async def echo(scope, receive, send):
    message = await receive()
    scope["seen"] = True
    await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
    await send({"type": "http.response.body", "body": message["body"]})

async def stream(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for n in range(3):
        await send({"type": "http.response.body", "body": b"%d" % n, "more_body": True})
    await send({"type": "http.response.body", "body": b""})

async def watch(scope, receive, send):
    while (await receive())["type"] != "http.disconnect":
        pass

async def sleeper(seconds):
    await asyncio.sleep(seconds)
    return seconds

async def leaves_a_task():
    asyncio.get_running_loop().create_task(asyncio.sleep(9), name="forgotten")

async def forgets():
    asyncio.sleep(1)
    asyncio.create_task(fails())
    await asyncio.sleep(0)

async def fails():
    raise ValueError("nobody looks")

async def circles():
    while True:
        await asyncio.sleep(0)

def plain():
    return 5

async def threads(work, names):
    return await asyncio.gather(*(asyncio.to_thread(work, name) for name in names))

async def blocks(work):
    return work("a")

async def serve(app, scope):
    said = []
    async def receive():
        return {"type": "http.request", "body": b"x", "more_body": False}
    async def send(message):
        if message["type"] == "wrong":
            raise RuntimeError("out of order")
        said.append(message)
    await app(scope, receive, send)
    return said

async def patient():
    try:
        await asyncio.sleep(100)
    except asyncio.CancelledError:
        await asyncio.sleep(1)
        raise

async def shout(reader, writer):
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.close()
    await writer.wait_closed()

async def tries(app):
    try:
        await app({}, None, None)
    except ValueError as error:
        return f"caught {error}"
"""


@pytest.fixture(scope="module")
def learner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Learner]:
    path: Path = tmp_path_factory.mktemp("learner") / "work.py"
    path.write_text(SOURCE)
    with Learner(path, deadline_s=10) as running:
        yield running


@pytest.fixture
def stage(learner: Learner) -> Iterator[Stage]:
    with Stage(learner) as stage:
        yield stage


def test_an_application_answers(stage: Stage) -> None:
    exchange = stage.exchange("echo", http_scope("POST"), request(b"soup"))
    exchange.finish()
    exchange.expect_sent(start(200, [(b"a", b"b")]), body(b"soup"))
    assert exchange.response().body == b"soup"
    assert exchange.events == [
        "receive http.request", "send http.response.start", "send http.response.body",
    ]  # fmt: skip
    assert exchange.scope()["seen"] is True


def test_nothing_runs_ahead_of_the_window(stage: Stage) -> None:
    exchange = stage.exchange("stream", http_scope(), window=1).run()
    assert len(exchange.sent) == 2  # the second one waits
    assert exchange.waits_for == "send('http.response.body')"
    exchange.let_send().run()
    assert len(exchange.sent) == 3
    exchange.let_send(9).finish()
    assert exchange.response().blocks == [b"0", b"1", b"2", b""]


def test_a_wait_for_ever_says_what_is_awaited_and_where(stage: Stage) -> None:
    exchange = stage.exchange("watch", http_scope(), request())
    with pytest.raises(Failed) as failed:
        exchange.finish(why="because")
    message = failed.value.message
    assert message.got == "it waits for receive(), and nothing more will come"
    assert message.why == "because"
    assert "await receive()" in message.stacks[0].lines[-1].text
    exchange.feed(DISCONNECT).finish()
    assert exchange.asked == 2


def test_a_story_that_goes_on_is_told_once(stage: Stage) -> None:
    told = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage.learner, "telling", lambda words: told.append(words) or nullcontext())
        for story in ("GET /soup", "GET /soup, drain(30)", "GET /fish"):
            stage.start("sleeper", 0, called=story)
            stage.run()
    assert told == ["GET /soup", "GET /soup, drain(30)", "GET /soup, drain(30); GET /fish"]


def test_the_clock_is_the_graders(stage: Stage) -> None:
    call = stage.start("sleeper", 3600).run(3599.5)
    assert not call.done
    assert stage.next_timer() == pytest.approx(0.5)
    assert call.waits_for == "asyncio.sleep"
    assert call.finish(seconds=0.5) == 3600


def test_a_task_left_behind_is_a_failure(stage: Stage) -> None:
    with pytest.raises(Failed, match="left behind: task forgotten"):
        stage.start("leaves_a_task").finish()
    assert stage.left() == ["forgotten"]


def test_forgotten_awaits_and_lost_exceptions_are_told(stage: Stage) -> None:
    stage.start("forgets").finish()
    said = " / ".join(stage.complaints())
    assert "coroutine 'sleep' was never awaited" in said
    assert "ValueError: nobody looks" in said


def test_a_message_about_an_exception_has_the_learners_lines(stage: Stage) -> None:
    call = stage.start("fails")
    stage.run()
    raised = call.raised()
    assert raised
    with pytest.raises(Failed) as failed:
        call.fail(f"raised {raised.sentence()}", "returned None")
    assert [line.text.strip() for line in failed.value.message.where] == [
        'raise ValueError("nobody looks")'
    ]
    with pytest.raises(Failed) as failed:
        call.fail("one message was sent", "two")
    assert not failed.value.message.where


def test_a_forgotten_await_is_told_with_any_failure(stage: Stage) -> None:
    call = stage.start("forgets")
    stage.run()
    with pytest.raises(Failed) as failed:
        call.fail("nothing", "a nap", nudge="Sleep.")
    assert failed.value.message.nudge == "Sleep. Python says: coroutine 'sleep' was never awaited"


def test_running_in_circles_is_no_hang(stage: Stage) -> None:
    with pytest.raises(Failed) as failed:
        stage.start("circles").run()
    assert "20,000 turns" in failed.value.message.got


def test_what_is_no_coroutine_is_said(stage: Stage) -> None:
    with pytest.raises(Raised, match="plain returned 5"):
        stage.start("plain").run()
    with pytest.raises(Failed, match="no nothing in"):
        stage.start("nothing")


def test_an_outer_function_that_is_async_is_said(stage: Stage) -> None:
    made = stage.learner.obtain("sleeper", 1)
    with pytest.raises(Failed) as failed:
        stage.exchange(made, http_scope(), called="with_timeout(app, 2.0)")
    assert failed.value.message.called == "with_timeout(app, 2.0)"
    assert "The outer function is no `async def`" in failed.value.message.nudge


def test_cancellation(stage: Stage) -> None:
    call = stage.start("patient").run()
    call.cancel().run()
    assert not call.done  # it cleans up first
    raised = call.ends(seconds=1).raised()
    assert raised is not None
    assert raised.type_name == "CancelledError"


def test_blocking_calls_in_threads_are_held_and_released(stage: Stage) -> None:
    room = stage.room()
    call = stage.start("threads", room.function, ["a", "b", "c"]).run()
    assert sorted(room.inside) == ["a", "b", "c"]
    room.release("b")
    stage.run()
    assert sorted(room.inside) == ["a", "c"]
    for name in ("c", "a"):
        room.release(name)
    assert call.finish() == ["a", "b", "c"]
    assert room.log[3:] == ["leave b", "leave c", "leave a"] or room.log[-1] == "leave a"


def test_an_exception_of_a_held_thread(stage: Stage) -> None:
    room = stage.room()
    call = stage.start("threads", room.function, ["a"]).run()
    room.release("a", KeyError("oven"))
    with pytest.raises(Raised, match="KeyError: 'oven'"):
        call.finish()


def test_who_blocks_the_loop_is_not_held(stage: Stage) -> None:
    room = stage.room()
    assert stage.start("blocks", room.function).finish() == "a"
    assert room.log == ["enter a on the event loop", "leave a"]


def test_threads_may_ask_the_grader(stage: Stage) -> None:
    names: list[str] = []

    def work(name: str) -> str:
        names.append(name)
        return name.upper()

    assert stage.start("threads", work, list("abcdefgh")).finish() == list("ABCDEFGH")
    assert sorted(names) == list("abcdefgh")


def test_an_application_of_the_graders(stage: Stage) -> None:
    got: list[Any] = []

    def application(scope: Any) -> Any:
        got.append((yield RECEIVE))
        yield start()
        try:
            yield {"type": "wrong"}
        except Raised as raised:
            got.append(raised.sentence())
        yield hold("oven")
        yield sleep(5.0)
        yield body(b"done")

    app, play = stage.app(application)
    call = stage.start("serve", app, {"type": "http"}).run()
    assert got == [request(b"x"), "RuntimeError: out of order"]
    assert play.scopes == [{"type": "http"}]
    assert call.waits_for == "oven"
    assert stage.release("oven") == 1
    stage.run(4.9)
    assert not call.done
    assert call.finish(seconds=0.2) == [start(), body(b"done")]


def test_exceptions_of_the_graders_application_reach_the_learner(stage: Stage) -> None:
    def application(*args: Any) -> Any:
        raise ValueError("from the grader")
        yield

    app, _ = stage.app(application)
    assert stage.start("tries", app).finish() == "caught from the grader"


def test_a_cancelled_application_of_the_graders_sees_it(stage: Stage) -> None:
    seen: list[str] = []

    def application(scope: Any) -> Any:
        try:
            yield hold("oven")
        except Raised as raised:
            seen.append(raised.type_name)
            raise

    app, _ = stage.app(application)
    call = stage.start("serve", app, {}).run()
    raised = call.cancel().ends().raised()
    assert seen == ["CancelledError"]
    assert raised is not None
    assert raised.type_name == "CancelledError"


def test_send_may_raise(stage: Stage) -> None:
    exchange = stage.exchange("stream", http_scope(), window=2).run()
    exchange.error = OSError("the client has gone")
    with pytest.raises(Raised, match="OSError: the client has gone"):
        exchange.let_send(1).finish()
    assert exchange.events[-1] == "refused http.response.body"


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([body()], "message 0 is 'http.response.body', not http.response.start"),
        ([start(), start()], "message 1 is 'http.response.start', not http.response.body"),
        ([start("200")], "status is '200', not an int"),  # type: ignore[arg-type]
        ([start(200, [("a", b"b")])], "the header ('a', b'b') is not two byte strings"),  # type: ignore[list-item]
        ([start(200, [(b"A", b"b")])], "the header name b'A' is not in lower case"),
        ([start(), body("x")], "body is 'x', not a byte string"),  # type: ignore[arg-type]
        ([start(), body(), body()], "message 1 was the last one, and another one follows"),
        ([start(), body(more=True)], "the end is missing"),
    ],
)
def test_problems_of_a_response(messages: list[Any], said: str) -> None:
    found = problem(messages)
    assert found is not None
    assert found[0] == said
    assert problem([start(), body()]) is None


def test_a_connection_of_streams(stage: Stage) -> None:
    reader, writer, visitor = stage.visit()
    call = stage.start("shout", reader, writer).run()
    visitor.send(b"so")
    stage.run()
    assert visitor.read() == b""
    visitor.send(b"up\nand")
    stage.run()
    assert visitor.read() == b"SOUP\n"
    visitor.shutdown()
    call.finish()
    assert visitor.read() == b"AND"
    assert visitor.ended


def test_a_visitor_who_does_not_read_holds_the_writer(stage: Stage) -> None:
    reader, writer, visitor = stage.visit()
    call = stage.start("shout", reader, writer)
    while visitor.send(b"x" * 20_000 + b"\n") > 20_000:
        call.run()
    assert "drain" in call.waits_for
    while visitor.read():
        call.run()
    assert "drain" not in call.waits_for
