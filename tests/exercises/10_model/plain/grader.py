"""Grader of model-json: values are made in the learner's process, and told with types."""

from __future__ import annotations

from playground.grading import Failed, Learner, Raised, fail

ASKED = """
def asked(function, text, refused):
    "What function makes of the value, as repr tells it: np.int64(3) is not 3."
    import collections
    import datetime
    import enum

    import numpy as np

    class Size(enum.IntEnum):
        SMALL = 3

    class Word(str):
        def __str__(self):
            return "something else"

    value = eval(text, {**locals(), "nan": float("nan"), "inf": float("inf")})
    before = repr(value)
    try:
        found = function(value)
    except (TypeError, ValueError) as error:
        if not refused:
            raise
        return f"raised {type(error).__name__}: {error}"
    if repr(value) != before:
        return f"the argument is {value!r} now"
    kinds = set()
    todo = [found]
    while todo:
        one = todo.pop()
        kinds.add(type(one))
        if isinstance(one, dict):
            todo += [*one, *one.values()]
        elif isinstance(one, list):
            todo += one
    plain = {dict, list, str, int, float, bool, type(None)}
    strange = sorted(kind.__name__ for kind in kinds - plain)
    return f"returned {found!r}" + (f" (with {', '.join(strange)})" if strange else "")
"""


def expect(learner: Learner, text: str, expected: str, *, why: str, nudge: str = "") -> None:
    """Fail unless exactly this comes back."""
    try:
        found = ask(learner, text)
    except Raised as raised:
        raised.called = f"plain({text})"
        raise Failed(raised.message(f"returned {expected}", why, nudge)) from None
    if found != f"returned {expected}":
        fail(f"plain({text})", found, f"returned {expected}", why=why, nudge=nudge)


def refuses(
    learner: Learner, text: str, kind: str, name: str, *, why: str, nudge: str = ""
) -> None:
    """Fail unless it raises this, and names that."""
    found = ask(learner, text, refused=True)
    if not found.startswith(f"raised {kind}") or name not in found:
        fail(f"plain({text})", found, f"raised {kind}: …{name}…", why=why, nudge=nudge)


def ask(learner: Learner, text: str, refused: bool = False) -> str:
    """What the learner's function makes of it, in words; a refusal too if one is wanted."""
    with learner.telling(f"plain({text})"):
        found: str = learner.define(ASKED, "asked")(learner.name("plain"), text, refused)
    return found


def check_scalars(learner: Learner) -> None:
    """Scalars: int64, float32, float64, bool and text."""
    nudge = "`.item()` or `.tolist()` makes Python's value of a NumPy scalar."
    for text, expected in (
        ("np.int64(3)", "3"),
        ("np.uint8(200)", "200"),
        ("np.float32(0.5)", "0.5"),
        ("np.float64(2.0)", "2.0"),
        ("np.bool_(True)", "True"),
        ("np.bool_(False)", "False"),
        ("np.str_('seven')", "'seven'"),
    ):
        expect(learner, text, expected, why="exactly Python's types, no subclasses", nudge=nudge)


def check_python(learner: Learner) -> None:
    """Python's own values stay what they are, and subclasses become what they are a kind of."""
    why = "dict, list, str, int, float, bool and None only"
    nudge = "`bool` is a kind of `int`: which one do you ask for first?"
    for text, expected in (
        ("None", "None"), ("True", "True"), ("7", "7"), ("0.25", "0.25"), ("'a'", "'a'"),
        ("10**30", str(10**30)),
    ):  # fmt: skip
        expect(learner, text, expected, why=why, nudge=nudge)
    nudge = "isinstance() is True for a subclass, too: make the plain value of it."
    expect(learner, "Size.SMALL", "3", why=why, nudge=nudge)
    nudge = "str(value) asks the class of the value, which may say something else. Ask str itself."
    expect(learner, "Word('a')", "'a'", why=why, nudge=nudge)


def check_arrays(learner: Learner) -> None:
    """Arrays of any shape become lists."""
    for text, expected in (
        ("np.array([1, 2])", "[1, 2]"),
        ("np.array([[0.5, 1.5], [2.5, 3.5]])", "[[0.5, 1.5], [2.5, 3.5]]"),
        ("np.zeros((0, 3))", "[]"),
        ("np.array(5)", "5"),
        ("np.array(['a', 'b'])", "['a', 'b']"),
        ("np.array([np.int64(1), None, 'a'], dtype=object)", "[1, None, 'a']"),
    ):
        expect(
            learner, text, expected, why="an array is a list, of lists if it has more dimensions",
            nudge="What comes out of `.tolist()` may hold anything: look at it again.",
        )  # fmt: skip


def check_nan(learner: Learner) -> None:
    """NaN and the infinities become None, wherever they are."""
    for text, expected in (
        ("nan", "None"),
        ("-inf", "None"),
        ("np.float32('nan')", "None"),
        ("np.array([1.0, np.nan, np.inf])", "[1.0, None, None]"),
        ("{'p': [nan]}", "{'p': [None]}"),
    ):
        expect(
            learner, text, expected, why="RFC 8259 §6: such numbers are not permitted",
            nudge="`math.isfinite` is False for all three of them.",
        )  # fmt: skip


def check_nested(learner: Learner) -> None:
    """Lists, tuples and dicts, at every depth."""
    for text, expected in (
        ("[np.int64(1), [np.float32(0.5)]]", "[1, [0.5]]"),
        ("(np.int64(1), 2)", "[1, 2]"),
        ("{'a': (np.bool_(True),)}", "{'a': [True]}"),
        ("collections.OrderedDict(a=np.int64(1))", "{'a': 1}"),
        ("{'digit': np.int64(3), 'scores': np.array([0.5, np.nan])}",
         "{'digit': 3, 'scores': [0.5, None]}"),
    ):  # fmt: skip
        expect(learner, text, expected, why="at every depth", nudge="The function calls itself.")


def check_keys(learner: Learner) -> None:
    """Keys become strings."""
    for text, expected in (
        ("{np.int64(3): 0.5}", "{'3': 0.5}"),
        ("{np.str_('a'): 1, 4: 2}", "{'a': 1, '4': 2}"),
        ("{Size.SMALL: 1}", "{'3': 1}"),
    ):
        expect(
            learner, text, expected, why="RFC 8259 §4: a name is a string",
            nudge="`str(int(key))` for whatever is an integer.",
        )  # fmt: skip
    refuses(
        learner, "{3: 'a', '3': 'b'}", "ValueError", "", why="one of the two would be lost",
        nudge="Look whether the name is there already.",
    )  # fmt: skip
    for text, name in (("{True: 1}", "bool"), ("{0.5: 1}", "float"), ("{(1, 2): 1}", "tuple")):
        refuses(
            learner, text, "TypeError", name, why="only strings and integers are keys here",
            nudge="`isinstance(True, int)` is True.",
        )  # fmt: skip


def check_refuses(learner: Learner) -> None:
    """Refuses what JSON has no word for, by name."""
    for text, name in (
        ("1j", "complex"),
        ("np.complex128(1)", "complex128"),
        ("np.datetime64('2026-01-01')", "datetime64"),
        ("np.array(['2026-01-01'], dtype='datetime64[ns]')", "datetime64"),
        ("b'raw'", "bytes"),
        ("{1, 2}", "set"),
        ("[datetime.date(2026, 1, 1)]", "date"),
        ("object()", "object"),
    ):
        refuses(
            learner, text, "TypeError", name,
            why="a guess, such as its text, would be an answer that nobody can rely on",
            nudge="A date in nanoseconds is an int for `.tolist()`: look before.",
        )  # fmt: skip
