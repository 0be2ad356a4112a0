# Does not look into what tolist() returned.
# Message: came back returned [np.int64(1), None, 'a']

"""Answers that are JSON, whatever the model's types."""

import math
from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """Return the same answer, made only of what JSON has (RFC 8259 §3)."""
    if isinstance(value, np.generic | np.ndarray):
        return array(value)
    if isinstance(value, dict):
        return with_keys(value)
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    raise TypeError(f"JSON has no {type(value).__name__}")


def array(value: np.generic | np.ndarray) -> Any:
    """A scalar or an array. Dates would turn into numbers unseen, so the kind decides."""
    if value.dtype.kind not in "biufUO":
        raise TypeError(f"JSON has no {value.dtype.name}")
    found = value.tolist()
    return found if value.dtype.kind == "O" else plain(found)


def with_keys(value: dict[Any, Any]) -> dict[str, Any]:
    """A dict whose keys are strings."""
    found: dict[str, Any] = {}
    for key, one in value.items():
        if isinstance(key, bool) or not isinstance(key, str | int | np.integer):
            raise TypeError(f"{type(key).__name__} is no key of a JSON object")
        name = str.__str__(key) if isinstance(key, str) else str(int(key))
        if name in found:
            raise ValueError(f"two keys {name!r}")
        found[name] = plain(one)
    return found
