"""What happens in a room: who joins, what they report, and what the board shows of it.

Every function takes the database connection of a transaction (see ``Store.do``). Times are those of
this machine's clock; what learners say is how long ago something was.
"""

from __future__ import annotations

import hmac
import math
import secrets
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from playground.classroom import names
from playground.classroom.messages import DAY_S, Report
from playground.errors import Told

MOST_LEARNERS = 2000  # ever, in one room
SHOWN_FAILURES = 3
LINE = 300  # characters of a text that is shown
SHOWN_TIMELINES = 12


class Refused(Told):
    """Not as it is wished: ``status`` is that of the HTTP answer, the message says why."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True)
class Drawn:
    """A timeline that was drawn from a learner's trace."""

    title: str
    trace: bytes
    light: str  # SVG
    dark: str


# ---- the room --------------------------------------------------------------------------------


def open_room(db: sqlite3.Connection) -> str:
    """Make the room, if there is none; return the instructor's token if it was made now."""
    if setting(db, "instructor"):
        return ""
    _set(db, "code", names.new_code())
    _set(db, "joining", "open")
    return new_instructor(db)


def new_instructor(db: sqlite3.Connection) -> str:
    """Return a new token for the instructor; the earlier one is worth nothing from now on."""
    token = names.new_token()
    _set(db, "instructor", names.hashed(token))
    return token


def is_instructor(db: sqlite3.Connection, token: str) -> bool:
    """Compare in a time that tells nothing."""
    return hmac.compare_digest(names.hashed(token), setting(db, "instructor"))


def setting(db: sqlite3.Connection, name: str) -> str:
    """Return a setting, "" if there is none."""
    row = db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
    return str(row["value"]) if row else ""


def _set(db: sqlite3.Connection, name: str, value: str) -> None:
    db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, value))


# ---- learners --------------------------------------------------------------------------------


def join(db: sqlite3.Connection, name: str, token: str) -> str:
    """Let in a learner who knew the code; return the name that the board shows.

    Raises ``Refused``. Who asks again with the same token is the same learner.
    """
    wanted = names.clean_name(name)
    if not wanted:
        raise Refused(422, "The board needs a name: type at least one letter.")
    known = db.execute("SELECT * FROM learner WHERE token = ?", (names.hashed(token),)).fetchone()
    if known and known["state"] == "removed":
        raise _removed()
    if known:
        return _back(db, known, wanted)
    if setting(db, "joining") != "open":
        raise Refused(403, "Nobody can join this board now: ask the instructor to open it.")
    (count,) = db.execute("SELECT COUNT(*) FROM learner").fetchone()
    if count >= MOST_LEARNERS:
        raise Refused(403, f"This board is full: {MOST_LEARNERS} have joined.")
    shown = _free(db, wanted)
    db.execute(
        "INSERT INTO learner (token, name, alike, joined) VALUES (?, ?, ?, ?)",
        (names.hashed(token), shown, names.alike(shown), time.time()),
    )
    return shown


def _back(db: sqlite3.Connection, known: sqlite3.Row, wanted: str) -> str:
    """A learner who was here, perhaps under another name."""
    shown = str(known["name"])
    if names.alike(_first(shown)) != names.alike(_first(wanted)):
        shown = _free(db, wanted)
    db.execute(
        "UPDATE learner SET state = 'here', name = ?, alike = ? WHERE id = ?",
        (shown, names.alike(shown), known["id"]),
    )
    return shown


def _first(name: str) -> str:
    """The name without the number that tells two of that name apart."""
    stem, _, number = name.rpartition(" (")
    return stem if stem and number.rstrip(")").isdigit() and number.endswith(")") else name


def _free(db: sqlite3.Connection, wanted: str) -> str:
    """The name, or with the first number behind it that makes it the only one."""
    taken = {row["alike"] for row in db.execute("SELECT alike FROM learner")}
    numbered = (f"{wanted} ({number})" for number in range(2, len(taken) + 3))
    return next(name for name in (wanted, *numbered) if names.alike(name) not in taken)


def learner(db: sqlite3.Connection, token: str) -> sqlite3.Row:
    """Return the learner of that token. Raises ``Refused``."""
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM learner WHERE token = ?", (names.hashed(token),)
    ).fetchone()
    if row is None:
        raise Refused(401, "The board does not know you (any more): join it again.")
    if row["state"] == "removed":
        raise _removed()
    return row


def _removed() -> Refused:
    return Refused(410, "The instructor has removed you from the board.")


def leave(db: sqlite3.Connection, token: str) -> None:
    """The learner goes; what they passed still counts."""
    db.execute("UPDATE learner SET state = 'left' WHERE id = ?", (learner(db, token)["id"],))


def keep(db: sqlite3.Connection, token: str, reports: Iterable[Report]) -> int:
    """Keep what a learner reports; return how many of them are new.

    Raises ``Refused``. A report that came before is kept once, and a pass is never taken back.
    """
    who, now, new = learner(db, token), _now(db), 0
    for report in reports:
        at = now - report.age_s
        done = db.execute(
            "INSERT OR IGNORE INTO report VALUES (?, ?, ?, ?, ?)",
            (who["id"], report.id, at, report.exercise, report.status),
        )
        if done.rowcount:
            new += 1
            _take(db, who["id"], report, at)
    return new


