"""The process that grades other people's files for `playground grade`, one after the other.

One JSON object a line comes in on standard input, and one goes out for it:

    {"exercise": "wsgi-environ", "source": "<base64>"}
    {"status": "failed", "checks": [["Reads …", true], …], "message": "…"}

It ends with its input. Nothing of one file outlives the next: each is graded in a folder of its
own, by processes of its own.
"""

from __future__ import annotations

import base64
import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from playground.grading.checking import grade
from playground.grading.exercise import Exercise, load
from playground.grading.learner import Learner
from playground.grading.verdict import Status, Verdict

LONGEST = 300  # characters of a message
_VARYING = (  # what differs from run to run, and what stands for it
    (re.compile(r"\b(127\.0\.0\.1|localhost|\[::1\]):\d+"), r"\1:…"),
    (re.compile(r"\bport \d+"), "port …"),
    (re.compile(r"\b0x[0-9a-fA-F]{6,}"), "0x…"),
    (re.compile(r"\b(process|pid|thread|fd)([= ])\d+"), r"\1\2…"),
)


def main() -> None:
    """Grade until standard input ends.

    The arguments are the course's folder, and those that the graded code must not read.
    """
    course, *Learner.closed = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever is printed here is no answer
    catalogue = {each.id: each for each in load(Path(course))}
    for line in sys.stdin:
        asked = json.loads(line)
        answer = graded(catalogue[asked["exercise"]], base64.b64decode(asked["source"]))
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def graded(exercise: Exercise, source: bytes) -> dict[str, Any]:
    """Grade one file; return what is kept of the verdict."""
    with tempfile.TemporaryDirectory(prefix="playground-grade-") as folder:
        path = Path(folder, f"{exercise.name}.py")
        path.write_bytes(source)
        verdict = grade(exercise, path)
    return {
        "status": str(verdict.status),
        "checks": [[check.name, check.passed] for check in verdict.checks],
        "message": steady(message(verdict).replace(folder, "")),
    }


def message(verdict: Verdict) -> str:
    """Return what went wrong, in one line; "" for a pass."""
    if verdict.status is Status.BROKEN:
        return " ".join(verdict.notes)
    if verdict.message is None:
        return ""
    return f"{verdict.message.called}: {verdict.message.got}"


def steady(text: str) -> str:
    """Return text in one line that is the same in every run, and that a terminal can show."""
    for pattern, instead in _VARYING:
        text = pattern.sub(instead, text)
    text = printable(" ".join(text.split()))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def printable(text: str) -> str:
    """Return text with everything escaped that would act on a terminal instead of showing."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


if __name__ == "__main__":
    try:
        main()
    except (KeyboardInterrupt, BrokenPipeError):
        os._exit(1)  # what was graded has been ended and removed by now
