"""Grader of loop-future: one future at a time, and everything that it hands to call_soon."""

from collections.abc import Callable
from typing import Any

from playground.grading import Failed, Learner, Raised, Remote, fail, short

NEW = "Future(call_soon) makes an object, then calls __init__(self, call_soon) of it"
ONCE = "a future is pending, then done, and never changes again"
LATER = "the loop calls callbacks, not the future: who sets a result is not interrupted by others"
AWAIT = "PEP 492: await hands to the loop what __await__ yields, and gives what it returns"
CANCELLED = "cancelled is done, with neither a result nor an exception to be had"
ANYTHING = "any object can be a result: None, 0, an exception as well"


class Story:
    """One Future of the learner's, what was done to it, and what it handed to call_soon."""

    def __init__(self, learner: Learner) -> None:
        self.learner = learner
        self.queue: list[str] = []
        self.called: list[str] = []  # callbacks that were called without the loop
        self.history = ["future = Future(call_soon)"]
        try:
            self.future = learner.obtain("Future", self.call_soon)
        except Raised as raised:
            if raised.type_name != "TypeError" or raised.lines:
                raise
            fail("Future(call_soon)", f"raised {raised.sentence()}", "a future, pending", why=NEW,
                 nudge="A name with two underscores on each side, two parameters, self and"
                       " call_soon, and indented like the other methods?")  # fmt: skip

    def call_soon(self, *given: Any) -> None:
        """What the future gets as `call_soon`."""
        self.queue.append(", ".join(self.name(each) for each in given))

    def callback(self, name: str) -> Callable[..., None]:
        """A callback to be added."""

        def call(*given: Any) -> None:
            self.called.append(name)

        call.__name__ = name
        return call

    def name(self, value: Any) -> str:
        """How a value is written in messages."""
        if isinstance(value, Remote) and value._number == self.future._number:
            return "future"
        return short(value)

    def text(self) -> str:
        """Everything that was done, in order."""
        return "; ".join(self.history)

    def do(self, method: str, *args: Any, why: str = "", nudge: str = "") -> Any:
        """Call a method; what it returns. Fails when it raises."""
        self.history.append(f"future.{method}({', '.join(self.name(arg) for arg in args)})")
        try:
            return self.future.call(method, *args)
        except Raised as raised:
            raised.called = self.text()
            raise Failed(raised.message("no exception", why, nudge)) from None

    def gives(self, method: str, expected: Any, why: str, nudge: str = "") -> None:
        """Fail unless the method returns exactly this."""
        value = self.do(method, why=why, nudge=nudge)
        same = value is expected if expected is None else value == expected
        if isinstance(expected, Remote):
            same = isinstance(value, Remote) and value._number == expected._number
        if not same or type(value) is not type(expected):
            fail(self.text(), f"returned {self.name(value)}", f"returned {self.name(expected)}",
                 why=why, nudge=nudge)  # fmt: skip
        self.history.pop()

    def raises(self, method: str, expected: str | Remote, why: str, nudge: str, *args: Any) -> None:
        """Fail unless the method raises an exception of that name, or that very object."""
        self.history.append(f"future.{method}({', '.join(self.name(arg) for arg in args)})")
        try:
            got = f"returned {self.name(self.future.call(method, *args))}"
        except Raised as raised:
            if raised.type_name == expected:
                self.history.pop()
                return
            got = f"raised {raised.sentence()}"
            if isinstance(expected, Remote):
                if raised.number == expected._number:
                    self.history.pop()
                    return
                got += ", another object"
        wanted = expected if isinstance(expected, str) else f"{expected}, that very object,"
        fail(self.text(), got, f"{wanted} raised", why=why, nudge=nudge)

    def has_queued(self, *expected: str, why: str = LATER, nudge: str) -> None:
        """Fail unless exactly this was handed to call_soon, and nobody was called at once."""
        if self.called:
            got = f"{', '.join(self.called)} called at once, by the future itself"
            wanted = f"call_soon({expected[0]})" if expected else "nothing called yet"
            fail(self.text(), got, wanted, why=why, nudge=nudge)
        if tuple(self.queue) != expected:
            got = "; ".join(f"call_soon({each})" for each in self.queue) or "call_soon not called"
            wanted = "; ".join(f"call_soon({each})" for each in expected)
            fail(self.text(), got, wanted or "call_soon not called", why=why, nudge=nudge)


