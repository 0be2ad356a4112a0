"""The board's memory: one SQLite file in WAL mode, written by one thread.

What is asked for at the same time is committed together, so that 200 learners need a few commits a
second and not 200. Nobody hears that something is kept before it is on the disk.
"""

from __future__ import annotations

import contextlib
import fcntl
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from playground.errors import Told

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

FORMAT = 1
FILE = "board.sqlite3"
TOGETHER = 500  # at most so many in one commit
SCHEMA = """
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE learner (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  token TEXT NOT NULL UNIQUE,                -- its hash
  name TEXT NOT NULL,                        -- as it is shown, "Ada (2)"
  alike TEXT,                                -- what no two have; NULL once removed
  state TEXT NOT NULL DEFAULT 'here',        -- here, left, removed
  joined REAL NOT NULL,                      -- all times are seconds since 1970, the board's clock
  exercise TEXT,                             -- what was checked last
  at REAL NOT NULL DEFAULT 0                 -- and when
);
CREATE UNIQUE INDEX one_name ON learner (alike);
CREATE TABLE report (
  learner INTEGER NOT NULL, id TEXT NOT NULL, at REAL NOT NULL,
  exercise TEXT NOT NULL, status TEXT NOT NULL,
  PRIMARY KEY (learner, id)
) WITHOUT ROWID;
CREATE TABLE result (
  learner INTEGER NOT NULL, exercise TEXT NOT NULL, at REAL NOT NULL, status TEXT NOT NULL,
  passed INTEGER NOT NULL,                   -- once passed, always passed
  failing TEXT NOT NULL, message TEXT NOT NULL,
  PRIMARY KEY (learner, exercise)
) WITHOUT ROWID;
CREATE TABLE timeline (
  id TEXT PRIMARY KEY, learner INTEGER NOT NULL UNIQUE, run REAL NOT NULL, shared REAL NOT NULL,
  title TEXT NOT NULL, trace BLOB NOT NULL, light TEXT NOT NULL, dark TEXT NOT NULL
);
"""


class StoreError(Told):
    """The board's memory cannot be used; the message says what to do."""


class Store:
    """The file in a folder, which is made if need be; nobody else can use it meanwhile.

    Raises ``StoreError``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._jobs: queue.SimpleQueue[tuple[Work[Any], Future[Any]] | None] = queue.SimpleQueue()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = open(folder / ".lock", "a")  # noqa: SIM115 - held until close
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(
                f"Another board uses {folder}: end that one, or give this one --store FOLDER."
            ) from None
        except OSError as error:
            raise _unusable(folder, error.strerror or str(error)) from None
        try:
            self._db = _open(folder / FILE)
        except sqlite3.Error as error:
            self._lock.close()
            raise _unusable(folder, str(error)) from None
        self._thread = threading.Thread(target=self._work, name="store", daemon=True)
        self._thread.start()

    def do(self, work: Work[T]) -> Future[T]:
        """Do it in a transaction; the future is done once it is committed.

        What ``work`` raises undoes its own part only.
        """
        done: Future[T] = Future()
        self._jobs.put((work, done))
        return done

    def close(self) -> None:
        """Finish what was asked for."""
        self._jobs.put(None)
        self._thread.join()
        self._db.close()
        self._lock.close()

    def _work(self) -> None:
        is_open = True
        while is_open:
            jobs = [self._jobs.get()]
            with contextlib.suppress(queue.Empty):
                while len(jobs) < TOGETHER:
                    jobs.append(self._jobs.get_nowait())
            is_open = None not in jobs
            self._together([job for job in jobs if job and job[1].set_running_or_notify_cancel()])

    def _together(self, jobs: list[tuple[Work[Any], Future[Any]]]) -> None:
        answers: list[tuple[Future[Any], Any, Exception | None]] = []
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for work, done in jobs:
                answers.append((done, *self._one(work)))
            self._db.execute("COMMIT")
        except sqlite3.Error as error:  # a full disk, say: nothing of it is kept
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            answers = [(done, None, error) for _, done in jobs]
        for done, result, failure in answers:
            if failure is None:
                done.set_result(result)
            else:
                done.set_exception(failure)

    def _one(self, work: Work[Any]) -> tuple[Any, Exception | None]:
        self._db.execute("SAVEPOINT one")
        try:
            return work(self._db), None
        except Exception as error:
            self._db.execute("ROLLBACK TO one")
            return None, error
        finally:
            self._db.execute("RELEASE one")


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")  # a commit outlives a power cut, too
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version not in (0, FORMAT):
        raise sqlite3.DatabaseError(f"it has format {version}, this course reads {FORMAT}")
    if version == 0:
        db.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;")
    return db


def _unusable(folder: Path, why: str) -> StoreError:
    return StoreError(
        f"The board cannot be kept in {folder} ({why}): make it a folder of this machine that you"
        " may write, or choose another with --store FOLDER."
    )
