"""The runs that go on just now, as their learners share them: in memory, never on the disk.

A run begins with its first message. It ends with the whole trace, which is kept (``room.share``),
or without: then nothing more comes, and the board says since when. One of each learner, and the
newest of theirs.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playground.classroom.frame import Frame
from playground.classroom.room import Refused, clock

MOST = 8  # at a time; each is at most as large as a whole trace
QUIET_S = 6.0  # without a word from its learner, who has one every second or two: it broke off


@dataclass
class Going:
    """One run: ``id`` is secret, and stays that of its timeline when the run is over."""

    id: str
    learner: int
    run: str
    began: float  # this machine's clock
    frame: Frame
    number: int
    heard: float  # the same clock, to tell
    quiet_from: float  # monotonic
    ending: bool = False  # its whole trace has come, and is being drawn


class AllGoing:
    """Of one board. Nothing here waits, so nobody else comes in between."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._runs: dict[int, Going] = {}  # by learner
        self._over: dict[int, str] = {}  # the last that each learner has ended
        self._number = 0

    def check(self, learner: int, run: str, *, begins: bool) -> None:
        """Raises ``Refused`` if no message of this run is shown: it is over, or there is no room.

        A learner who has begun another run shows that one.
        """
        going = self._runs.get(learner)
        if self.is_over(learner, run) or (going and going.run != run and not begins):
            raise Refused(409, "This run is over, or another one has begun.")
        if not run:
            raise Refused(422, "A run needs a name.")
        if going is None and len(self._runs) >= MOST and not self._broken():
            raise Refused(429, f"{MOST} runs are shown already: this one comes when it is over.")

    def take(self, learner: int, run: str, frame: Frame, age_s: float, *, begins: bool) -> None:
        """Show this from now on. Raises ``Refused`` as ``check`` does."""
        self.check(learner, run, begins=begins)
        going = self._runs.get(learner)
        if going is None and len(self._runs) >= MOST:
            del self._runs[self._broken()[0].learner]
        self._number += 1
        now, same = time.time(), self._of(learner, run)
        self._runs[learner] = Going(
            id=same.id if same else secrets.token_urlsafe(16),
            learner=learner,
            run=run,
            began=same.began if same else now - age_s,
            frame=frame,
            number=self._number,
            heard=now,
            quiet_from=self._now() + QUIET_S,
            ending=same is not None and same.ending,
        )

    def end(self, learner: int, run: str) -> str:
        """Its whole trace has come; return its secret name, "" if nothing of it was shown."""
        going = self._of(learner, run)
        if going is None:
            return ""
        going.ending = True
        return going.id

    def go_on(self, learner: int, run: str) -> None:
        """It could not be kept; perhaps it comes again."""
        if going := self._of(learner, run):
            going.ending = False

    def is_over(self, learner: int, run: str) -> bool:
        """Whether all of that run is here."""
        return bool(run) and self._over.get(learner) == run

    def over(self, learner: int, run: str) -> None:
        """Nothing more of it is shown here; a timeline of no run ("") takes the place of one that
        broke off.
        """
        going = self._runs.get(learner)
        if run:
            self._over[learner] = run
        if going and (going.run == run or (not run and self._is_broken(going))):
            del self._runs[learner]

    def find(self, name: str) -> Going:
        """The run of that secret name. Raises ``Refused``."""
        for going in self._runs.values():
            if secrets.compare_digest(going.id.encode(), name.encode()):
                return going
        raise Refused(404, "This run does not go on (any more).")

    def all(self) -> list[Going]:
        """Those that are shown now, the newest first."""
        return sorted(self._runs.values(), key=lambda each: each.began, reverse=True)

    def shown(self, runs: list[Going], learners: dict[int, str]) -> list[dict[str, Any]]:
        """What the board says of them; those of who is not here (any more) are forgotten."""
        for each in runs:
            if each.learner not in learners:
                self._runs.pop(each.learner, None)
        return [
            self._told(each, learners[each.learner]) for each in runs if each.learner in learners
        ]

    def change_s(self) -> float:
        """Seconds until one of them has been quiet for too long; infinite if none can be."""
        waits = [each.quiet_from - self._now() for each in self._runs.values() if not each.ending]
        return min((each for each in waits if each > 0), default=math.inf)

    def _told(self, going: Going, name: str) -> dict[str, Any]:
        return {
            "id": going.id,
            "learner": going.learner,
            "name": name,
            "title": going.frame.title,
            "run": clock(going.began),
            "frame": going.number,
            "quiet": clock(going.heard, seconds=True) if self._is_broken(going) else "",
        }

    def _of(self, learner: int, run: str) -> Going | None:
        going = self._runs.get(learner)
        return going if going and going.run == run else None

    def _is_broken(self, going: Going) -> bool:
        return not going.ending and self._now() >= going.quiet_from

    def _broken(self) -> list[Going]:
        """Those that broke off, the longest ago first."""
        found = [each for each in self._runs.values() if self._is_broken(each)]
        return sorted(found, key=lambda each: each.quiet_from)
