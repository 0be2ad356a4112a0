"""The event loop: who makes a step when. A clock that only moves when the loop waits."""

import gc
import logging
import selectors
import socket

import pytest

from minimal_servers import eventloop
from minimal_servers.eventloop import (
    Cancelled,
    Future,
    Loop,
    Task,
    accept,
    gather,
    recv,
    run,
    sendall,
    sleep,
)


class Waits(selectors.DefaultSelector):
    """Never waits: the clock jumps instead."""

    def __init__(self):
        super().__init__()
        self.now = 0.0
        self.waits = []

    def select(self, timeout=None):
        found = super().select(0)
        if not found and timeout > 0:
            self.waits.append(timeout)
            self.now += timeout
        return found


@pytest.fixture
def loop():
    made = Loop()
    made.selector.close()
    made.selector = Waits()
    made.clock = lambda: made.selector.now
    return made


def test_sleepers_wake_in_order_of_their_deadlines_and_then_of_their_asking(loop):
    steps = []

    async def sleeper(name, seconds):
        await sleep(seconds)
        steps.append((name, loop.clock()))

    async def main():
        await gather(sleeper("c", 3), sleeper("a", 1), sleeper("b", 3), sleeper("d", 2))

    run(main(), loop)
    assert steps == [("a", 1), ("d", 2), ("c", 3), ("b", 3)]
    assert loop.selector.waits == [1, 1, 1]


def test_a_thousand_sleepers_take_one_wait(loop):
    async def main():
        return await gather(*[sleep(1) for _ in range(1000)])

    assert run(main(), loop) == [None] * 1000
    assert loop.selector.waits == [1]


def test_the_first_error_of_gather_cancels_the_others_and_is_raised_when_they_have_ended(loop):
    events = []

    async def fails():
        await sleep(1)
        raise ValueError("burnt")

    async def long():
        try:
            await sleep(9)
        finally:
            await sleep(1)
            events.append("cleaned")

    async def main():
        with pytest.raises(ValueError, match="burnt"):
            await gather(long(), fails(), long())
        events.append("told")

    run(main(), loop)
    assert events == ["cleaned", "cleaned", "told"]


def test_whoever_awaits_a_cancelled_task_is_told(loop):
    async def main():
        task = Task(sleep(5))
        await sleep(1)
        task.cancel()
        with pytest.raises(Cancelled):
            await task
        return loop.clock()

    assert run(main(), loop) == 1


def test_no_wake_up_is_lost_between_a_result_and_an_await(loop):
    async def main():
        early, late = Future(), Future()
        early.finish("early")

        async def giver():
            late.finish("late")

        Task(giver())
        return await early, await late, await late

    assert run(main(), loop) == ("early", "late", "late")


def test_a_deadlock_is_told_and_everybody_cleans_up(loop):
    events = []

    async def stuck():
        try:
            await Future("a key")
        finally:
            events.append("cleaned")

    async def main():
        await gather(stuck(), stuck())

    with pytest.raises(RuntimeError, match="stuck waits for a key"):
        run(main(), loop)
    assert events == ["cleaned", "cleaned"]


def test_an_error_that_nobody_awaits_is_logged(loop, caplog):
    async def fails():
        raise ValueError("burnt")

    async def main():
        Task(fails())
        await sleep(1)

    with caplog.at_level(logging.ERROR, eventloop.__name__):
        run(main(), loop)
        gc.collect()
    assert "burnt" in caplog.text


@pytest.mark.parametrize("call", [lambda: Task(Future()), lambda: sleep(1).send(None)])
def test_without_a_loop_a_sentence_says_how_to_begin(call):
    with pytest.raises(LookupError, match=r"no loop runs here: begin with eventloop\.run"):
        call()


def test_what_belongs_to_another_loop_is_refused_where_it_is_awaited(loop):
    class Foreign:
        def __await__(self):
            yield "a stranger"

    async def main():
        with pytest.raises(RuntimeError, match="not a future of this loop: 'a stranger'"):
            await Foreign()
        await sleep(1)
        return "goes on"

    assert run(main(), loop) == "goes on"


@pytest.mark.parametrize("hit", ["main", "child", "selector"])
def test_ctrl_c_ends_everybody_wherever_it_hits(loop, hit, monkeypatch):
    events = []

    async def other(name, seconds):
        try:
            await sleep(seconds)
            if hit == "child":
                raise KeyboardInterrupt
        finally:
            await sleep(1)
            events.append(f"{name} has cleaned up")

    async def main():
        Task(other("long", 9))
        Task(other("short", 1))
        try:
            await sleep(4)
            if hit == "main":
                raise KeyboardInterrupt
        finally:
            events.append("main has cleaned up")

    def interrupted(timeout):
        if timeout > 0:
            monkeypatch.undo()
            raise KeyboardInterrupt

    if hit == "selector":
        monkeypatch.setattr(loop.selector, "select", lambda timeout: interrupted(timeout) or ())
    with pytest.raises(KeyboardInterrupt):
        run(main(), loop)
    assert sorted(events) == ["long has cleaned up", "main has cleaned up", "short has cleaned up"]


def test_a_second_ctrl_c_ends_at_once_and_the_thread_can_run_another_loop(loop):
    async def stubborn():
        try:
            await sleep(9)
        finally:
            raise KeyboardInterrupt

    async def main():
        Task(stubborn())
        await sleep(1)

    with pytest.raises(KeyboardInterrupt):
        run(main(), loop)
    assert run(sleep(0)) is None


