"""A learner's trace, drawn in a process of its own: whatever is in it, the board goes on.

python -m playground.classroom.drawing still    trace → {"title", "light", "dark"}, SVG
python -m playground.classroom.drawing page     trace → {"page"}, a document that plays it
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import tempfile
import warnings
from typing import Any, Literal

from playground.classroom.room import Refused

CPU_S = 10
LONGEST_S = 60.0  # for a machine that has much else to do
MEMORY = 4 << 30  # bytes of address space; libraries for numbers reserve much of it
LARGEST = 8 << 20  # bytes of a drawing
TITLE = 120  # characters
WIDTH = 1100
_ONE = asyncio.Semaphore(1)  # at a time; learners wait for their turn
What = Literal["still", "page"]


async def draw(trace: bytes, what: What) -> dict[str, str]:
    """Return the drawings. Raises ``Refused`` for what is no trace or cannot be drawn."""
    async with _ONE:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "playground.classroom.drawing", what),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            said, _ = await asyncio.wait_for(process.communicate(trace), LONGEST_S)
        except TimeoutError:
            raise Refused(503, "The board is too busy to draw this now: try again.") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    if process.returncode or not said or len(said) > LARGEST:
        raise Refused(422, "This timeline cannot be drawn: share another run.")
    answer: dict[str, str] = json.loads(said)
    if "refused" in answer:
        raise Refused(422, answer["refused"])
    # half a character can be in JSON, but not in a file
    return {name: text.encode("utf-8", "replace").decode() for name, text in answer.items()}


def _draw(data: bytes, what: str) -> dict[str, Any]:
    from playground.trace.trace import Trace, TraceFileError
    from playground.views import html, svg

    with tempfile.NamedTemporaryFile(prefix="playground-shared-") as file:
        file.write(data)
        file.flush()
        try:
            warnings.simplefilter("error")  # a trace that was cut short
            trace = Trace.load(file.name)
        except (TraceFileError, UserWarning):
            return {"refused": "This is no whole trace: share a run."}
    warnings.simplefilter("ignore")
    if not len(trace.records):
        return {"refused": "There is nothing in this run: share another one."}
    trace.meta["title"] = title = str(trace.meta.get("title") or "A run")[:TITLE]
    if what == "page":
        return {"page": html.page(trace)}
    drawings = {theme: svg.render(trace, width=WIDTH, theme=theme) for theme in ("light", "dark")}
    return {"title": title, **drawings}


def main() -> None:
    """Draw what comes on standard input."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    answer = _draw(sys.stdin.buffer.read(), sys.argv[1])
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
