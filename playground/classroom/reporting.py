"""Checks are told to the board, in the background: no check waits for that, or fails by it.

What is to be told is first a small file in the workspace (`classroom/outbox/`, one for each
exercise, the newest counts), then a message, and the file goes when the board has acknowledged it.
So what was checked while the board was away comes to it later, from this process or from the next.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground import workspace
from playground.classroom import membership
from playground.classroom.membership import ClassroomError, Joined
from playground.errors import Told
from playground.grading.cohort_worker import message, steady
from playground.grading.verdict import Status, Verdict

if TYPE_CHECKING:
    import httpx

AT_ONCE = 50  # reports in one message
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 30.0  # between two tries
LAST_WORDS_S = 2.0  # at the end of a process, for a board that has answered until now
DAY_S = 86_400.0
REFUSED = "refused.json"  # what the board said; the next check passes it on, once
AWAY = "away"  # a file that was touched when the board did not answer
AWAY_S = 10.0  # so long the next ones do not wait for it at all; then one gives it a moment again


def told(verdict: Verdict, *, here: bool = True) -> str:
    """Tell the board of a check, soon; return what the learner should know, mostly "".

    Without ``here`` the exercise was one of many, which says nothing of what the learner is on.
    Never raises, and never waits for the network.
    """
    try:
        if sentence := _refusal():
            return sentence
        if not membership.path().exists() or not (here or verdict.status is not Status.NOT_SOLVED):
            return ""
        _put(_report(verdict, here))
        SENDER.wake()
    except (OSError, Told):  # a full disk, say: the check itself is not touched by that
        pass
    return ""


def _report(verdict: Verdict, here: bool) -> dict[str, Any]:
    failed = next((each.name for each in verdict.checks if each.passed is False), "")
    broken = verdict.status is Status.BROKEN  # a traceback of ours, which may hold anything
    return {
        "id": secrets.token_hex(16),
        "exercise": verdict.exercise,
        "status": str(verdict.status),
        "passed": verdict.passed,
        "here": here,
        "check": steady(failed),
        "message": "" if broken else steady(message(verdict)),
        "at": time.time(),  # only ever compared with this clock again
    }


def _put(report: dict[str, Any]) -> None:
    target = membership.outbox() / f"{report['exercise']}.json"
    with workspace.locked():
        with contextlib.suppress(OSError, ValueError, TypeError, LookupError):
            report["passed"] |= bool(json.loads(target.read_bytes())["passed"])
        workspace.write_json_atomic(target, report)


def _refusal() -> str:
    """What the board said as it refused this learner; told once."""
    file = membership.path().with_name(REFUSED)
    if not file.exists():
        return ""
    sentence = str(workspace.read_json(file, ""))
    file.unlink(missing_ok=True)
    return sentence


# ---- sending ---------------------------------------------------------------------------------


class Unreached(Exception):
    """The board does not answer now, or asks for patience."""


def deliver(http: httpx.Client) -> None:
    """Send all that is in the outbox, the oldest first. Raises Unreached."""
    while (joined := membership.load()) and (batch := _waiting()[:AT_ONCE]):
        status, sentence = _send(http, joined, batch)
        if status in (401, 403, 410):
            give_up(joined, sentence)
        elif status == 422 and len(batch) > 1:
            for each in batch:
                if _send(http, joined, [each])[0] in (200, 422):
                    _sent(*each)
        elif status in (200, 422):
            for each in batch:
                _sent(*each)
        else:
            raise Unreached(sentence)


def _waiting() -> list[tuple[Path, bytes]]:
    found = []
    for path in membership.outbox().glob("*.json"):
        with contextlib.suppress(OSError):
            found.append((path.stat().st_mtime_ns, path, path.read_bytes()))
    return [(path, content) for _, path, content in sorted(found)]


def _send(http: httpx.Client, joined: Joined, batch: list[tuple[Path, bytes]]) -> tuple[int, str]:
    reports = [report for _, content in batch if (report := _aged(content))]
    if not reports:
        return 200, ""  # nothing of it can be read
    try:
        answer = membership.ask(
            http, joined.address, "report", token=joined.token, json={"reports": reports}
        )
    except ClassroomError as error:
        raise Unreached(str(error)) from None
    return answer.status_code, "" if answer.status_code == 200 else membership.detail(answer)


def _aged(content: bytes) -> dict[str, Any] | None:
    """How long ago it was, instead of when: the board's clock is another one."""
    try:
        report: dict[str, Any] = json.loads(content)
        age_s = time.time() - report.pop("at")
        return report | {"age_s": min(max(0.0, age_s), DAY_S)}
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


def _sent(path: Path, content: bytes) -> None:
    """It is acknowledged; a newer one of that exercise stays."""
    with workspace.locked(), contextlib.suppress(OSError):
        if path.read_bytes() == content:
            path.unlink()


def give_up(joined: Joined, sentence: str) -> None:
    """The board does not know this learner any more: stop, unless another was joined meanwhile."""
    if membership.load() == joined:
        membership.forget()
        words = f"The board at {joined.address} is no longer told of your checks. {sentence}"
        workspace.write_json_atomic(membership.folder() / REFUSED, words)


class Sender:
    """A thread that does ``work`` until nothing is left of it; there is none before it is woken.

    At the end of the process it has ``last_words_s``, if the board has answered until then.
    """

    def __init__(self, work: Callable[[httpx.Client], None], last_words_s: float) -> None:
        self._work, self._last_words_s = work, last_words_s
        self._asked = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """There is something to send."""
        with self._guard:
            self._idle.clear()
            self._asked.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="to the board", daemon=True)
                self._thread.start()
                atexit.register(self._last_words)

    def wait(self, seconds: float) -> bool:
        """Wait until there is nothing to send, or the board is away; tell whether that is so."""
        return self._idle.wait(seconds)

    def _run(self) -> None:
        pause_s = 0.0
        with contextlib.suppress(ImportError), membership.client() as http:
            while True:
                self._asked.wait(pause_s or None)
                self._asked.clear()
                try:
                    self._work(http)
                    pause_s = 0.0
                    _mark_away(False)
                except (Unreached, Told, OSError):
                    pause_s = min(max(FIRST_WAIT_S, 2 * pause_s), LONGEST_WAIT_S)
                    _mark_away(True)
                with self._guard:
                    if not self._asked.is_set():
                        self._idle.set()

    def _last_words(self) -> None:
        """A terminal's check ends at once; the board gets a moment, but only if it is there."""
        with contextlib.suppress(KeyboardInterrupt):
            if not _was_away() and not self.wait(self._last_words_s):
                _mark_away(True)


def _was_away() -> bool:
    """Whether somebody has tried it a moment ago. A mark of the future is a clock set back."""
    try:
        ago_s = time.time() - membership.path().with_name(AWAY).stat().st_mtime
    except OSError:
        return False
    return 0 <= ago_s < AWAY_S


def _mark_away(is_away: bool) -> None:
    mark = membership.path().with_name(AWAY)
    with contextlib.suppress(OSError):
        if is_away:
            mark.touch()
        else:
            mark.unlink(missing_ok=True)


SENDER = Sender(deliver, LAST_WORDS_S)