def test_what_a_tracer_wraps_tells_everything_in_order(loop):
    heard = []

    class Ready(type(loop.ready)):
        def append(self, task):
            heard.append("ready")
            super().append(task)

    def told(call, name):
        def wrapped(argument):
            heard.append(f"{name} {argument:.0f}" if name == "select" else name)
            return call(argument)

        return wrapped

    loop.ready = Ready()
    loop.step = told(loop.step, "step")
    loop.selector.select = told(loop.selector.select, "select")
    run(sleep(7), loop)
    assert heard == ["ready", "select 0", "step", "select 7", "ready", "step"]


def test_a_result_comes_once():
    heard = []
    future = Future()
    future.callbacks.append(heard.append)
    future.finish("first")
    future.finish("second")
    assert (future.result(), heard) == ("first", [future])


def test_a_task_that_cancels_itself_hears_of_it_at_its_next_await(loop):
    async def main():
        me = next(iter(loop.tasks))
        me.cancel()
        with pytest.raises(Cancelled):
            await sleep(9)
        await sleep(1)
        return loop.clock()

    assert run(main(), loop) == 1


def test_cancelling_a_task_that_is_ready_gives_it_one_step_only(loop):
    steps = []

    async def child(bell):
        try:
            steps.append("begun")
            await bell
        finally:
            steps.append("over")
            await sleep(1)
            steps.append("clean")

    async def main():
        bell = Future()
        task = Task(child(bell))
        await sleep(0)
        bell.finish()
        task.cancel()
        with pytest.raises(Cancelled):
            await task

    run(main(), loop)
    assert steps == ["begun", "over", "clean"]


def test_a_gather_that_is_cancelled_ends_when_all_have_cleaned_up(loop):
    events = []

    async def child(seconds):
        try:
            await sleep(9)
        finally:
            await sleep(seconds)
            events.append(loop.clock())

    async def main():
        both = Task(gather(child(2), child(3)))
        await sleep(1)
        both.cancel()
        with pytest.raises(Cancelled):
            await both
        return loop.clock()

    assert run(main(), loop) == 4
    assert events == [3, 4]


def test_gather_reports_the_error_that_it_does_not_raise(loop, caplog):
    async def fails(seconds, text):
        try:
            await sleep(seconds)
        finally:
            raise ValueError(text)

    async def main():
        with pytest.raises(ValueError, match="first"):
            await gather(fails(2, "second"), fails(1, "first"))

    run(main(), loop)
    gc.collect()
    assert "second" in caplog.text
    assert "first" not in caplog.text


def test_an_error_is_reported_as_soon_as_nobody_can_ask_for_it(loop, caplog):
    async def fails():
        raise ValueError("burnt")

    async def main():
        Task(fails())
        await sleep(1)
        return "burnt" in caplog.text

    gc.disable()
    try:
        assert run(main(), loop)
    finally:
        gc.enable()


def test_sleeping_for_ever_does_not_end_the_loop(loop):
    async def main():
        task = Task(sleep(float("inf")))
        await sleep(5000)
        return task.done

    assert run(main(), loop) is False
    assert loop.selector.waits == [3600, 1400]


def test_nobody_waits_busily_while_a_buffer_is_full():
    selects = []

    async def main():
        left, right = socket.socketpair()
        with left, right:
            Task(sendall(left, bytes(10_000_000)))
            await sleep(0.05)
            before = len(selects)
            await sleep(0.05)
            return len(selects) - before

    loop = Loop()
    select = loop.selector.select
    loop.selector.select = lambda timeout: selects.append(timeout) or select(timeout)
    assert run(main(), loop) <= 2


def test_a_reader_and_a_writer_may_wait_for_the_same_socket():
    data = bytes(5_000_000)

    async def echo(sock):
        while piece := await recv(sock, 1 << 16):
            await sendall(sock, piece)

    async def collect(sock):
        got = 0
        while got < len(data):
            got += len(await recv(sock, 1 << 16))
        return got

    async def main():
        left, right = socket.socketpair()
        with left, right:
            Task(echo(right))
            return (await gather(collect(left), sendall(left, data)))[0]

    assert run(main()) == len(data)


def test_two_readers_of_one_socket_get_one_piece_each():
    async def main():
        left, right = socket.socketpair()
        with left, right:
            first, second = Task(recv(left, 1)), Task(recv(left.dup(), 1))
            third = Task(recv(left, 1))
            await sleep(0)
            for letter in (b"a", b"b", b"c"):
                right.sendall(letter)
                await sleep(0.01)
            return sorted([await first, await second, await third])

    assert run(main()) == [b"a", b"b", b"c"]


def test_who_is_cancelled_while_waiting_for_a_socket_leaves_the_selector():
    async def main():
        left, right = socket.socketpair()
        with left, right:
            task = Task(recv(left, 1))
            await sleep(0)
            waiting = len(loop.selector.get_map())
            task.cancel()
            with pytest.raises(Cancelled):
                await task
            left_over = len(loop.selector.get_map())
            right.sendall(b"x")
            return waiting, left_over, await recv(left, 1)

    loop = Loop()
    assert run(main(), loop) == (1, 0, b"x")


def test_a_slow_reader_gets_everything_while_others_are_served():
    data = bytes(range(256)) * 8192  # more than the kernel takes at once

    async def echo(sock):
        with sock:
            while piece := await recv(sock, 1 << 20):
                await sendall(sock, piece)

    async def client(address, payload, size):
        with socket.create_connection(address) as sock:
            sender = Task(sendall(sock.dup(), payload))
            got = bytearray()
            while len(got) < len(payload):
                got += await recv(sock, size)
            await sender
            return bytes(got)

    async def main():
        async def serve():
            while True:
                Task(echo((await accept(listener))[0]))

        with socket.create_server(("127.0.0.1", 0)) as listener:
            Task(serve())
            address = listener.getsockname()
            slow = client(address, data, 50_000)
            return await gather(slow, *[client(address, b"quick", 5) for _ in range(5)])

    assert run(main()) == [data] + [b"quick"] * 5
