"""Watch mode: once at the start, then whenever the file is saved."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

from watchfiles import watch


def saves(path: Path, stop: threading.Event | None = None) -> Iterator[bytes]:
    """Yield the file's content now and after every change, until `stop`.

    Editors replace files instead of writing into them, so the folder is watched. A save that
    changes nothing is not a change.
    """
    last = b""
    for content in _contents(path, stop):
        digest = hashlib.sha256(content).digest()
        if digest != last:
            last = digest
            yield content


def _contents(path: Path, stop: threading.Event | None) -> Iterator[bytes]:
    yield path.read_bytes()
    changes = watch(
        path.parent,
        watch_filter=lambda _, changed: Path(changed).name == path.name,
        stop_event=stop,
        debounce=200,
        step=50,
        rust_timeout=500,
        yield_on_timeout=True,  # subtle: a save between the first read and the first wait counts
    )
    for _ in changes:
        if path.is_file():
            yield path.read_bytes()
