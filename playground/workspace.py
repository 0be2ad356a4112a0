"""The learner's folder: copies of the notebooks and exercises, and the progress file.

The folder is `workspace/` in the checkout, or wherever `PLAYGROUND_WORKSPACE` says::

    workspace.json        format version, and the fingerprint of every file as it was copied
    notebooks/            the chapters that the learner opens
    exercises/02_wsgi/    one file an exercise
    progress.json         written by playground.grading
    interview.json        written by playground.interview
    backups/<time>/       what `reset` replaced
    cache/                what servers made once and can make again, such as a trained model

One rule protects the learner's work: a file is overwritten only while it still has the fingerprint
of what was copied. Whatever was changed since belongs to the learner, and only `reset` replaces it,
after a backup. Every write is atomic: a reader sees the old file or the new one.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playground.errors import Told

FORMAT = 1  # of workspace.json; raise it when an older workspace can no longer be read as it is
STATE = "workspace.json"
LOCK = ".lock"
TREES = ("notebooks", "exercises")  # what is copied from the checkout


class WorkspaceError(Told):
    """The workspace cannot be used as it is; the message is a sentence that says what to do."""


@dataclass
class Report:
    """What `prepare` did: paths relative to the workspace, in order."""

    created: list[str] = field(default_factory=list)
    refreshed: list[str] = field(default_factory=list)
    newer: list[str] = field(default_factory=list)  # edited by the learner, changed by the course

    def sentence(self) -> str:
        """Return the one sentence that a learner needs, or an empty string."""
        if not self.newer:
            return ""
        names = ", ".join(Path(rel).name for rel in self.newer)
        first = self.newer[0].split("/", 1)[1]
        have = "has" if len(self.newer) == 1 else "have"
        return (
            f"{names} {have} a newer version in the course; your edited copy was left as it is"
            f" (`playground reset {first}` takes the new one and keeps yours in backups/)."
        )


@dataclass
class Reset:
    """What `reset` did: the backup folder (None when it needed none) and the files replaced."""

    backup: Path | None
    replaced: list[str]


def checkout() -> Path:
    """Return the folder of the course: the one with `notebooks/` and `exercises/`."""
    return Path(__file__).resolve().parent.parent


def root() -> Path:
    """Return the workspace folder (which need not exist yet)."""
    override = os.environ.get("PLAYGROUND_WORKSPACE")
    return Path(override).expanduser().resolve() if override else checkout() / "workspace"


def exercise_path(rel: str) -> Path:
    """Return the learner's copy of the exercise `rel`, created from its stub if it is missing.

    `rel` is the path below `exercises/`, such as `"02_wsgi/environ.py"`.

    Raises WorkspaceError when the course has no such exercise.
    """
    name = f"exercises/{rel}"
    target = _inside(root(), name)
    if target.is_file():
        return target
    if target.exists():
        raise WorkspaceError(f"{target} should be a file: move it away and try again.")
    source = _inside(checkout(), name)
    if not source.is_file():
        raise WorkspaceError(
            f"The course has no exercise file {rel!r}: `playground exercises` lists them all."
        )
    with locked():
        state = _load_state()
        _copy(name, source.read_bytes(), state)
        _save_state(state)
    return target


def prepare() -> Report:
    """Create the workspace, add what is missing, refresh what the learner has not touched.

    Raises WorkspaceError for a workspace of another format version, or a read-only folder.
    """
    report = Report()
    with locked():
        state = _load_state()
        for rel, source in _shipped().items():
            _update(rel, source.read_bytes(), state, report)
        _save_state(state)
    return report


def outdated() -> list[str]:
    """Return the learner's edited files that the course has changed since; writes nothing."""
    copied = _load_state()["files"]
    found = []
    for rel, source in _shipped().items():
        target = root() / rel
        if rel in copied and target.is_file():
            new, now = fingerprint(rel, source.read_bytes()), fingerprint(rel, target.read_bytes())
            if now != copied[rel] and new not in (now, copied[rel]):
                found.append(rel)
    return found


