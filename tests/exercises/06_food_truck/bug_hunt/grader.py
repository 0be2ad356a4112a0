"""Grader of truck-bug-hunt: one check for each bug; card terminal, oven and clock are ours."""

from collections.abc import Callable
from typing import Any

from playground.grading import Learner, Raised, Remote
from playground.grading.asgi import (
    Exchange,
    Play,
    Room,
    Script,
    Stage,
    hold,
    http_scope,
    lifespan_scope,
    request,
)

PAYING = "a portion belongs to a guest from the moment when the whole order has been read"
BACK = "who has not paid has no portion: it is there for the next guest"
OWN = "what belongs to one request must not stand in a place that all requests share"
LOOP = "a blocking call on the loop's thread stops everybody"
TERMINAL = "ConnectionError: try again, three times in all"
WEAK = "asyncio.create_task: the loop holds only a weak reference to a task; keep one of your own"
BEHIND = "the guest does not wait for the statistics"
CLOSING = "every tell that was begun ends before lifespan.shutdown.complete"

# In the learner's process: a `tell` that waits for something which nobody else knows. So whether
# the task is still there depends on who holds the task.
LONELY = """
import asyncio
import gc
import weakref

class Lonely:
    def __init__(self):
        self.waiting = weakref.WeakSet()
        self.begun = 0

    async def tell(self, guest, dish):
        self.begun += 1
        news = asyncio.get_running_loop().create_future()
        self.waiting.add(news)
        await news

    def alive(self):
        gc.collect()
        return len(self.waiting)

    def go_on(self):
        for news in list(self.waiting):
            news.set_result(None)
"""


class Truck:
    """The learner's application, with a terminal, an oven and statistics of ours."""

    def __init__(
        self,
        stage: Stage,
        stock: dict[str, int],
        pay: Callable[..., Script] | None = None,
        tell: Callable[..., Script] | Remote | None = None,
    ) -> None:
        self.stage = stage
        self.room: Room = stage.room()
        self.said = f"make_app({stock!r}, …)"
        terminal, self.payments = stage.function(pay or pays)
        if not isinstance(tell, Remote):
            tell, self.statistics = stage.function(tell or pays)
        self.app = stage.learner.obtain("make_app", stock, terminal, self.room.function, tell)

    def bakes(self, *dishes: str) -> "Truck":
        """Let the oven return these dishes as soon as they are there."""
        for dish in dishes:
            self.room.release(dish)
        return self

    def order(self, guest: str, dish: str = "soup", whole: bool = True) -> Exchange:
        """One order, as far as it goes; with `whole=False`, the end of its body is missing."""
        called = f"{self.said}, POST /{dish} by {guest}"
        scope = http_scope("POST", f"/{dish}")
        message = request(guest.encode(), more=not whole)
        exchange = self.stage.exchange(self.app, scope, message, called=called)
        self.stage.run()
        return exchange


def pays(*args: Any) -> Script:
    """A card, or a note, that is taken at once."""
    return
    yield


def got(exchange: Exchange, status: int, text: str, why: str, nudge: str = "") -> None:
    """Fail unless exactly this answer has been sent, and the app has returned."""
    exchange.stage.run()
    if exchange.done:
        exchange.result()
    elif exchange.sent:
        waits = f"answered, and still waits for {exchange.waits_for}"
        exchange.fail(waits, "the app has returned", why=why, nudge=nudge, stacks=True)
    if not exchange.sent:
        state = "returned without an answer" if exchange.done else f"waits: {exchange.waits_for}"
        if any("never awaited" in said for said in exchange.stage.complaints()):
            nudge = f"Python says: {exchange.stage.complaints()[0]}"
        expected = f"{status} {text!r}"
        exchange.fail(state, expected, why=why, nudge=nudge, stacks=not exchange.done)
    found = exchange.response(why=why, nudge=nudge)
    if (found.status, found.body) != (status, text.encode()):
        answered = f"answered {found.status} {found.body!r}"
        exchange.fail(answered, f"{status} {text.encode()!r}", why=why, nudge=nudge)
    if found.header(b"content-type") != [b"text/plain; charset=utf-8"]:
        answered = f"content-type is {found.header(b'content-type')}"
        exchange.fail(answered, "text/plain; charset=utf-8", why="the docstring")


def called_with(play: Play, expected: list[tuple[str, str]], exchange: Exchange, name: str) -> None:
    """Fail unless our function was called like this."""
    calls = [tuple(scope) for scope in play.scopes]
    if calls != expected:
        shown = ", ".join(map(str, calls)) or "never"
        exchange.fail(
            f"{name} was called with: {shown}",
            ", ".join(map(str, expected)) or "never", why="the docstring",
        )  # fmt: skip


