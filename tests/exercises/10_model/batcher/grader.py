"""Grader of model-batcher: the model is a room that we open, and the clock is ours."""

from __future__ import annotations

from playground.grading import Learner, Raised
from playground.grading.asgi import Call, Room, Stage

MOST, PATIENCE_S = 3, 0.010
BEFORE_S, AFTER_S = 0.008, 0.004  # together more than patience
MODEL = """
def make(room):
    "A model: it stays until it is let go. A bad row makes it fail, a short one gets no answer."
    def model(rows):
        room(" ".join(rows))
        if "bad" in rows:
            raise ZeroDivisionError("bad row")
        return [row.upper() for row in rows if row != "short"]
    return model
"""
THREAD = "asyncio.to_thread: a call that blocks belongs into a thread, and the loop goes on"
FIRST = "patience is counted from the first row of the batch"


class Kitchen:
    """The learner's batcher at work, with a model of ours."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.room: Room = stage.room()
        model = stage.learner.define(MODEL, "make")(self.room.function)
        self.batcher = stage.learner.obtain("Batcher", model, MOST, PATIENCE_S)
        self.asked: list[str] = []
        self.work = stage.start(self.batcher.get("run"), called="await batcher.run()")
        stage.run()

    @property
    def said(self) -> str:
        """What has happened, in words."""
        return f"Batcher(model, most={MOST}, patience={PATIENCE_S}); " + ", ".join(self.asked)

    def ask(self, *rows: str) -> list[Call]:
        """Ask for rows, at the same moment."""
        self.asked += [f"ask({row!r})" for row in rows]
        calls = [
            self.stage.start(
                self.batcher.get("ask"), row, called=f"{self.said}: await ask({row!r})"
            )
            for row in rows
        ]
        self.stage.run()
        return calls

    def later(self, seconds: float) -> None:
        """Let the clock advance."""
        self.asked.append(f"{seconds * 1e3:g} ms pass")
        self.stage.run(seconds)

    def inside(self, *batches: str, why: str, nudge: str = "") -> None:
        """Fail unless exactly these batches are in the model now."""
        found = self.room.inside
        on_loop = [entry for entry in self.room.log if "on the event loop" in entry]
        if on_loop:
            self.work.fail(
                f"{self.said}: the model was called on the event loop's own thread",
                "called in a thread", why=THREAD, nudge="Which function of asyncio does it?",
            )  # fmt: skip
        if found != list(batches):
            self.work.fail(
                f"{self.said}: in the model now: {told(found)}", f"in the model: {told(batches)}",
                why=why, nudge=nudge, stacks=True,
            )  # fmt: skip

    def lets_go(self, *batches: str) -> None:
        """The model answers these, as soon as they are there."""
        for batch in batches:
            self.asked.append(f"the model is done with {batch!r}")
            self.room.release(batch)
        self.stage.run()

    def answers(self, calls: list[Call], *expected: str, why: str, nudge: str = "") -> None:
        """Fail unless this has become of them, in the words of `outcome`."""
        for call, wanted in zip(calls, expected, strict=True):
            found = outcome(call)
            if found != wanted:
                call.fail(found, wanted, why=why, nudge=nudge, stacks=not call.done)

    def closes(self) -> None:
        """Close it."""
        self.asked.append("close()")
        self.batcher.call("close")
        self.stage.run()


def told(batches: object) -> str:
    """Batches in words."""
    return ", ".join(f"[{batch}]" for batch in batches) or "nothing"  # type: ignore[attr-defined]


def outcome(call: Call) -> str:
    """What has become of a question."""
    if not call.done:
        return "no answer yet"
    try:
        return f"returned {call.result()!r}"
    except Raised as raised:
        return f"raised {raised.type_name}"


def check_full(learner: Learner) -> None:
    """A full batch goes at once, in a thread, and everybody gets the own answer."""
    with Stage(learner) as stage:
        kitchen = Kitchen(stage)
        calls = kitchen.ask("a", "b", "c")
        kitchen.inside("a b c", why=f"{MOST} rows are a full batch", nudge="Who wakes up `run`?")
        kitchen.lets_go("a b c")
        kitchen.answers(
            calls, "returned 'A'", "returned 'B'", "returned 'C'",
            why="each asker gets the answer of the own row", nudge="The order is that of the rows.",
        )  # fmt: skip


def check_patience(learner: Learner) -> None:
    """A batch that is not full goes when patience is over, counted from its first row."""
    with Stage(learner) as stage:
        kitchen = Kitchen(stage)
        calls = kitchen.ask("a")
        kitchen.later(BEFORE_S)
        kitchen.inside(why="others may still come", nudge="It waits for colleagues.")
        calls += kitchen.ask("b")
        kitchen.inside(why="others may still come")
        kitchen.later(AFTER_S)
        kitchen.inside("a b", why=FIRST, nudge="When did the first one come, on `loop.time()`?")
        kitchen.lets_go("a b")
        kitchen.answers(calls, "returned 'A'", "returned 'B'", why="both are answered")
        kitchen.later(10 * PATIENCE_S)
        kitchen.inside(why="nobody asks, so there is no batch", nudge="An empty batch is none.")
        late = kitchen.ask("c")
        kitchen.later(BEFORE_S)
        kitchen.inside(why=FIRST, nudge="Is a time-out left over from the last batch?")
        kitchen.later(AFTER_S)
        kitchen.inside("c", why="patience is over")
        kitchen.lets_go("c")
        kitchen.answers(late, "returned 'C'", why="one row is a batch, too")


def check_one_at_a_time(learner: Learner) -> None:
    """One call of the model at a time; the next batch is made meanwhile."""
    with Stage(learner) as stage:
        kitchen = Kitchen(stage)
        first = kitchen.ask("a", "b", "c")
        second = kitchen.ask("d", "e", "f", "g")
        kitchen.inside(
            "a b c", why="never two threads in the model", nudge="Await the thread's end."
        )
        kitchen.later(2 * PATIENCE_S)
        kitchen.inside("a b c", why="never two threads in the model")
        kitchen.lets_go("a b c")
        kitchen.inside("d e f", why=f"at most {MOST}, and who came first goes first")
        kitchen.lets_go("d e f")
        kitchen.inside(
            "g", why="its patience was over long ago: it does not wait again",
            nudge="Count from when it came, not from when you look.",
        )  # fmt: skip
        kitchen.lets_go("g")
        wanted = [f"returned {row!r}" for row in "ABCDEFG"]
        kitchen.answers(first + second, *wanted, why="everybody is answered")


def check_bad_row(learner: Learner) -> None:
    """A bad row fails for who asked it, and for nobody else."""
    with Stage(learner) as stage:
        kitchen = Kitchen(stage)
        calls = kitchen.ask("a", "bad", "c")
        kitchen.inside("a bad c", why=f"{MOST} rows are a full batch")
        kitchen.lets_go("a bad c", "a", "bad", "c")
        kitchen.answers(
            calls, "returned 'A'", "raised ZeroDivisionError", "returned 'C'",
            why="one of them is bad, and nobody knows which: each is asked alone",
            nudge="What happens to the task of `run` when the model raises?",
        )  # fmt: skip
        log = [entry for entry in kitchen.room.log if entry.startswith("enter")]
        if log != ["enter a bad c", "enter a", "enter bad", "enter c"]:
            kitchen.work.fail(
                f"{kitchen.said}: {', '.join(log)}", "the batch, then a, bad, c alone",
                why="each row once more, in their order",
            )  # fmt: skip
        after = kitchen.ask("d", "e", "f")
        kitchen.inside("d e f", why="the batcher goes on", nudge="Does `run` still run?")
        kitchen.lets_go("d e f")
        kitchen.answers(after, "returned 'D'", "returned 'E'", "returned 'F'", why="it goes on")


def check_short(learner: Learner) -> None:
    """Another number of answers is a failure, and nobody gets somebody else's."""
    with Stage(learner) as stage:
        kitchen = Kitchen(stage)
        calls = kitchen.ask("short", "b", "c")
        kitchen.lets_go("short b c", "short", "b", "c")
        kitchen.answers(
            calls, "raised ValueError", "returned 'B'", "returned 'C'",
            why="two answers for three rows: nobody knows whose is missing",
            nudge="Compare the two lengths before you give out anything.",
        )  # fmt: skip
        alone = kitchen.ask("short")
        kitchen.later(2 * PATIENCE_S)
        kitchen.lets_go("short")
        kitchen.answers(alone, "raised ValueError", why="no answer for one row")


