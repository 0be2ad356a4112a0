"""Grader of loop-scheduler: generators that write down every turn, run in the learner's process."""

from dataclasses import dataclass, field
from typing import Any

from playground.grading import Learner, fail, short

TURNS = "who has yielded goes behind all others who still have something to do"
RESULT = "PEP 380: what a generator returns is the `value` of its StopIteration"
ALONE = "an Exception ends the generator that raised it, and nobody else"


@dataclass(frozen=True)
class Cook:
    """A generator: it yields `yields` times, then returns or raises."""

    dish: str
    yields: int
    returns: Any = None
    raises: str = ""  # the name of a built-in exception

    def __str__(self) -> str:
        end = f"raises {self.raises}" if self.raises else f"returns {self.returns!r}"
        return f"{self.dish} (yields {self.yields}×, then {end})"


@dataclass
class Evening:
    """One call of the learner's run(), and what happened in it."""

    learner: Learner
    cooks: list[Cook]
    lazily: bool = False  # hand over a generator of generators instead of a list
    turns: list[str] = field(default_factory=list)
    results: Any = None
    left: str = ""  # the exception that left run()

    def __post_init__(self) -> None:
        play = self.learner.define(PLAY, "play")
        cooks = [(cook.dish, cook.yields, cook.returns, cook.raises) for cook in self.cooks]
        run = self.learner.name("run")
        with self.learner.telling(self.called):
            self.turns, self.results, self.left = play(run, cooks, self.lazily)

    @property
    def called(self) -> str:
        """The call in words."""
        kind = "a generator that yields " if self.lazily else ""
        return f"run({kind}[{', '.join(cook.dish for cook in self.cooks)}]): " + ", ".join(
            map(str, self.cooks)
        )

    def has_turns(self, expected: str, why: str, nudge: str) -> None:
        """Fail unless the turns were taken in this order."""
        if self.turns != expected.split(", "):
            got = ", ".join(self.turns) or "nobody had a turn"
            fail(self.called, f"turns: {got}", f"turns: {expected}", why=why, nudge=nudge)

    def has_results(self, expected: list[Any], why: str, nudge: str) -> None:
        """Fail unless run() returned this, exceptions written as in PLAY."""
        if self.left:
            fail(self.called, f"{self.left} left run()", f"returned {expected!r}",
                 why=why, nudge=nudge)  # fmt: skip
        if type(self.results) is not list or self.results != expected:
            got = f"returned {short(self.results)}"
            fail(self.called, got, f"returned {expected!r}", why=why, nudge=nudge)


def check_one(learner: Learner) -> None:
    """Runs one generator to its end."""
    evening = Evening(learner, [Cook("soup", 2, "hot")])
    evening.has_turns("soup 1, soup 2, soup 3", "a generator that yields twice takes three turns",
                      "Call next() until it raises StopIteration.")  # fmt: skip
    evening.has_results(["hot"], RESULT, "except StopIteration as end: look at end.value")


def check_turns(learner: Learner) -> None:
    """Lets three generators take turns."""
    evening = Evening(learner, [Cook("soup", 1, 1), Cook("tea", 1, 2), Cook("stew", 1, 3)])
    evening.has_turns(
        "soup 1, tea 1, stew 1, soup 2, tea 2, stew 2", TURNS,
        "One next() for each, then the next one's turn.",
    )  # fmt: skip
    evening.has_results([1, 2, 3], RESULT, "One result for each, in the order of the argument.")


def check_lengths(learner: Learner) -> None:
    """Goes on with the others when one is over, and leaves nobody out."""
    cooks = [Cook("soup", 0, "a"), Cook("tea", 2, "b"), Cook("stew", 0, "c"), Cook("rice", 1, "d")]
    evening = Evening(learner, cooks)
    evening.has_turns(
        "soup 1, tea 1, stew 1, rice 1, tea 2, rice 2, tea 3", TURNS,
        "Does the one after a generator that is over get its turn?",
    )  # fmt: skip
    evening.has_results(
        ["a", "b", "c", "d"], "the results are in the order of `generators`",
        "Who is over first need not come first in the list.",
    )  # fmt: skip


def check_returned(learner: Learner) -> None:
    """Takes whatever a generator returned, and None if it returned nothing."""
    cooks = [Cook("soup", 1), Cook("tea", 0, 0), Cook("stew", 2, ["pot"]), Cook("rice", 1, "")]
    Evening(learner, cooks).has_results(
        [None, 0, ["pot"], ""], RESULT, "Nothing, 0 and an empty text are results like any other."
    )  # fmt: skip


def check_raising(learner: Learner) -> None:
    """One that raises does not stop the others."""
    cooks = [
        Cook("soup", 2, "hot"), Cook("tea", 1, raises="ValueError"),
        Cook("stew", 0, raises="KeyError"), Cook("rice", 2, "done"),
    ]  # fmt: skip
    evening = Evening(learner, cooks)
    expected = ["hot", "the ValueError that tea raised", "the KeyError that stew raised", "done"]
    evening.has_results(expected, ALONE, "Which exceptions may next() raise, and what of each?")
    evening.has_turns(
        "soup 1, tea 1, stew 1, rice 1, soup 2, tea 2, rice 2, soup 3, rice 3", ALONE,
        "The queue goes on as if that one had returned.",
    )  # fmt: skip


def check_interrupt(learner: Learner) -> None:
    """KeyboardInterrupt is no result: it leaves run() at once."""
    cooks = [Cook("soup", 2), Cook("tea", 1, raises="KeyboardInterrupt"), Cook("stew", 2)]
    evening = Evening(learner, cooks)
    why = "Ctrl-C is meant for the whole program: KeyboardInterrupt is no Exception"
    nudge = "Which exceptions do you catch?"
    if evening.left != "the KeyboardInterrupt that tea raised":
        got = f"returned {short(evening.results)}"
        fail(evening.called, got, "KeyboardInterrupt left run()", why=why, nudge=nudge)
    evening.has_turns("soup 1, tea 1, stew 1, soup 2, tea 2", why, nudge)


def check_nobody(learner: Learner) -> None:
    """Returns an empty list when there is nothing to do."""
    learner.expect("run", []).returns([], why="nobody is there, and nobody is waited for")


def check_iterable(learner: Learner) -> None:
    """Takes any iterable of generators, and goes through it once."""
    evening = Evening(learner, [Cook("soup", 1, 1), Cook("tea", 0, 2)], lazily=True)
    nudge = "An iterable may be used up after one pass, and need not know its length."
    evening.has_results([1, 2], "`generators` is an Iterable", nudge)
    evening.has_turns("soup 1, tea 1, soup 2", TURNS, nudge)


PLAY = """
import builtins

def play(run, cooks, lazily):
    turns = []
    raised = {}

    def cook(dish, yields, returns, raises):
        for number in range(1, yields + 2):
            turns.append(f"{dish} {number}")
            if number <= yields:
                yield dish
        if raises:
            error = getattr(builtins, raises)(dish)
            raised[error] = f"the {raises} that {dish} raised"
            raise error
        return returns

    def told(result):
        if isinstance(result, BaseException):
            return raised.get(result, f"another {type(result).__name__}")
        return result

    generators = [cook(*each) for each in cooks]
    try:
        results = run(iter(generators) if lazily else generators)
    except BaseException as error:
        if error not in raised:
            raise
        return turns, None, raised[error]
    if isinstance(results, list):
        results = [told(result) for result in results]
    return turns, results, ""
"""