def reset(names: list[str]) -> Reset:
    """Replace the files that `names` stand for by the course's own, after a backup.

    A name is a chapter (`"02"`, `"02_wsgi"`), a file (`"02_wsgi/environ.py"`), or a file's stem.

    Raises WorkspaceError when a name stands for nothing.
    """
    chosen = [rel for name in names for rel in resolve(name)]
    with locked():
        state = _load_state()
        shipped = _shipped()
        changed = [rel for rel in dict.fromkeys(chosen) if _differs(rel, shipped[rel])]
        backup = back_up(changed)
        for rel in changed:
            _copy(rel, shipped[rel].read_bytes(), state)
        _save_state(state)
    return Reset(backup, changed)


def reset_all() -> Reset:
    """Move everything, progress included, to a backup and start a fresh workspace.

    Works for a workspace of any format version.
    """
    keep = {"backups", "cache", LOCK}
    with locked():
        everything = sorted(
            str(path.relative_to(root()))
            for path in root().rglob("*")
            if path.is_file() and path.relative_to(root()).parts[0] not in keep
        )
        backup = back_up(everything)
        for path in list(root().iterdir()):
            if path.name not in keep:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    prepare()
    return Reset(backup, everything)


def back_up(names: list[str]) -> Path | None:
    """Copy the files `names` (relative to the workspace) to a new folder in `backups/`.

    Returns that folder, None when there is none of the files.
    """
    existing = [rel for rel in names if (root() / rel).is_file()]
    if not existing:
        return None
    stamp = time.strftime("%Y-%m-%d_%H-%M-%S")
    folders = (
        root() / "backups" / f"{stamp}{suffix}"
        for suffix in ("", *map("-{}".format, range(2, 100)))
    )
    folder = next(folder for folder in folders if not folder.exists())
    for rel in existing:
        (folder / rel).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root() / rel, folder / rel)
    return folder


def resolve(name: str) -> list[str]:
    """Return the shipped files, relative to the workspace, that `name` stands for.

    Raises WorkspaceError when there are none.
    """
    shipped = list(_shipped())
    chapter = name.zfill(2) if name.isdigit() else name.removesuffix("/")
    rules: list[Callable[[Path], bool]] = [
        lambda rel: name in (str(rel), "/".join(rel.parts[1:])),
        lambda rel: rel.parts[1].removesuffix(".ipynb") == chapter,
        lambda rel: rel.parts[1].startswith(f"{chapter}_"),
        lambda rel: name == rel.stem,
    ]
    for rule in rules:
        if found := [rel for rel in shipped if rule(Path(rel))]:
            break
    else:
        raise WorkspaceError(
            f"Nothing in the workspace is called {name!r}: give a chapter (such as 02), an"
            " exercise (`playground exercises` lists them), or --all."
        )
    if rule is rules[-1] and len(found) > 1:
        raise WorkspaceError(f"{name!r} could be {' or '.join(found)}: give the whole path.")
    return found


def fingerprint(rel: str, data: bytes) -> str:
    """Return the SHA-256 that decides whether a file was changed.

    For a notebook it covers types, sources and outputs of the cells only: opening a chapter writes
    metadata into it, and that alone does not make it the learner's.
    """
    if rel.endswith(".ipynb"):
        with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
            cells = json.loads(data)["cells"]
            parts = [
                [cell["cell_type"], "".join(cell["source"]), cell.get("outputs", [])]
                for cell in cells
            ]
            data = json.dumps(parts, sort_keys=True).encode()
    return hashlib.sha256(data).hexdigest()