def _take(db: sqlite3.Connection, who: int, report: Report, at: float) -> None:
    passed = report.passed or report.status == "passed"
    db.execute(
        """INSERT INTO result VALUES (:who, :exercise, :at, :status, :passed, :failing, :message)
        ON CONFLICT DO UPDATE SET passed = MAX(passed, excluded.passed)""",
        values := {
            "who": who,
            "exercise": report.exercise,
            "at": at,
            "status": report.status,
            "passed": int(passed),
            "failing": names.one_line(report.check, LINE),
            "message": names.one_line(report.message, LINE),
        },
    )
    db.execute(
        """UPDATE result SET at = :at, status = :status, failing = :failing, message = :message
        WHERE learner = :who AND exercise = :exercise AND at <= :at""",
        values,
    )
    if report.here:
        db.execute(
            "UPDATE learner SET exercise = :exercise, at = :at WHERE id = :who AND at <= :at",
            values,
        )


def share(db: sqlite3.Connection, token: str, drawn: Drawn, age_s: float, name: str = "") -> str:
    """Keep a learner's timeline in place of the one before; return its secret name."""
    who, now, name = learner(db, token), _now(db), name or secrets.token_urlsafe(16)
    age_s = plain_age(age_s)
    title = names.one_line(drawn.title, LINE)
    db.execute("DELETE FROM timeline WHERE learner = ?", (who["id"],))
    db.execute(
        "INSERT INTO timeline VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (name, who["id"], now - age_s, now, title, drawn.trace, drawn.light, drawn.dark),
    )
    return name


def plain_age(age_s: float) -> float:
    """Seconds that a learner has told, if they can be."""
    return age_s if math.isfinite(age_s) and 0 <= age_s <= DAY_S else 0.0


def timeline(db: sqlite3.Connection, name: str) -> Drawn:
    """Return a timeline by its secret name. Raises ``Refused``."""
    row = db.execute("SELECT * FROM timeline WHERE id = ?", (name,)).fetchone()
    if row is None:
        raise Refused(404, "There is no such timeline (any more).")
    return Drawn(row["title"], row["trace"], row["light"], row["dark"])


# ---- the instructor --------------------------------------------------------------------------


def act(db: sqlite3.Connection, action: str, who: int | None = None) -> None:
    """Do what the instructor wants (see ``messages.Action``). Raises ``Refused``."""
    if action == "remove":
        _remove(db, who)
    elif action == "reset":
        for table in ("learner", "report", "result", "timeline"):
            db.execute(f"DELETE FROM {table}")
    elif action in ("close", "open"):
        _set(db, "joining", "open" if action == "open" else "closed")
    elif action == "new-code":
        _set(db, "code", names.new_code())
    elif action == "end":
        _set(db, "ended", "yes")


def _remove(db: sqlite3.Connection, who: int | None) -> None:
    """Remove a learner and what they sent; the name is free again."""
    done = db.execute("UPDATE learner SET state = 'removed', alike = NULL WHERE id = ?", (who,))
    if not done.rowcount:
        raise Refused(404, "There is no such learner.")
    for table in ("report", "result", "timeline"):
        db.execute(f"DELETE FROM {table} WHERE learner = ?", (who,))


# ---- what the board shows --------------------------------------------------------------------


def state(db: sqlite3.Connection) -> dict[str, Any]:
    """Return all that the board shows, as data for JSON."""
    now = _now(db)
    return {
        "clock": clock(time.time()),
        "code": setting(db, "code"),
        "joining": setting(db, "joining") == "open",
        "learners": [_shown(row, now) for row in db.execute(_LEARNERS)],
        "exercises": {row["exercise"]: _rate(row) for row in db.execute(_RATES)},
        "failures": [dict(row) for row in db.execute(_FAILURES, (SHOWN_FAILURES,))],
        "timelines": [_timeline(row) for row in db.execute(_TIMELINES, (SHOWN_TIMELINES,))],
    }


_LEARNERS = """
SELECT learner.id, learner.name, learner.exercise, learner.at, result.status, result.passed,
  (SELECT COUNT(*) FROM result AS every WHERE every.learner = learner.id AND every.passed) AS passes
FROM learner LEFT JOIN result
  ON result.learner = learner.id AND result.exercise = learner.exercise
WHERE learner.state = 'here' ORDER BY learner.name COLLATE NOCASE
"""
_RATES = """
SELECT exercise, SUM(passed) AS passed,
  SUM(passed OR status = 'failed') AS tried
FROM result GROUP BY exercise
"""
_FAILURES = """
SELECT result.exercise, failing, message, COUNT(*) AS count, MAX(result.at) AS latest
FROM result JOIN learner ON learner.id = result.learner AND learner.state = 'here'
WHERE result.status = 'failed' AND NOT result.passed
GROUP BY result.exercise, failing, message ORDER BY count DESC, latest DESC LIMIT ?
"""
_TIMELINES = """
SELECT timeline.id, timeline.learner, name, title, run
FROM timeline JOIN learner ON learner.id = timeline.learner ORDER BY shared DESC LIMIT ?
"""


def _now(db: sqlite3.Connection) -> float:
    """This machine's clock; if it was set back, it stands until it is where it has been."""
    (latest,) = db.execute("SELECT MAX(at) FROM learner").fetchone()
    return max(time.time(), latest or 0.0)


def _shown(row: sqlite3.Row, now: float) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "exercise": row["exercise"],
        "status": row["status"],
        "passed": bool(row["passed"]),
        "passes": row["passes"],
        "age_s": round(max(0.0, now - row["at"])) if row["at"] else None,
    }


def _rate(row: sqlite3.Row) -> dict[str, int]:
    return {"passed": row["passed"], "tried": row["tried"]}


def _timeline(row: sqlite3.Row) -> dict[str, Any]:
    known = {name: row[name] for name in ("id", "learner", "name", "title")}
    return known | {"run": clock(row["run"])}


def clock(at: float, *, seconds: bool = False) -> str:
    """The time of day."""
    return time.strftime("%H:%M:%S" if seconds else "%H:%M", time.localtime(at))
