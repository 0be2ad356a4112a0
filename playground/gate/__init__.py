"""The course gate: what every notebook promises, held by a program.

`check` reads `notebooks/`, `minimal_servers/` and the exercise catalogue and returns the broken
promises as sentences; `fix` copies the code of `minimal_servers/` into the cells that build it.
"""

from playground.gate.course import check, fix
from playground.gate.notebooks import Notebook, Problem

__all__ = ["Notebook", "Problem", "check", "fix"]
