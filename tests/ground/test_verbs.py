"""What `from playground import …` finds."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import playground

SOURCE = Path(playground.__file__)


def test_every_verb_has_a_home_and_a_type() -> None:
    assert sorted(playground._HOMES) == playground.__all__ == sorted(playground.__all__)
    for name in playground.__all__:
        assert callable(getattr(playground, name)), name


def test_editors_are_told_the_same_names() -> None:
    (typing,) = [node for node in ast.parse(SOURCE.read_text()).body if isinstance(node, ast.If)]
    told = {
        alias.name: node.module
        for node in typing.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    homes = {name: home for name, home in playground._HOMES.items() if home != f"playground.{name}"}
    assert {name: told.get(name) for name in homes} == homes


def test_a_servers_process_stays_light() -> None:
    code = "import playground, sys; print('numpy' in sys.modules, 'aiohttp' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