def check_one(learner: Learner) -> None:
    """Sells what it has, and no more, to guests who come one after the other."""
    with Stage(learner) as stage:
        truck = Truck(stage, {"soup": 2, "bread": 1}).bakes("soup", "soup")
        for guest in ("ann", "b\xf6b"):
            got(truck.order(guest), 200, f"soup for {guest}\n", "there was a portion left")
        last = truck.order("cleo")
        got(last, 409, "no soup left\n", "both portions are sold")
        got(truck.order("cleo", "cake"), 409, "no cake left\n", "there never was any")
        calls = [("ann", "soup"), ("b\xf6b", "soup")]
        called_with(truck.payments, calls, last, "pay")
        called_with(truck.statistics, calls, last, "tell")


def check_refused(learner: Learner) -> None:
    """Answers 402 when the card is refused, and sells the portion to the next guest."""

    def pay(guest: str, dish: str) -> Script:
        if guest == "ann":
            raise ValueError("refused")
        yield hold("card")

    with Stage(learner) as stage:
        truck = Truck(stage, {"soup": 2}, pay).bakes("soup", "soup", "soup")
        first = truck.order("ann")
        nudge = "A coroutine that nobody awaits never runs."
        got(first, 402, "ann has not paid\n", "the card is refused", nudge)
        called_with(truck.payments, [("ann", "soup")], first, "pay")
        called_with(truck.statistics, [], first, "tell")
        for guest in ("bob", "cleo"):
            order = truck.order(guest)
            stage.release("card")
            got(order, 200, f"soup for {guest}\n", BACK, "Put it back.")
        got(truck.order("dan"), 409, "no soup left\n", "there were two, and two are sold")


def check_last_portion(learner: Learner) -> None:
    """Sells the last portion once."""

    def pay(guest: str, dish: str) -> Script:
        yield hold(guest)

    with Stage(learner) as stage:
        truck = Truck(stage, {"soup": 1}, pay).bakes("soup", "soup")
        ann, bob = truck.order("ann"), truck.order("bob")
        if bob.waits_for == "bob":
            both = "ann and bob pay for the same portion"
            nudge = "Between the look at the stock and the line that takes the portion is an await."
            bob.fail(both, "409 for bob", why=PAYING, nudge=nudge)
        nudge = "A lock would make bob wait until ann has paid."
        got(bob, 409, "no soup left\n", PAYING, nudge)
        stage.release("ann")
        got(ann, 200, "soup for ann\n", f"the portion is hers; {OWN}")


def check_own_answer(learner: Learner) -> None:
    """Gives everybody his own dish, whoever is faster."""

    def pay(guest: str, dish: str) -> Script:
        yield hold(guest)

    nudge = "What happens to self.guest while this request waits?"
    with Stage(learner) as stage:
        truck = Truck(stage, {"soup": 1, "bread": 1}, pay).bakes("soup", "bread")
        ann, bob = truck.order("ann", "soup", whole=False), truck.order("bob", "bread")
        ann.feed({"type": "http.request", "more_body": True}, request(b"a"))
        stage.run()
        called_with(truck.payments, [("bob", "bread"), ("anna", "soup")], ann, "pay")
        for guest in ("anna", "bob"):
            stage.release(guest)
        got(ann, 200, "soup for anna\n", OWN, nudge)
        got(bob, 200, "bread for bob\n", OWN, nudge)
        calls = [("anna", "soup"), ("bob", "bread")]
        found = sorted(tuple(scope) for scope in truck.statistics.scopes)
        if found != calls:
            ann.fail(f"tell was called with: {found}", f"{calls}", why=OWN, nudge=nudge)


def check_baking(learner: Learner) -> None:
    """Serves others while a dish is baked."""
    with Stage(learner) as stage:
        truck = Truck(stage, {"cake": 1, "soup": 1})
        cake = truck.order("ann", "cake")
        if any("event loop" in entry for entry in truck.room.log):
            entered = "bake('cake') runs on the event loop"
            cake.fail(entered, "in a thread", why=LOOP, nudge="asyncio.to_thread")
        got(truck.bakes("soup").order("bob"), 200, "soup for bob\n", LOOP)
        if cake.sent:
            cake.fail("answered before it was baked", "an answer when bake has returned", why=LOOP)
        truck.bakes("cake")
        got(cake, 200, "cake for ann\n", "it is baked")


