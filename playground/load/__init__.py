"""Requests: many at once, over time, one, or exact bytes; and the run that comes of them.

The verb ``load`` has the name of this package, and ``from playground import load`` finds the one or
the other by what was imported before. So the package can be called, as the verb.
"""

import sys
from types import ModuleType
from typing import Any


class _Verb(ModuleType):
    """A package that is a verb, too."""

    def __call__(self, *args: Any, **more: Any) -> Any:
        from playground.load.paced import load

        return load(*args, **more)

    def __reduce__(self) -> Any:
        """A function of a notebook that names it can be sent to a server all the same."""
        from importlib import import_module

        return import_module, (self.__name__,)

    @property
    def __signature__(self) -> Any:
        """What editors show."""
        import inspect

        from playground.load.paced import load

        return inspect.signature(load)


sys.modules[__name__].__class__ = _Verb