class Waiter:
    """A coroutine in the learner's process: `return await future`."""

    def __init__(self, story: Story, name: str = "waiter") -> None:
        self.story = story
        self.name = name
        coroutine = story.learner.define(WAITER, "waiter")(story.future)
        self.step = story.learner.define(WAITER, "stepper")(coroutine, story.future)
        story.history.append(f"{name} awaits future")

    def goes(self, expected: list[Any], why: str, nudge: str) -> None:
        """Make one step of it; fail unless it does what is expected."""
        found = self.step()
        if found != expected:
            called = self.story.text()
            fail(called, told(self.name, found), told(self.name, expected), why=why, nudge=nudge)
        self.story.history.append(f"{self.name} is continued")


def told(name: str, step: list[Any]) -> str:
    """A step of a waiter in words."""
    if step[0] == "yields":
        return f"{name} hands {short(step[1])} to the loop"
    return f"{name} {step[0]} {short(step[1])}"


YIELDS_SELF = ["yields", "the future itself"]


def check_pending(learner: Learner) -> None:
    """Is pending at first, and has no result."""
    story = Story(learner)
    story.gives("done", False, "a future begins pending")
    story.gives("cancelled", False, "a future begins pending")
    nudge = "Is it done? That is the first question."
    for method in ("result", "exception"):
        story.raises(method, "InvalidState", "there is no result to give yet", nudge)


def check_result(learner: Learner) -> None:
    """Keeps a result."""
    story = Story(learner)
    story.do("set_result", "hot")
    story.gives("done", True, ONCE)
    story.gives("cancelled", False, ONCE)
    for _ in range(2):
        story.gives("result", "hot", "result() may be asked for again and again")
    story.gives("exception", None, "there is a result, so no exception")


def check_any_result(learner: Learner) -> None:
    """Takes anything for a result."""
    nudge = "Do you ask for the value in order to know whether it is done? Keep a bool for that."
    for value in (None, 0, False, ""):
        story = Story(learner)
        story.do("set_result", value)
        story.gives("done", True, ANYTHING, nudge)
        story.gives("result", value, ANYTHING, nudge)
    story = Story(learner)
    error = learner.define(ERRORS, "make")("ValueError")
    story.do("set_result", error)
    story.gives("result", error, ANYTHING, "Only set_exception makes it an exception.")


def check_exception(learner: Learner) -> None:
    """Keeps an exception, and raises that very object."""
    story = Story(learner)
    error = learner.define(ERRORS, "make")("KeyError")
    story.do("set_exception", error)
    story.gives("done", True, ONCE)
    story.gives("cancelled", False, "it failed, which is not the same as cancelled")
    story.gives("exception", error, "exception() returns it, without raising")
    for _ in range(2):
        story.raises("result", error, "who waits gets what went wrong, not a copy of it",
                     "raise what was set.")  # fmt: skip


def check_cancel(learner: Learner) -> None:
    """Can be cancelled."""
    story = Story(learner)
    value = story.do("cancel")
    if value is not True:
        fail(story.text(), f"returned {short(value)}", "returned True", why=CANCELLED)
    story.gives("done", True, CANCELLED)
    story.gives("cancelled", True, CANCELLED)
    for method in ("result", "exception"):
        story.raises(method, "Cancelled", CANCELLED, "There is nothing to return.")


def check_only_once(learner: Learner) -> None:
    """Never changes again."""
    error = learner.define(ERRORS, "make")("KeyError")
    ends: list[tuple[str, tuple[Any, ...]]] = [
        ("set_result", ("hot",)), ("set_exception", (error,)), ("cancel", ()),
    ]  # fmt: skip
    nudge = "Look whether it is done before you change anything."
    for first, args in ends:
        story = Story(learner)
        story.do(first, *args)
        story.raises("set_result", "InvalidState", ONCE, nudge, "cold")
        story.raises("set_exception", "InvalidState", ONCE, nudge, error)
        story.history.append("then set_result and set_exception raised InvalidState")
        value = story.do("cancel", why=ONCE, nudge=nudge)
        if value is not False:
            fail(story.text(), f"returned {short(value)}", "returned False", why=ONCE, nudge=nudge)
        story.gives("cancelled", first == "cancel", ONCE, nudge)
        if first == "set_result":
            story.gives("result", "hot", ONCE, nudge)
        elif first == "set_exception":
            story.raises("result", error, ONCE, nudge)


