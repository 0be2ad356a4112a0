"""Grader of loop-bug-hunt: small plays on a selector and a clock of ours.

The clock moves only when the loop waits in the selector while no socket is ready, or when a play
says that a step took time. So nothing here depends on the machine, and a loop that turns in circles
or waits for ever is found at once.
"""

from typing import Any

from playground.grading import Learner, fail

BUSY = "a loop that asks again and again uses up the processor, with nothing"
ONCE = "Who is in the selector now, and does anybody still wait for it?"


def play(learner: Learner, scene: str, told: str, expected: Any, why: str, nudge: str) -> None:
    """Run one play; fail unless it ends with what is expected."""
    theatre = learner.define(PLAY, "play")
    with learner.telling(told):
        outcome, hung, waits = theatre(learner.name("Loop"), scene)
    if hung:
        if "was called" in hung:
            why, nudge = BUSY, ONCE
        fail(told, hung, f"{expected!r}", why=why, nudge=nudge)
    if outcome != expected:
        fail(told, f"{outcome!r}", f"{expected!r}", why=why, nudge=nudge)
    short = [wait for wait in waits if wait < LEAST]
    if len(short) > MOST_SHORT:
        fail(
            told, f"{len(short)} waits of less than {LEAST} s", "one wait until somebody can go on",
            why=BUSY, nudge="How far away is the earliest end of a sleep?",
        )  # fmt: skip


LEAST = 0.5  # every sleep of the plays is longer, or 0
MOST_SHORT = 2  # rounding


def check_demonstration(learner: Learner) -> None:
    """Passes the demonstration: two sleep, one echoes."""
    play(
        learner, "demonstration", "one sleeps 2 s, another one 1 s, a third one echoes a word",
        ["echo soup at 0", "tea at 1", "soup at 2"],
        "sleep(seconds) ends when now() has reached its end", "This worked before.",
    )  # fmt: skip


def check_all_of_it(learner: Learner) -> None:
    """Sends all of a long message."""
    play(
        learner, "long", "sendall(sock, 3,000,000 bytes), and a reader who reads all",
        ["3,000,000 bytes arrived, the right ones"],
        "socket.send hands over what fits into the kernel's buffer and says how much that was",
        "What does send return, and who looks at it?",
    )  # fmt: skip


def check_quiet_after_sending(learner: Learner) -> None:
    """Is quiet when everything has been sent and read."""
    play(
        learner, "quiet", "two exchange a word, then all sleep for 60 s; what the selector knows"
        " during the sleep", ["an empty selector", "60 s of sleep"], BUSY, ONCE,
    )  # fmt: skip


def check_quiet_after_error(learner: Learner) -> None:
    """Forgets a socket that has raised."""
    play(
        learner, "reset", "recv(sock) waits, the peer resets the connection, then 60 s of sleep",
        ["ConnectionResetError", "an empty selector", "60 s of sleep"],
        "what the socket raises is raised in the coroutine that waits, and the selector knows those"
        " sockets only that somebody waits for",
        "try … finally",
    )  # fmt: skip


def check_finished_long_ago(learner: Learner) -> None:
    """Gives the value of a future that was finished before."""
    play(
        learner, "early", "child = start(…); sleep(1), meanwhile it ends; await child, twice",
        ["done", "done"],
        "a wake-up that comes before somebody waits must not get lost",
        "Look at __await__: what if it is done already?",
    )  # fmt: skip


def check_several_wait(learner: Learner) -> None:
    """Wakes all who wait for one future."""
    play(
        learner, "several", "three coroutines await the same child, which ends after 1 s",
        ["a has done", "b has done", "c has done"],
        "a future has as many who wait as there are; each of them is woken up",
        "How many can Future.wake remember?",
    )  # fmt: skip


def check_both_directions(learner: Learner) -> None:
    """Reads from a socket while another coroutine writes to it."""
    play(
        learner, "both", "one coroutine waits in recv(sock), then another one calls sendall(sock)",
        ["sent", "heard answer"],
        "one coroutine may read from a socket while another one writes to it",
        "A selector knows each descriptor once. What becomes of the first one's future? dup()"
        " gives another descriptor for the same socket.",
    )  # fmt: skip


