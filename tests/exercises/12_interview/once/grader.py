"""Grader of whiteboard-once: our database answers when we say so, and clients hang up."""

from __future__ import annotations

from typing import Any, NoReturn

from playground.grading import Failed, Learner, Message, Raised, fail
from playground.grading.asgi import Call, Stage, hold

SHARED = "who asks while it is under way waits for the same call"
THE_OTHERS = "who hangs up takes nothing from the others: the work is not the first one's own"
NOBODY = "nobody wants the result any more, so the work is cancelled"

# In the learner's process: everything that asks and answers here is known by weak references only.
# So what is still there at the end is held by the learner's object.
KITCHEN = """
import asyncio
import gc
import weakref

class Key(str):
    pass

class Dish:
    pass

class Kitchen:
    def __init__(self):
        self.keys = weakref.WeakSet()
        self.dishes = weakref.WeakSet()

    async def make(self, key):
        dish = Dish()
        self.dishes.add(dish)
        await asyncio.sleep(60 if key == "gone" else 0)
        return dish

    def key(self, text):
        key = Key(text)
        self.keys.add(key)
        return key

    async def ask(self, once):
        for text in ("menu", "wine", "menu"):
            key = self.key(text)
            await asyncio.gather(once.get(key), once.get(key))
        key = self.key("gone")
        guest = asyncio.create_task(once.get(key))
        await asyncio.sleep(0)
        guest.cancel()
        await asyncio.wait([guest])

    def kept(self):
        gc.collect()
        return len(self.keys), len(self.dishes)
"""


class House:
    """The learner's Once around a `make` of ours."""

    def __init__(self, stage: Stage, stubborn: bool = False) -> None:
        self.stage, self.stubborn = stage, stubborn
        self.made: list[str] = []  # what became of each call of make
        self.errors: dict[str, Exception] = {}
        make, _ = stage.function(self.make)
        self.once = stage.learner.obtain("Once", make)
        self.said = "once = Once(make)"

    def make(self, key: str) -> Any:
        """Wait for the check, then answer with the number of the call."""
        number = len(self.made)
        self.made.append("under way")
        try:
            yield hold(key)
        except Raised:
            self.made[number] = "cancelled"
            if self.stubborn:
                yield hold(f"{key} cleans up")
            raise
        if key in self.errors:
            self.made[number] = "raised"
            raise self.errors[key]
        self.made[number] = "returned"
        return f"{key} {number + 1}"

    def asks(self, *keys: str) -> list[Call]:
        """Ask for keys, all at the same moment."""
        calls = []
        for key in keys:
            self.said += f", get({key!r})"
            calls.append(self.stage.start(self.once.get("get"), key, called=self.said))
        self.stage.run()
        return calls

    def answers(self, key: str) -> None:
        """The database answers all that is under way for a key."""
        self.said += f", make({key!r}) ends"
        self.stage.release(key)
        self.stage.run()

    def hangs_up(self, call: Call, who: str) -> None:
        """Cancel who asks, and see that it stops waiting."""
        self.said += f", {who} is cancelled"
        call.cancel()
        self.stage.run()
        self.became(call, "raised CancelledError", why="who is cancelled stops waiting at once",
                    nudge="It waits neither for make nor for its clean-up.")  # fmt: skip

    def calls(self, *expected: str, why: str, nudge: str = "") -> None:
        """Fail unless this became of the calls of make."""
        if self.made != list(expected):
            self.fail(f"calls of make: {', '.join(self.made) or 'none'}",
                      f"calls of make: {', '.join(expected)}", why=why, nudge=nudge)  # fmt: skip

    def became(self, call: Call, expected: str, why: str, nudge: str = "") -> None:
        """Fail unless this became of who asked."""
        call.called = self.said
        found = "it still waits"
        if call.done:
            try:
                found = f"returned {call.result()!r}"
            except Raised as raised:
                found = f"raised {raised.sentence()}"
        if found != expected:
            call.fail(found, expected, why=why, nudge=nudge, stacks=not call.done)

    def over(self) -> None:
        """Fail if the learner's code has left a task."""
        self.stage.run()
        if left := self.stage.left():
            self.fail(f"left behind: {', '.join(left)}", "no task left behind",
                      why="nobody waits, and make is over")  # fmt: skip

    def fail(self, got: str, expected: str, *, why: str, nudge: str = "") -> NoReturn:
        """Fail with where every task stands."""
        raise Failed(Message(self.said, got, expected, why, nudge, stacks=self.stage.stacks()))


def check_one(learner: Learner) -> None:
    """One who asks gets the answer."""
    with Stage(learner) as stage:
        house = House(stage)
        (call,) = house.asks("menu")
        house.calls("under way", why="somebody has to ask the database")
        house.answers("menu")
        house.became(call, "returned 'menu 1'", why="what make returns")
        house.over()


