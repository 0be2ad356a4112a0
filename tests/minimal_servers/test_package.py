"""What the package promises as a whole: its defaults, what it needs, and the size of the loop."""

import ast
import importlib.util
import io
import sys
import tokenize
from pathlib import Path

import pytest

from minimal_servers.__main__ import parse

FOLDER = Path(__file__).parents[2] / "minimal_servers"
LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}


def test_the_defaults_of_asgi() -> None:
    options = parse(["asgi", "module:app"])
    assert (options.loop, options.workers, options.port, options.grace) == ("asyncio", 1, 8000, 30)


def test_a_loop_that_is_not_installed_gets_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "uvloop" else find(name)
    )
    assert parse(["asgi", "module:app"]).loop == "asyncio"
    with pytest.raises(SystemExit) as caught:
        parse(["asgi", "module:app", "--loop", "uvloop"])
    assert caught.value.code == 2
    assert "--loop uvloop needs the package uvloop" in capsys.readouterr().err


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_the_standard_library_is_enough(path: Path) -> None:
    allowed = sys.stdlib_module_names | {"minimal_servers"}
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names = [node.module or ""]
        for name in names:
            assert name.partition(".")[0] in allowed, f"{path.name} imports {name}"


def test_the_loop_has_fewer_than_150_lines_of_code() -> None:
    text = (FOLDER / "eventloop.py").read_text("utf-8")
    assert len(lines_of_code(text)) < 150


def lines_of_code(text: str) -> set[int]:
    """Numbers of the lines with code: neither empty, nor comment, nor docstring."""
    lines = {
        number
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in LAYOUT and token.string
        for number in range(token.start[0], token.end[0] + 1)
    }
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            assert node.end_lineno is not None
            lines -= set(range(node.lineno, node.end_lineno + 1))
    return lines
