"""Grader of truck-offload: calls stay inside until they are released; nobody needs a clock."""

from playground.grading import Learner
from playground.grading.asgi import Call, Room, Stage

LIMIT = "the docstring: at most `limit` calls at the same time, and as many while items are left"


def begin(stage: Stage, items: list[str], limit: int) -> tuple[Room, Call]:
    """Start the learner's function with a room of ours, and let it go as far as it can."""
    room = stage.room()
    return room, stage.start("offload", room.function, items, limit).run()


def runs(room: Room, call: Call, expected: list[str], why: str, nudge: str) -> None:
    """Fail unless exactly these calls are inside now."""
    found = sorted(room.inside)
    if found != expected:
        call.fail(told(found), told(expected), why=why, nudge=nudge)


def told(labels: list[str]) -> str:
    """`2 calls run: a, b`."""
    count = "1 call runs" if len(labels) == 1 else f"{len(labels)} calls run"
    return f"{count}: {', '.join(labels)}" if labels else "no call runs"


def check_off_the_loop(learner: Learner) -> None:
    """Calls the function in a thread, not on the event loop."""
    with Stage(learner) as stage:
        room, call = begin(stage, ["a"], 1)
        if any("event loop" in entry for entry in room.log):
            call.fail(
                ", ".join(room.log),
                "enter a, in another thread",
                why="a blocking call on the loop's thread stops everybody",
                nudge="asyncio.to_thread",
            )
        room.release("a")
        call.finish(why="the call is done", nudge="Await the thread.")


def check_limit(learner: Learner) -> None:
    """Runs as many calls as the limit allows, and the next one as soon as one is done."""
    with Stage(learner) as stage:
        room, call = begin(stage, ["a", "b", "c"], 2)
        runs(room, call, ["a", "b"], LIMIT, "How many may begin before one has ended?")
        room.release("b")
        stage.run()
        runs(room, call, ["a", "c"], LIMIT, "One place is free: who waits for it?")
        room.release("c")
        stage.run()
        room.release("a")
        result = call.finish(why="all calls are done", nudge="Wait for the calls, nothing else.")
        if result != ["a", "b", "c"]:
            call.fail(
                f"returned {result!r}",
                "returned ['a', 'b', 'c']",
                why="the docstring: results in order of `items`; here b was done first, a last",
                nudge="Each item has its place in the list.",
            )


def check_nothing_to_do(learner: Learner) -> None:
    """Returns an empty list for no items."""
    with Stage(learner) as stage:
        _, call = begin(stage, [], 2)
        result = call.finish(why="there is nothing to wait for", nudge="No items, no calls.")
        if result != []:
            call.fail(f"returned {result!r}", "returned []", why="the docstring")


def check_error(learner: Learner) -> None:
    """After an exception: begins no further call, waits for those that run, raises the first."""
    why = "a has raised: no further call, wait for those that run, raise the first exception"
    with Stage(learner) as stage:
        room, call = begin(stage, ["a", "b", "c"], 2)
        room.release("a", ValueError("burnt"))
        stage.run()
        runs(room, call, ["b"], why, "Look for a failure before the next call begins.")
        if call.done:
            call.fail("it ended", "it waits for b", why=why, nudge="A thread cannot be ended.")
        room.release("b", KeyError("oven"))
        raised = call.ends(why=why).raised()
        if raised is None or raised.sentence() != "ValueError: burnt":
            got = "returned" if raised is None else f"raised {raised.sentence()}"
            call.fail(got, "raised ValueError: burnt", why=why, nudge="Keep the first one.")