def check_cancelled(learner: Learner) -> None:
    """Who is cancelled takes the row back, and disturbs nobody."""
    with Stage(learner) as stage:
        kitchen = Kitchen(stage)
        calls = kitchen.ask("a", "b")
        calls[1].cancel()
        kitchen.asked.append("b is cancelled")
        stage.run()
        kitchen.later(2 * PATIENCE_S)
        kitchen.inside(
            "a",
            why="nobody waits for b any more",
            nudge="`try … finally` around the await in `ask`.",
        )
        late = kitchen.ask("c")
        calls[0].cancel()
        kitchen.asked.append("a is cancelled")
        stage.run()
        kitchen.lets_go("a")
        kitchen.later(2 * PATIENCE_S)
        kitchen.inside(
            "c", why="a was cancelled while the model had it, and the batcher goes on",
            nudge="Setting the result of a future that is done raises InvalidStateError.",
        )  # fmt: skip
        kitchen.lets_go("c")
        kitchen.answers(late, "returned 'C'", why="everybody else is answered")
        calls = kitchen.ask("bad", "d", "e")
        calls[1].cancel()
        kitchen.asked.append("d is cancelled")
        stage.run()
        kitchen.lets_go("bad d e", "bad", "d", "e")
        kitchen.answers(
            [calls[0], calls[2]], "raised ZeroDivisionError", "returned 'E'",
            why="each is asked alone",
        )  # fmt: skip
        if "enter d" in kitchen.room.log:
            kitchen.work.fail(
                f"{kitchen.said}: the model was asked for d alone", "not asked for d",
                why="nobody waits for d any more", nudge="`future.done()` before each call.",
            )  # fmt: skip