def check_shared(learner: Learner) -> None:
    """Three who ask for the same at once, and one a little later, share one call."""
    with Stage(learner) as stage:
        house = House(stage)
        calls = house.asks("menu", "menu", "menu")
        calls += house.asks("menu")
        house.calls("under way", why=SHARED, nudge="Is there one under way already?")
        house.answers("menu")
        for call in calls:
            house.became(call, "returned 'menu 1'", why=SHARED)
        house.over()


def check_nothing_kept(learner: Learner) -> None:
    """When it is over, the next one who asks gets a new one."""
    with Stage(learner) as stage:
        house = House(stage)
        for number in (1, 2, 3):
            calls = house.asks("menu", "menu")
            house.answers("menu")
            for call in calls:
                house.became(call, f"returned 'menu {number}'", why="this is no cache",
                             nudge="Who takes the entry out when it is over?")  # fmt: skip
        house.over()


def check_keys(learner: Learner) -> None:
    """Different keys do not wait for each other."""
    with Stage(learner) as stage:
        house = House(stage)
        menu, wine, again = house.asks("menu", "wine", "menu")
        house.calls("under way", "under way", why="two keys, two calls")
        house.answers("wine")
        house.became(wine, "returned 'wine 2'", why="its call is over")
        house.became(menu, "it still waits", why="its call is not")
        house.answers("menu")
        for call in (menu, again):
            house.became(call, "returned 'menu 1'", why=SHARED)
        house.over()


def check_raises(learner: Learner) -> None:
    """What make raises, everybody who waits gets; the next one tries again."""
    with Stage(learner) as stage:
        house = House(stage)
        house.errors["menu"] = OSError("no database")
        calls = house.asks("menu", "menu")
        house.answers("menu")
        for call in calls:
            house.became(call, "raised OSError: no database", why="the same for everybody")
        del house.errors["menu"]
        (call,) = house.asks("menu")
        house.answers("menu")
        house.became(call, "returned 'menu 2'", why="a failure is not kept",
                     nudge="The entry has to go on every way out.")  # fmt: skip
        house.over()
        if said := stage.complaints():
            call.fail(f"asyncio says: {said[0]}", "nothing", why="somebody got each exception")


def check_hangs_up(learner: Learner) -> None:
    """Whoever of three hangs up, the others get their answer."""
    for leaver in range(3):
        with Stage(learner) as stage:
            house = House(stage)
            calls = house.asks("menu", "menu", "menu")
            house.hangs_up(calls.pop(leaver), f"number {leaver + 1}")
            house.calls("under way", why=THE_OTHERS, nudge="A task of its own, and a shield.")
            calls += house.asks("menu")
            house.calls("under way", why=SHARED, nudge="The entry stays while somebody waits.")
            house.answers("menu")
            for call in calls:
                house.became(call, "returned 'menu 1'", why=THE_OTHERS)
            house.over()


def check_all_hang_up(learner: Learner) -> None:
    """When the last one hangs up, the work is cancelled; who asks then gets a new call."""
    with Stage(learner) as stage:
        house = House(stage)
        first, second = house.asks("menu", "menu")
        house.hangs_up(second, "number 2")
        house.calls("under way", why=THE_OTHERS)
        house.hangs_up(first, "number 1")
        house.calls("cancelled", why=NOBODY, nudge="Who counts those that wait?")
        house.over()
        (call,) = house.asks("menu")
        house.answers("menu")
        house.became(call, "returned 'menu 2'", why="a call that was cancelled answers nobody")
        house.over()


def check_cleans_up(learner: Learner) -> None:
    """Who asks while a cancelled call still cleans up gets one of its own, and so does the next."""
    with Stage(learner) as stage:
        house = House(stage, stubborn=True)
        (gone,) = house.asks("menu")
        house.hangs_up(gone, "number 1")
        (late,) = house.asks("menu")
        house.calls("cancelled", "under way", why="a call that was cancelled answers nobody",
                    nudge="Take the entry out when you cancel.")  # fmt: skip
        house.said += ", the first one has cleaned up"
        stage.release("menu cleans up")
        stage.run()
        (later,) = house.asks("menu")
        house.calls("cancelled", "under way", why=SHARED,
                    nudge="Whose entry is taken out when the first one ends?")  # fmt: skip
        house.answers("menu")
        for call in (late, later):
            house.became(call, "returned 'menu 2'", why=SHARED)
        house.over()


def check_no_traces(learner: Learner) -> None:
    """Holds nothing when nobody waits: no result, no key."""
    kitchen = learner.define(KITCHEN, "Kitchen")()
    with Stage(learner) as stage:
        once = learner.obtain("Once", kitchen.get("make"))
        said = "once = Once(make), two each get('menu'), 'wine', 'menu'; one gets 'gone', hangs up"
        stage.start(kitchen.get("ask"), once, called=said).finish(why="all calls are over")
        keys, dishes = kitchen.call("kept")
        if keys or dishes:
            fail(
                said, f"once still holds: keys {keys}, results {dishes}", "keys 0, results 0",
                why="a server asks for months: what is kept of each call fills the memory",
                nudge="Look into your dicts and sets when nobody waits. What is still in them?",
            )  # fmt: skip
