"""Files that are written whole or not at all."""

import contextlib
import os
from pathlib import Path

from playground.setups.catalogue import ServeError


def write_whole(path: str | os.PathLike[str], data: bytes) -> Path:
    """Write a file in one move. Raises ``ServeError`` when that cannot be done."""
    target = Path(path)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        part.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise ServeError(
            f"Cannot write {target} ({error.strerror}): choose another file or folder."
        ) from error
    return target
