"""docs/INSTRUCTORS.md shows the plans as they are computed: between two marks, for each plan."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from playground.grading.exercise import Exercise
from playground.teaching import plan, sections

DOCUMENT = Path("docs", "INSTRUCTORS.md")
MARKED = re.compile(
    r"(?P<begin><!-- playground plan (?P<name>[\w-]+) -->\n\n).*?(?P<end>\n\n<!-- end of plan -->)",
    re.DOTALL,
)


def updated(text: str, course: Path, catalogue: Mapping[str, Exercise]) -> str:
    """Return the document's text with the tables of the plans as they are now.

    Raises TeachingError for a mark of a plan that does not exist, and for a plan without a mark.
    """
    chapters = sections.load(course)
    shown = [match["name"] for match in MARKED.finditer(text)]
    if missing := [name for name in plan.NAMES if name not in shown]:
        raise sections.TeachingError(f"{DOCUMENT} has no place for {', '.join(missing)}.")

    def table(match: re.Match[str]) -> str:
        found, _ = plan.load(match["name"], chapters, catalogue)
        return f"{match['begin']}{plan.markdown(found)}{match['end']}"

    return MARKED.sub(table, text)