def read_json(path: Path, default: Any = None) -> Any:
    """Return the decoded JSON file, or `default` when there is none.

    Raises WorkspaceError with the line when the file is not JSON, and when it cannot be read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return default
    except OSError as error:
        raise WorkspaceError(
            f"Cannot read {path} ({error.strerror}): make it a file that you may read, or choose"
            " another workspace with PLAYGROUND_WORKSPACE."
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        where = "not UTF-8" if isinstance(error, UnicodeDecodeError) else "nested too deeply"
        if isinstance(error, json.JSONDecodeError):
            where = f"line {error.lineno}"
        raise WorkspaceError(
            f"{path} is not valid JSON ({where}): repair it, or move it away to start afresh."
        ) from None


def write_json_atomic(path: Path, value: Any) -> None:
    """Write `value` as indented JSON; a reader sees the old file or the whole new one."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    write_atomic(path, text.encode())


def write_atomic(path: Path, data: bytes) -> None:
    """Write `data` to a temporary file beside `path` and move it into place.

    Raises WorkspaceError when the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise _cannot_write(path, error) from None
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o644)  # mkstemp makes files that only their owner can read
        os.replace(temporary, path)
    except OSError as error:
        raise _cannot_write(path, error) from None
    finally:
        Path(temporary).unlink(missing_ok=True)


@contextlib.contextmanager
def locked() -> Iterator[None]:
    """Hold the workspace's lock: for read, change, write of a file that several processes share."""
    try:
        root().mkdir(parents=True, exist_ok=True)
        stream = open(root() / LOCK, "a")  # noqa: SIM115 - closed below, after the yield
    except OSError as error:
        raise _cannot_write(root(), error) from None
    with stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _shipped() -> dict[str, Path]:
    """Return the course's files that belong in a workspace: relative name to source."""
    found = {}
    for tree in TREES:
        for path in sorted((checkout() / tree).rglob("*")):
            rel = path.relative_to(checkout())
            hidden = any(part.startswith((".", "__")) for part in rel.parts)
            if path.is_file() and not hidden and rel.parts[1][:2].isdigit():
                found[str(rel)] = path
    return found


def _update(rel: str, shipped: bytes, state: dict[str, Any], report: Report) -> None:
    target = root() / rel
    if not target.is_file():
        _copy(rel, shipped, state)
        report.created.append(rel)
        return
    new, now = fingerprint(rel, shipped), fingerprint(rel, target.read_bytes())
    copied = state["files"].setdefault(rel, new)
    if now == new:
        state["files"][rel] = new
    elif now == copied:
        _copy(rel, shipped, state)
        report.refreshed.append(rel)
    elif new != copied:
        report.newer.append(rel)


def _copy(rel: str, data: bytes, state: dict[str, Any]) -> None:
    write_atomic(root() / rel, data)
    state["files"][rel] = fingerprint(rel, data)


def _differs(rel: str, source: Path) -> bool:
    target = root() / rel
    return not target.is_file() or target.read_bytes() != source.read_bytes()


def _load_state() -> dict[str, Any]:
    state = read_json(root() / STATE, {"format": FORMAT, "files": {}})
    version = state.get("format") if isinstance(state, dict) else None
    if version == FORMAT and isinstance(state.get("files"), dict):
        return state
    if isinstance(version, int) and version > FORMAT:
        raise WorkspaceError(
            f"The workspace {root()} was made by a newer version of the course (format {version},"
            f" this one knows {FORMAT}): update the course (`git pull`), or choose another folder"
            " with PLAYGROUND_WORKSPACE."
        )
    raise WorkspaceError(
        f"The workspace {root()} was made by an older version of the course (format {version}, this"
        f" one needs {FORMAT}): `playground reset --all` starts a fresh one and keeps all of"
        " your files in backups/."
    )


def _save_state(state: dict[str, Any]) -> None:
    write_json_atomic(root() / STATE, state)


def _inside(folder: Path, rel: str) -> Path:
    path = (folder / rel).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise WorkspaceError(f"{rel!r} points outside of {folder}: use a path below it.")
    return path


def _cannot_write(path: Path, error: OSError) -> WorkspaceError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    remedy = "free some space" if full else "make the folder writable"
    return WorkspaceError(
        f"Cannot write {path} ({error.strerror}): {remedy}, or choose another place with"
        " PLAYGROUND_WORKSPACE."
    )