def check_close(learner: Learner) -> None:
    """close() refuses the new, hurries for those who wait, and ends."""
    with Stage(learner) as stage:
        kitchen = Kitchen(stage)
        first = kitchen.ask("a", "b", "c")
        second = kitchen.ask("d", "e", "f", "g")
        kitchen.closes()
        refused = kitchen.ask("h")
        kitchen.answers(refused, "raised RuntimeError", why="it is closed")
        kitchen.lets_go("a b c")
        kitchen.inside("d e f", why="those who wait are answered, still at most three at a time")
        kitchen.lets_go("d e f")
        kitchen.inside("g", why="those who wait are answered")
        kitchen.lets_go("g")
        wanted = [f"returned {row!r}" for row in "ABCDEFG"]
        kitchen.answers(first + second, *wanted, why="those who wait are answered")
        kitchen.work.finish(
            why="closed, and all are answered", nudge="When does the loop in `run` end?"
        )


def check_close_at_once(learner: Learner) -> None:
    """close() does not use up the patience of those who wait, and an idle batcher ends at once."""
    with Stage(learner) as stage:
        kitchen = Kitchen(stage)
        calls = kitchen.ask("a")
        kitchen.closes()
        kitchen.inside(
            "a", why="nobody else can come: waiting is in vain", nudge="close() is news."
        )
        kitchen.lets_go("a")
        kitchen.answers(calls, "returned 'A'", why="those who wait are answered")
        kitchen.work.finish(why="closed, and all are answered")
    with Stage(learner) as stage:
        kitchen = Kitchen(stage)
        kitchen.closes()
        kitchen.work.finish(why="closed, and nobody waits", nudge="close() is news.")
