"""The same, by functools.singledispatch."""

import functools
import numbers

import numpy as np


@functools.singledispatch
def plain(value):
    raise TypeError(f"no JSON for {type(value).__name__}")


@plain.register
def _(value: None):
    return None


@plain.register
def _(value: bool):
    return value


@plain.register
def _(value: int):
    return value + 0 if type(value) is int else int(value)


@plain.register
def _(value: float):
    return None if value != value or value in (float("inf"), -float("inf")) else float(value)


@plain.register
def _(value: str):
    return "".join(value)


@plain.register(list)
@plain.register(tuple)
def _(value):
    return list(map(plain, value))


@plain.register(np.ndarray)
def _(value):
    if value.dtype.kind in "cmMVS":
        raise TypeError(f"no JSON for {value.dtype}")
    return plain(value.tolist())


@plain.register(np.generic)
def _(value):
    return plain(np.asarray(value))


@plain.register
def _(value: dict):
    names = [key_of(key) for key in value]
    if len(set(names)) < len(names):
        raise ValueError("a name occurs twice")
    return dict(zip(names, map(plain, value.values()), strict=True))


def key_of(key):
    if isinstance(key, str):
        return "".join(key)
    if isinstance(key, numbers.Integral) and not isinstance(key, bool):
        return f"{int(key):d}"
    raise TypeError(f"no key: {type(key).__name__}")
