"""How an app gets into the server's processes: by its name, or as a copy made with cloudpickle."""

import functools
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import cloudpickle

from playground.setups.apps import BUNDLED
from playground.setups.catalogue import SETUPS, ServeError, nearest
from playground.setups.loading import interface_of, wrong_interface


def interface_for(app: Any, wanted: str) -> str:
    """What ``app`` speaks, as far as one can tell here; ``wanted`` if nothing else is known.

    Raises ``ServeError`` for what is no app, and for one that does not speak ``wanted`` (any if
    empty).
    """
    if isinstance(app, str):
        return wanted or next(iter(BUNDLED.get(app, {})), "wsgi")
    found = interface_of(app)
    if found is None:
        raise ServeError(
            f"{app!r} is not an app: an app is a function, 'module:attribute', or one of"
            f" {', '.join(BUNDLED)}."
        )
    if wanted and found != wanted:
        raise ServeError(f"{wrong_interface(found, wanted)} {_setups_for(found)}")
    return found


def place(app: Any, interface: str, folder: Path) -> str:
    """Where the server's processes find the app: ``file:PATH`` of a pickle, or
    ``module:attribute``.

    Raises ``ServeError`` for a name that leads nowhere and for an app that cannot be copied.
    """
    if not isinstance(app, str):
        return f"file:{pack(app, folder / 'app.pickle', 'app')}"
    if app not in BUNDLED:
        _check_name(app)
        return app
    if interface not in BUNDLED[app]:
        speaks = next(iter(BUNDLED[app]))
        raise ServeError(f"{wrong_interface(speaks, interface)} {_setups_for(speaks)}")
    return BUNDLED[app][interface]


def pack(value: Any, path: Path, what: str) -> Path:
    """Write a function, and what it uses from the notebook, to ``path``."""
    module = sys.modules.get(getattr(value, "__module__", None) or "__main__")
    by_value = module is not None and not _importable(module.__name__)
    try:
        if by_value:
            cloudpickle.register_pickle_by_value(module)
        with path.open("wb") as file:
            _Pickler(file).dump(value)
    except Exception as error:
        raise ServeError(
            f"The {what} {name_of(value)} cannot be copied into the server's process ({error}):"
            " open files, sockets and locks inside the function, or put it into a module and"
            " pass 'module:attribute'."
        ) from error
    finally:
        if by_value:
            cloudpickle.unregister_pickle_by_value(module)
    return path


class _Pickler(cloudpickle.Pickler):
    """Copies what ``functools.lru_cache`` made in the notebook too, which pickle only names."""

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, _REMEMBERING) and value.__module__ == "__main__":
            return _remembering, (value.cache_parameters()["maxsize"], value.__wrapped__)
        return super().reducer_override(value)


_REMEMBERING = type(functools.lru_cache(len))


def _remembering(maxsize: int | None, function: Any) -> Any:
    return functools.lru_cache(maxsize)(function)


def import_path() -> str:
    """PYTHONPATH for the server: where this process imports from, besides Python's own folders."""
    checkout = Path(__file__).resolve().parents[2]
    own = tuple(os.path.realpath(path) + os.sep for path in (sys.prefix, sys.base_prefix))
    told = [os.path.realpath(path or os.curdir) for path in sys.path]
    paths = [path for path in told if not path.startswith(own)]
    return os.pathsep.join(dict.fromkeys([*paths, os.getcwd(), str(checkout)]))


def target(app: Any, interface: str) -> str:
    """``module:attribute`` as one would type it to serve the app without the playground."""
    if isinstance(app, str):
        return BUNDLED.get(app, {}).get(interface, app)
    return f"{getattr(app, '__module__', None) or '__main__'}:{name_of(app)}"


def name_of(value: Any) -> str:
    """What to call a function or an app in a sentence."""
    return getattr(value, "__name__", None) or type(value).__name__


def _importable(name: str) -> bool:
    """Whether a fresh process finds the module, or cloudpickle copies it anyway (``__main__``)."""
    try:
        return name == "__main__" or importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _check_name(app: str) -> None:
    module, colon, attribute = app.partition(":")
    if not colon or not module or not attribute:
        raise ServeError(
            f"There is no bundled app {app!r}.{nearest(app, BUNDLED)}"
            " An app of your own is a function, or 'module:attribute'."
        )
    try:
        found = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        found = None
    if found is None:
        raise ServeError(
            f"There is no module {module!r} to import {app!r} from: its file must lie in the"
            " current folder or on sys.path."
        )


def _setups_for(interface: str) -> str:
    names = [setup.name for setup in SETUPS.values() if setup.interface == interface]
    return f"Set-ups for {interface.upper()}: {', '.join(names)}."
