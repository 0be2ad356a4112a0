"""Answers that are JSON, whatever the model's types.

`model.predict` returns NumPy's types, and the `json` module knows none of them: some pass because
they happen to be subclasses, others are a 500. This function goes between the model and the answer.

    plain({"digit": np.int64(3), "scores": np.array([0.5, np.nan])})
    == {"digit": 3, "scores": [0.5, None]}
"""

from typing import Any


def plain(value: Any) -> Any:
    """Return the same answer, made only of what JSON has (RFC 8259 §3).

    That is dict, list, str, int, float, bool and None: exactly these types and no subclasses, at
    every depth.

    - NumPy's scalars become Python's: `np.int64(3)` is 3, `np.bool_(True)` is True, `np.str_("a")`
      is "a"; subclasses such as an `IntEnum` become what they are a kind of.
    - An array becomes a list, of lists if it has more dimensions; with none it is a scalar.
      What is in it may be anything that may stand alone (arrays can hold objects).
    - Lists and tuples become lists, dicts dicts.
    - NaN and the infinities become None, wherever they are: JSON has no such numbers (§6).
    - Keys of a dict become strings: strings and integers, NumPy's too, but no bools. Two keys that
      become the same one: ValueError.
    - Everything else (complex numbers, dates, bytes, sets, other keys …) raises TypeError, whose
      text contains the name of its type, such as "complex128".

    What was handed in is not changed.
    """
    raise NotImplementedError("your code")
