"""Packages that have the name of a verb, and can be called as that verb.

``from playground import load`` finds the package or the function by what was imported before. Where
the package can be called, both are right.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class Verb(ModuleType):
    """A package that is a verb, too."""

    home: str  # the module of the function, which has the package's name

    def __call__(self, *args: Any, **more: Any) -> Any:
        return self._function()(*args, **more)

    def __reduce__(self) -> Any:
        """A function of a notebook that names it can be sent to a server all the same."""
        return import_module, (self.__name__,)

    @property
    def __signature__(self) -> Any:
        """What editors show."""
        import inspect

        return inspect.signature(self._function())

    def _function(self) -> Any:
        return getattr(import_module(self.home), self.__name__.rpartition(".")[2])


def make_verb(package: str, home: str) -> None:
    """Let ``package`` be called; ``home`` is the module whose function of its name that calls."""
    module = sys.modules[package]
    module.__class__ = Verb
    module.__dict__["home"] = home