def check_lost_line(learner: Learner) -> None:
    """Tries again when the terminal has lost its line, three times in all."""
    for failures, status, text in ((2, 200, "soup for ann\n"), (3, 402, "ann has not paid\n")):
        left = [failures]

        def pay(guest: str, dish: str, left: list[int] = left) -> Script:
            if left[0]:
                left[0] -= 1
                raise ConnectionError("no line")
            yield hold("card")

        with Stage(learner) as stage:
            truck = Truck(stage, {"soup": 1}, pay).bakes("soup", "soup")
            ann = truck.order("ann")
            stage.release("card")
            got(ann, status, text, f"{TERMINAL}; here it failed {failures} times")
            called_with(truck.payments, [("ann", "soup")] * 3, ann, "pay")
            if status == 402:
                bob = truck.order("bob")
                stage.release("card")
                got(bob, 200, "soup for bob\n", BACK, "Put it back.")


def check_cancelled(learner: Learner) -> None:
    """Lets a cancellation go on, and has the portion back."""

    def pay(guest: str, dish: str) -> Script:
        yield hold(f"the card of {guest}")

    with Stage(learner) as stage:
        truck = Truck(stage, {"soup": 1}, pay).bakes("soup")
        ann = truck.order("ann")
        ann.cancel()
        stage.run()
        nudge = "CancelledError is a BaseException, so that `except Exception` lets it pass."
        if len(truck.payments.scopes) > 1:
            again = f"pay was called {len(truck.payments.scopes)} times for her"
            why = "a cancelled task ends: it cleans up, and lets CancelledError go on"
            ann.fail(again, "once", why=why, nudge=nudge)
        raised = ann.ends(why="it was cancelled", nudge=nudge).raised()
        if raised is None or raised.type_name != "CancelledError":
            ended = "returned" if raised is None else f"raised {raised.sentence()}"
            ann.fail(ended, "raised CancelledError", why="a cancellation goes on", nudge=nudge)
        bob = truck.order("bob")
        stage.release("the card of bob")
        nudge = "An exception is a way out as well. What runs on every way out?"
        got(bob, 200, "soup for bob\n", f"{BACK}; ann was cancelled while she paid", nudge)


def check_tell_behind(learner: Learner) -> None:
    """Does not let the guest wait for the statistics, and loses none of them."""
    with Stage(learner) as stage:
        lonely = learner.define(LONELY, "Lonely")()
        truck = Truck(stage, {"soup": 2}, tell=lonely.get("tell")).bakes("soup", "soup")
        orders = [truck.order("ann"), truck.order("bob")]
        for order, guest in zip(orders, ("ann", "bob"), strict=True):
            got(order, 200, f"soup for {guest}\n", BEHIND, "asyncio.create_task")
        if (begun := lonely.get("begun")) != 2:
            orders[0].fail(f"tell was begun {begun} times", "twice: two sales", why="the docstring")
        if (alive := lonely.call("alive")) != 2:
            orders[0].fail(
                f"{2 - alive} of 2 tasks have vanished half done: {stage.complaints()[0]}",
                "both are still there", why=WEAK, nudge="Who holds what create_task returns?",
            )  # fmt: skip
        lonely.call("go_on")
        stage.run()


def check_shutdown(learner: Learner) -> None:
    """Waits for the statistics at shutdown, whatever they raise."""

    def tell(guest: str, dish: str) -> Script:
        yield hold(f"news of {guest}")
        if guest == "ann":
            raise OSError("no line")

    with Stage(learner) as stage:
        truck = Truck(stage, {"soup": 2}, tell=tell).bakes("soup", "soup")
        life = stage.exchange(
            truck.app, lifespan_scope(), {"type": "lifespan.startup"},
            called=f"{truck.said}, its lifespan",
        )  # fmt: skip
        stage.run()
        life.expect_sent({"type": "lifespan.startup.complete"}, why="ASGI Lifespan")
        for guest in ("ann", "bob"):
            got(truck.order(guest), 200, f"soup for {guest}\n", BEHIND)
        life.feed({"type": "lifespan.shutdown"})
        life.called += "; two have bought soup, and tell still waits; then lifespan.shutdown"
        nudge = "asyncio.gather(*tasks, return_exceptions=True)"
        for guest in ("ann", "bob"):
            stage.run()
            try:
                life.expect_sent({"type": "lifespan.startup.complete"}, why=CLOSING, nudge=nudge)
                if life.done:
                    life.result()
            except Raised as raised:
                life.fail(
                    f"raised {raised.sentence()}", "it waits for bob's tell, too", why=CLOSING,
                    nudge="What tell raises harms nobody: return_exceptions=True.",
                )  # fmt: skip
            stage.release(f"news of {guest}")
        life.finish(why="nothing is left to wait for", nudge=nudge)
        if said := stage.complaints():
            life.fail(f"asyncio says: {said[0]}", "nothing to complain about", why=CLOSING)
        complete = ({"type": f"lifespan.{what}.complete"} for what in ("startup", "shutdown"))
        life.expect_sent(*complete, why=CLOSING, nudge=nudge)
