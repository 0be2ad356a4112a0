"""What was predicted so far: one file in the workspace, so that the next question is a new one.

{"format": 1, "answers": [{"seed": 1, "number": 3, "question": "waitress:1x4/flask/…",
                           "right": 3, "of": 4, "at": "…"}]}
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playground import workspace
from playground.grading.progress import now
from playground.interview.outcome import Answer, Judged
from playground.interview.predict import Question

FORMAT = 1
FILE = "predictions.json"


def path() -> Path:
    """Return the place of the file."""
    return workspace.root() / FILE


def load() -> list[dict[str, Any]]:
    """Return the answers so far, the oldest first; raises WorkspaceError."""
    data = workspace.read_json(path(), {"format": FORMAT, "answers": []})
    answers = data.get("answers") if isinstance(data, dict) else None
    if not isinstance(answers, list) or data.get("format") != FORMAT:
        raise workspace.WorkspaceError(
            f"{path()} holds no predictions of this version: move it away to start afresh."
        )
    return [one for one in answers if isinstance(one, dict)]


def record(asked: Question, answer: Answer, judged: Judged) -> None:
    """Add one; raises WorkspaceError."""
    entry = {
        "seed": asked.seed,
        "number": asked.number,
        "question": asked.key,
        "letter": answer.letter,
        "numbers": answer.numbers,
        "right": judged.right,
        "of": len(judged.rows),
        "at": now(),
    }
    with workspace.locked():
        workspace.write_json_atomic(path(), {"format": FORMAT, "answers": [*load(), entry]})


def following(seed: int) -> int:
    """Return the first number of that seed which was not answered yet."""
    done = {one.get("number") for one in load() if one.get("seed") == seed}
    return next(number for number in range(1, len(done) + 2) if number not in done)