def check_callbacks(learner: Learner) -> None:
    """Hands its callbacks to call_soon, in order, whatever made it done."""
    error = learner.define(ERRORS, "make")("KeyError")
    for method, args in (("set_result", ("hot",)), ("set_exception", (error,)), ("cancel", ())):
        story = Story(learner)
        story.do("add_done_callback", story.callback("ring"))
        story.do("add_done_callback", story.callback("serve"))
        story.has_queued(nudge="It is pending: nothing happens yet.")
        story.do(method, *args)
        story.has_queued(
            "ring, future", "serve, future",
            nudge="call_soon(callback, self) for each of them, in the order of the list.",
        )  # fmt: skip


def check_callbacks_once(learner: Learner) -> None:
    """Hands over each callback once for every time that it was added."""
    story = Story(learner)
    ring = story.callback("ring")
    story.do("add_done_callback", ring)
    story.do("add_done_callback", ring)
    story.do("set_result", "hot")
    why = "a callback that was added twice is called twice"
    story.has_queued("ring, future", "ring, future", why=why, nudge="A list, not a set.")
    story.raises("set_result", "InvalidState", ONCE, "Is it done already?", "cold")
    story.do("cancel")
    story.has_queued("ring, future", "ring, future", why="it became done once, and tells it once",
                     nudge="Who is done already tells nobody again.")  # fmt: skip


def check_late_callback(learner: Learner) -> None:
    """Hands a callback over at once when it is done already."""
    story = Story(learner)
    story.do("add_done_callback", story.callback("ring"))
    story.do("set_result", "hot")
    story.do("add_done_callback", story.callback("serve"))
    story.has_queued(
        "ring, future", "serve, future",
        nudge="Who comes late would wait for ever; but the loop calls, even now.",
    )  # fmt: skip


def check_await(learner: Learner) -> None:
    """Can be awaited: yields itself, then gives the result."""
    story = Story(learner)
    waiter = Waiter(story)
    waiter.goes(YIELDS_SELF, AWAIT, "__await__ is a generator: what does it yield?")
    story.do("set_result", "hot")
    waiter.goes(["returns", "hot"], AWAIT, "After the yield: what does result() say?")


def check_await_raises(learner: Learner) -> None:
    """Raises in the one who awaits what result() raises."""
    error = learner.define(ERRORS, "make")("KeyError")
    nudge = "After the yield, leave it to result()."
    story = Story(learner)
    waiter = Waiter(story)
    waiter.goes(YIELDS_SELF, AWAIT, nudge)
    story.do("set_exception", error)
    waiter.goes(["raises", "KeyError"], AWAIT, nudge)
    story = Story(learner)
    waiter = Waiter(story)
    waiter.goes(YIELDS_SELF, AWAIT, nudge)
    story.do("cancel")
    waiter.goes(["raises", "Cancelled"], AWAIT, nudge)


def check_await_done(learner: Learner) -> None:
    """Does not make anybody wait for what is there already."""
    story = Story(learner)
    story.do("set_result", None)
    Waiter(story).goes(
        ["returns", None], "a future that is done has nothing to wait for",
        "The loop would wait for a future that will never become done again.",
    )  # fmt: skip


def check_await_early(learner: Learner) -> None:
    """Says so when the waiter is continued too early."""
    story = Story(learner)
    waiter = Waiter(story)
    waiter.goes(YIELDS_SELF, AWAIT, "One yield.")
    waiter.goes(
        ["raises", "InvalidState"], "a loop that continues too early has a bug, which must be seen",
        "`if`, not `while`: result() says what is wrong.",
    )  # fmt: skip


def check_two_waiters(learner: Learner) -> None:
    """Can be awaited by several."""
    story = Story(learner)
    waiters = [Waiter(story, name) for name in ("ann", "bob")]
    for waiter in waiters:
        waiter.goes(YIELDS_SELF, AWAIT, "Each await calls __await__ anew.")
    story.do("set_result", "hot")
    for waiter in waiters:
        waiter.goes(["returns", "hot"], AWAIT, "The result stays for all.")


ERRORS = """
import builtins

def make(name):
    return getattr(builtins, name)("the tea is cold")
"""

WAITER = """
async def waiter(future):
    return await future

def stepper(coroutine, future):
    def step():
        try:
            yielded = coroutine.send(None)
        except StopIteration as end:
            return ["returns", end.value]
        except BaseException as error:
            if isinstance(error, TypeError):
                raise
            return ["raises", type(error).__name__]
        return ["yields", "the future itself" if yielded is future else repr(yielded)[:80]]

    return step
"""