def check_equal_ends(learner: Learner) -> None:
    """Of equal ends of sleep, takes who asked first."""
    play(
        learner, "equal", "five coroutines sleep until the same moment", ["a", "b", "c", "d", "e"],
        "of equal ends, who asked first comes first",
        "What does the heap compare when the times are equal?",
    )  # fmt: skip


def check_busy_others(learner: Learner) -> None:
    """Wakes a sleeper, and a reader, while others always have something to do."""
    play(
        learner, "pingpong", "two wake each other up 100 times, each step takes 0.1 s; one sleeps"
        " 1 s, one waits for a word that is there", ["reader before 1 s", "sleeper before 2 s"],
        "nobody can keep the others from going on by having something to do all the time",
        "When does your loop look at the clock and the sockets, if somebody is always ready?",
    )  # fmt: skip


def check_error(learner: Learner) -> None:
    """Keeps an error for those who await it, and lets all others go on."""
    play(
        learner, "error", "a child raises ValueError('burnt') at once; main sleeps 1 s, then awaits"
        " the child", ["main slept", "ValueError burnt"],
        "who awaits the future gets the error; it is nobody else's affair",
        "Who catches what coroutine.send raises, and where is it kept until somebody asks?",
    )  # fmt: skip
    play(
        learner, "own error", "run(main), and main raises ValueError('own')", "ValueError own",
        "run(coroutine) raises what the coroutine raises", "What does run do with the result?",
    )  # fmt: skip


