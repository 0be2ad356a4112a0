"""Files that the dishes need, each made once for all processes of a server."""

import fcntl
import functools
import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from playground import workspace

_MAKING = threading.Lock()  # greenlets wait here: in the kernel's lock they would hold their thread


def once(path: Path, make: Callable[[Path], object]) -> Path:
    """``path``; if it is not there yet, one thread of one process makes it and all others wait."""
    if path.exists():
        return path
    with _MAKING, path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            part = path.with_name(f".part-{path.name}")  # savers look at the ending
            make(part)
            part.replace(path)
    return path


def kept(name: str, make: Callable[[Path], object]) -> Path:
    """A file in the workspace's cache, for this server and the next ones; if that cannot be
    written, a file that goes with the server.
    """
    cache = workspace.root() / "cache"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        return once(cache / name, make)
    except OSError:
        return passing(name, make)


def passing(name: str, make: Callable[[Path], object]) -> Path:
    """A file that goes with the server."""
    return once(_folder() / name, make)


def owner() -> int:
    """The process with which all that passes goes: the server's first, or this one, if that is
    nobody's server.
    """
    return os.getpgrp() if os.environ.get("PLAYGROUND_STATE") else os.getpid()


@functools.cache
def _folder() -> Path:
    """Where that lies."""
    return Path(os.environ.get("PLAYGROUND_STATE") or _temporary().name)


@functools.cache
def _temporary() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="dishes-")
