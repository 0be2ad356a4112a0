"""A learner shows a run to the room while it goes on: ``burst(…, share=True)``, ``run --share``.

The run waits for nothing of it. A thread of its own reads what is recorded and sends the whole
picture, about once a second; while the board is slow or away there are fewer of them, and none
waits for its turn. When the run is over its trace goes into the outbox (``sharing.put``), and from
there to the board, however long that takes.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import TYPE_CHECKING

from playground.classroom import membership, sharing
from playground.classroom.membership import ClassroomError
from playground.classroom.messages import LARGEST_TRACE
from playground.errors import Told

if TYPE_CHECKING:
    import httpx

    from playground.trace.trace import Trace
    from playground.views.publisher import Source

FIRST_S, PERIOD_S = 0.1, 1.0  # until the first picture; from one to the next
BYTES_A_SECOND = 400_000  # of one learner; what is larger comes less often
ANSWER_S = 5.0
FINISHED_S = 10.0  # from the end of the run until its trace is made
LONGEST_WAIT_S = 5.0  # after pictures that did not arrive
UNKNOWN = (401, 403, 410)  # the board does not let this learner show anything
OVER = (404, 409, 413, 422)  # it does not show this run
LEFT = "This run is not shared: you have left the board."
NAME = "live to the board"
_TURN = threading.Lock()  # of two runs the first lets go before the second begins


class Live(threading.Thread):
    """One run: ``start``, ``stop``, and ``finish`` with its trace.

    Raises ClassroomError where no board was joined.
    """

    def __init__(self, source: Source, run: str, expected: int) -> None:
        from playground.views.publisher import Publisher

        super().__init__(name=NAME, daemon=True)
        self.joined = membership.joined_or_refuse()
        self._http = membership.client()
        self._http.timeout = ANSWER_S
        self._run_id = run
        self._publisher = Publisher(source, self._keep, expected, None, {})
        self._message = b""
        self._arrived = self._withdrawn = self._unwanted = False
        self._refusal = ""
        self._over, self._finished = threading.Event(), threading.Event()

    def stop(self) -> None:
        """The run is over: no picture of it is sent from now on."""
        self._over.set()

    def finish(self, trace: Trace) -> None:
        """Leave the whole of it for the board, and say so. Waits for nothing, and never raises."""
        try:
            if not self._refusal and membership.load() != self.joined:
                self._refusal = LEFT
            if not self._refusal:
                sharing.put(trace, self._run_id)
            title = trace.meta.get("title", "a run")
            where = "On the board" if self._arrived else "On its way to the board"
            said = self._refusal or f"{where}, as shared by {self.joined.name}: {title}"
        except (Told, OSError) as error:
            self._withdrawn = True
            said = str(error)
        self.stop()
        self._finished.set()
        _say(said)

    def run(self) -> None:
        """Send pictures until the run is over, or the board does not want them."""
        with _TURN, self._http:
            self._send_all()
            if self._over.is_set():
                self._finished.wait(FINISHED_S)
            if self._withdrawn and self._arrived:
                with contextlib.suppress(ClassroomError):
                    self._post(b"", 0.0)

    def _send_all(self) -> None:
        began, pause_s = time.monotonic(), FIRST_S
        while not self._over.wait(pause_s) and not self._unwanted:
            try:
                pause_s = self._send(time.monotonic() - began)
            except (Told, OSError):
                pause_s = min(2 * max(pause_s, PERIOD_S / 2), LONGEST_WAIT_S)

    def _send(self, age_s: float) -> float:
        """Send what is known by now; return the pause after it, in seconds."""
        if membership.load() != self.joined:
            self._refusal, self._unwanted = LEFT, True
            return 0.0
        self._publisher.hello(-1)  # all of it
        self._publisher.step(time.monotonic())
        if len(self._message) > LARGEST_TRACE:
            self._withdrawn = self._unwanted = True
        if self._unwanted or self._over.is_set():
            return 0.0
        answer = self._post(self._message, age_s)
        if answer.is_success:
            self._arrived = True
        elif answer.status_code in UNKNOWN:
            self._refusal = membership.detail(answer)
        self._unwanted = answer.status_code in (*UNKNOWN, *OVER)
        return max(PERIOD_S, len(self._message) / BYTES_A_SECOND)

    def _post(self, message: bytes, age_s: float) -> httpx.Response:
        params = {"run": self._run_id, "age_s": f"{age_s:.1f}", "begins": str(not self._arrived)}
        return membership.ask(
            self._http,
            self.joined.address,
            "frame",
            token=self.joined.token,
            content=message,
            params=params,
        )

    def _keep(self, message: bytes) -> None:
        self._message = message


def _say(sentence: str) -> None:
    """In a notebook below the picture; in a terminal beside what may be read by a program."""
    from playground.views.publisher import in_notebook

    print(sentence, file=sys.stdout if in_notebook() else sys.stderr)
