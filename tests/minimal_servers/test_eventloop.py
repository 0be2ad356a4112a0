"""The event loop: who makes a step when. A clock that only moves when the loop waits."""

import gc
import logging
import selectors
import socket

import pytest

from minimal_servers import eventloop
from minimal_servers.eventloop import (
    Cancelled,
    Deadlock,
    Future,
    Loop,
    accept,
    gather,
    recv,
    run,
    sendall,
    sleep,
    spawn,
    timeout,
)


class Waits(selectors.DefaultSelector):
    """Never waits: the clock jumps instead."""

    def __init__(self):
        super().__init__()
        self.now = 0.0
        self.waits = []

    def select(self, timeout=None):
        if timeout:
            self.waits.append(timeout)
            self.now += timeout
        return super().select(timeout if timeout is None else 0)


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

    loop.run(main())
    assert steps == [("a", 1), ("d", 2), ("c", 3), ("b", 3)]
    assert loop.selector.waits == [1, 1, 1]


def test_a_thousand_sleepers_take_one_wait(loop):
    async def main():
        return await gather(*[sleep(1) for _ in range(1000)])

    assert loop.run(main()) == [None] * 1000
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

    loop.run(main())
    assert events == ["cleaned", "cleaned", "told"]


def test_whoever_awaits_a_cancelled_task_is_told(loop):
    async def main():
        task = spawn(sleep(5))
        await sleep(1)
        task.cancel()
        with pytest.raises(Cancelled):
            await task
        return loop.clock()

    assert loop.run(main()) == 1


def test_no_wake_up_is_lost_between_a_result_and_an_await(loop):
    async def main():
        early, late = Future(), Future()
        early.finish("early")

        async def giver():
            late.finish("late")

        spawn(giver())
        return await early, await late, await late

    assert loop.run(main()) == ("early", "late", "late")


def test_a_deadlock_is_told_and_everybody_cleans_up(loop):
    events = []

    async def stuck():
        try:
            await Future("a key")
        finally:
            events.append("cleaned")

    async def main():
        await gather(stuck(), stuck())

    with pytest.raises(Deadlock, match="stuck waits for a key"):
        loop.run(main())
    assert events == ["cleaned", "cleaned"]


def test_an_error_that_nobody_awaits_is_logged(loop, caplog):
    async def fails():
        raise ValueError("burnt")

    async def main():
        spawn(fails())
        await sleep(1)

    with caplog.at_level(logging.ERROR, eventloop.__name__):
        loop.run(main())
        gc.collect()
    assert "burnt" in caplog.text


def test_a_time_out_ends_the_work_first(loop):
    events = []

    async def work():
        try:
            await sleep(9)
        finally:
            events.append("cleaned")

    async def main():
        with pytest.raises(TimeoutError):
            await timeout(1, work())
        events.append(loop.clock())

    loop.run(main())
    assert events == ["cleaned", 1]


@pytest.mark.parametrize("call", [lambda: spawn(Future()), lambda: sleep(1).send(None)])
def test_without_a_loop_a_sentence_says_how_to_begin(call):
    with pytest.raises(RuntimeError, match=r"no loop runs in this thread.*eventloop\.run"):
        call()


def test_what_belongs_to_another_loop_is_refused_where_it_is_awaited(loop):
    class Foreign:
        def __await__(self):
            yield "a stranger"

    async def main():
        with pytest.raises(RuntimeError, match="its own futures only, not 'a stranger'"):
            await Foreign()
        await sleep(1)
        return "goes on"

    assert loop.run(main()) == "goes on"


def test_ctrl_c_ends_everybody(loop):
    events = []

    async def other():
        try:
            await sleep(9)
        finally:
            events.append("cleaned")

    async def main():
        spawn(other())
        await sleep(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop.run(main())
    assert events == ["cleaned"]


def test_the_observer_hears_everything_in_order():
    heard = []

    async def main():
        await sleep(0.001)

    run(main(), lambda event, task: heard.append(event))
    assert heard == ["ready", "begin", "end", "idle", "awake", "ready", "begin", "end"]


def test_a_slow_reader_gets_everything_while_others_are_served():
    data = bytes(range(256)) * 8192  # more than the kernel takes at once

    async def echo(sock):
        with sock:
            while piece := await recv(sock, 1 << 20):
                await sendall(sock, piece)

    async def client(address, payload, size):
        with socket.create_connection(address) as sock:
            sender = spawn(sendall(sock.dup(), payload))
            got = bytearray()
            while len(got) < len(payload):
                got += await recv(sock, size)
            await sender
            return bytes(got)

    async def main():
        async def serve():
            while True:
                spawn(echo((await accept(listener))[0]))

        with socket.create_server(("127.0.0.1", 0)) as listener:
            spawn(serve())
            address = listener.getsockname()
            slow = client(address, data, 50_000)
            return await gather(slow, *[client(address, b"quick", 5) for _ in range(5)])

    assert run(main()) == [data] + [b"quick"] * 5