PLAY = '''
import selectors
import socket

LIMIT = 3000


class Hung(BaseException):
    pass


class Theatre(selectors.DefaultSelector):
    """Never waits: the clock jumps."""

    def __init__(self):
        super().__init__()
        self.time = 1000.0
        self.calls = 0
        self.waits = []

    def select(self, timeout=None):
        self.calls += 1
        if self.calls > LIMIT:
            raise Hung(f"select was called {LIMIT} times, and it is still not over")
        found = super().select(0)
        if not found and timeout is None:
            raise Hung("it waits in select for ever: nobody is ready and no socket will be")
        if not found and timeout > 0:
            self.waits.append(timeout)
            self.time += timeout
        return found


def play(Loop, scene):
    theatre = Theatre()
    sockets = []

    def pair():
        both = socket.socketpair()
        sockets.extend(both)
        for one in both:
            one.setblocking(False)
        return both

    loop = Loop(theatre, lambda: theatre.time)
    diary = []
    try:
        value = SCENES[scene](loop, theatre, pair, diary)
        return (diary if value is None else value), "", theatre.waits
    except Hung as hung:
        return None, f"{diary} so far, then {hung}", theatre.waits
    finally:
        for one in sockets:
            one.close()
        theatre.close()


def since(theatre):
    return round(theatre.time - 1000)


def known(theatre):
    number = len(theatre.get_map())
    return f"a selector that knows {number}" if number else "an empty selector"


def demonstration(loop, theatre, pair, diary):
    async def sleeper(name, seconds):
        await loop.sleep(seconds)
        diary.append(f"{name} at {since(theatre)}")

    async def echo(sock):
        await loop.sendall(sock, await loop.recv(sock, 100))

    async def main():
        left, right = pair()
        both = [loop.start(sleeper("soup", 2)), loop.start(sleeper("tea", 1))]
        loop.start(echo(right))
        await loop.sendall(left, b"soup")
        diary.append(f"echo {(await loop.recv(left, 100)).decode()} at {since(theatre)}")
        left.close()
        right.close()
        await loop.sleep(3)

    loop.run(main())


def long(loop, theatre, pair, diary):
    data = bytes(range(250)) * 12_000

    async def read(sock):
        got = bytearray()
        while len(got) < len(data):
            piece = await loop.recv(sock, 50_000)
            if not piece:
                break
            got += piece
        return bytes(got)

    async def main():
        left, right = pair()
        reader = loop.start(read(right))
        await loop.sendall(left, data)
        left.close()
        got = await reader
        right = "the right ones" if got == data else "not what was sent"
        return [f"{len(got):,} bytes arrived, {right}"]

    return loop.run(main())


def quiet(loop, theatre, pair, diary):
    async def answer(sock):
        await loop.recv(sock, 100)
        await loop.sendall(sock, b"word")

    async def main():
        left, right = pair()
        loop.start(answer(right))
        await loop.sendall(left, b"word")
        await loop.recv(left, 100)
        begun, calls = since(theatre), theatre.calls
        right.send(b"nobody waits for this one")
        await loop.sleep(60)
        often = [f"{theatre.calls - calls} calls of select"] * (theatre.calls - calls > 5)
        return [known(theatre), *often, f"{since(theatre) - begun} s of sleep"]

    return loop.run(main())


def reset(loop, theatre, pair, diary):
    async def read(sock):
        try:
            await loop.recv(sock, 100)
        except OSError as error:
            diary.append(type(error).__name__)

    async def main():
        left, right = pair()
        left.send(b"unread")
        loop.start(read(left))
        await loop.sleep(1)
        right.close()  # with something unread: a reset
        begun = since(theatre)
        await loop.sleep(60)
        diary.extend([known(theatre), f"{since(theatre) - begun} s of sleep"])

    loop.run(main())


def early(loop, theatre, pair, diary):
    async def child():
        return "done"

    async def main():
        future = loop.start(child())
        await loop.sleep(1)
        diary.append(await future)
        diary.append(await future)

    loop.run(main())


def several(loop, theatre, pair, diary):
    async def child():
        await loop.sleep(1)
        return "done"

    async def fan(name, future):
        diary.append(f"{name} has {await future}")

    async def main():
        future = loop.start(child())
        for name in "abc":
            loop.start(fan(name, future))
        await loop.sleep(2)

    loop.run(main())


def both(loop, theatre, pair, diary):
    async def reader(sock):
        diary.append(f"heard {(await loop.recv(sock, 100)).decode()}")

    async def main():
        left, right = pair()
        listening = loop.start(reader(left))
        await loop.sleep(1)
        await loop.sendall(left, b"question")
        diary.append("sent")
        await loop.recv(right, 100)
        await loop.sendall(right, b"answer")
        await loop.sleep(1)

    loop.run(main())


def equal(loop, theatre, pair, diary):
    async def sleeper(name):
        await loop.sleep(4)
        diary.append(name)

    async def main():
        for name in "abcde":
            loop.start(sleeper(name))
        await loop.sleep(5)

    loop.run(main())


def pingpong(loop, theatre, pair, diary):
    def note(name, limit):
        late = theatre.time - 1000 >= limit
        diary.append(f"{name} {'not ' if late else ''}before {limit} s")

    async def sleeper():
        await loop.sleep(1)
        note("sleeper", 2)

    async def reader(sock):
        await loop.recv(sock, 100)
        note("reader", 1)

    async def stroke():
        theatre.time += 0.1

    async def main():
        left, right = pair()
        right.send(b"word")
        loop.start(sleeper())
        loop.start(reader(left))
        for _ in range(100):
            await loop.start(stroke())
        await loop.sleep(1)

    loop.run(main())


def error(loop, theatre, pair, diary):
    async def child():
        raise ValueError("burnt")

    async def main():
        future = loop.start(child())
        await loop.sleep(1)
        diary.append("main slept")
        try:
            await future
        except ValueError as error:
            diary.append(f"ValueError {error}")

    loop.run(main())


def own_error(loop, theatre, pair, diary):
    async def main():
        raise ValueError("own")

    try:
        return f"returned {loop.run(main())!r}"
    except ValueError as error:
        return f"ValueError {error}"


SCENES = {
    "demonstration": demonstration, "long": long, "quiet": quiet, "reset": reset, "early": early,
    "several": several, "both": both, "equal": equal, "pingpong": pingpong, "error": error,
    "own error": own_error,
}
'''
