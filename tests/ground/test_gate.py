"""The course gate, on small made-up courses: each broken promise is found and named."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from playground import gate

MODULE = '''\
"""A module."""

import re

# The longest line.
LIMIT = 100  # bytes
A, B = 1, 2


def parse(data):
    """Parse."""
    return data[:LIMIT]


@staticmethod
def other():
    pass


class Server:
    """Serves."""

    backlog = 5

    def start(self):
        return self.backlog

    def stop(self):
        return None


if __name__ == "__main__":
    parse(b"")
'''
CODE = textwrap.dedent(MODULE)
LIMITS = "# The longest line.\nLIMIT = 100  # bytes\nA, B = 1, 2"
PARSE = 'def parse(data):\n    """Parse."""\n    return data[:LIMIT]'
OTHER = "@staticmethod\ndef other():\n    pass"
SERVER = CODE[CODE.index("class Server") : CODE.index("\n\n\nif __name__")]
KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}


def cell(source: str, *builds: str, **metadata: Any) -> Any:
    if builds:
        names = [f"minimal_servers.http11:{name}" for name in builds]
        metadata["builds"] = names[0] if len(names) == 1 else names
    return new_code_cell(source, metadata=metadata)


def sections(*cells: Any, order: str = "Predict Build See Exercise Recap") -> list[Any]:
    headings = [new_markdown_cell(f"## {name}: something") for name in order.split()]
    return [new_markdown_cell("# A chapter"), *headings, *cells]


@pytest.fixture
def good() -> Iterator[list[Any]]:
    """The cells of a chapter that keeps every promise."""
    return sections(
        cell("import re"),
        cell("def parse(data):\n    return data  # a first try"),
        cell(LIMITS, "LIMIT", "A", "B"),
        cell(PARSE, "parse"),
        cell(OTHER, "other"),
        cell(SERVER, "Server"),
        cell("%%exercise limits\ndef parse(data):\n    ..."),
        cell("import playground\nfrom playground import serve\n!ls\n%time 1\nx = 1; x?"),
    )


def course(
    tmp_path: Path, cells: list[Any], name: str = "01_socket.ipynb", **metadata: Any
) -> Path:
    (tmp_path / "minimal_servers").mkdir(exist_ok=True)
    (tmp_path / "minimal_servers/__init__.py").write_text("VERSION = 1\n")
    (tmp_path / "minimal_servers/http11.py").write_text(CODE)
    (tmp_path / "notebooks").mkdir(exist_ok=True)
    book = new_notebook(cells=cells, metadata={"kernelspec": KERNEL} | metadata)
    nbformat.write(book, tmp_path / "notebooks" / name)
    return tmp_path


def problems(folder: Path, catalogue: dict[str, str] | None = None) -> list[str]:
    known = {"limits": "01_socket/limits.py"} if catalogue is None else catalogue
    return [str(problem) for problem in gate.check(folder, known)]


def test_a_good_chapter_passes(tmp_path: Path, good: list[Any]) -> None:
    assert problems(course(tmp_path, good)) == []


def test_no_notebook_is_a_problem(tmp_path: Path) -> None:
    assert problems(tmp_path) == ["notebooks: has no notebook."]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (new_code_cell("1", execution_count=3), "stores a result"),
        (new_code_cell("1", outputs=[new_output("stream", text="1\n")]), "stores a result"),
        (new_code_cell("1", metadata={"execution": {"iopub.execute_input": "…"}}), "times"),
        (new_markdown_cell("Look into /home/learner/x."), "folder of one machine (/home/l"),
        (new_code_cell("open('/Users/x')"), "folder of one machine"),
        (new_markdown_cell("see " + "py" + "pi.org/x"), "names a package registry"),
        (
            new_code_cell("from playground.trace import Trace"),
            "imports playground.trace: notebooks",
        ),
        (new_code_cell("import playground.trace"), "imports playground.trace"),
        (new_code_cell("%%time\nfrom playground.load import x"), "imports playground.load"),
        (new_code_cell("def broken(:"), "is not Python"),
        (new_code_cell("%%exercise limitz\n..."), "uses exercise 'limitz', which does not exist"),
        (new_code_cell("exercise('limitz')"), "uses exercise 'limitz', which does not exist"),
        (cell("def parse(data):\n    return None", "parse"), "differs from minimal_servers.http11"),
        (cell(PARSE + "\n\n\nparse(b'')", "parse"), "differs from minimal_servers.http11:parse"),
        (cell("pass", "nothing"), "'minimal_servers.http11:nothing', which does not exist"),
        (cell("def parse(data):\n    return None"), "leaves parse different from the one in"),
        (cell("LIMIT = 5"), "leaves LIMIT different from the one in minimal_servers/http11.py"),
    ],
)
def test_one_bad_cell_is_named_by_its_number(
    tmp_path: Path, good: list[Any], bad: Any, message: str
) -> None:
    found = problems(course(tmp_path, [*good, bad]))
    assert found, message
    assert all(
        one.startswith(f"notebooks/01_socket.ipynb, cell {len(good) + 1}: ") for one in found
    )
    assert any(message in one for one in found)


@pytest.mark.parametrize(
    "fine",
    [
        new_code_cell("def broken(:", metadata={"tags": ["raises-exception"]}),
        new_code_cell("%%bash\nfrom playground.trace import x"),
        new_code_cell("%%exercise limits\ndef parse(data):\n    return None"),
        new_code_cell("await reply"),
        new_code_cell("get(server, '/homely'); x = 'GET /slow'; y = '/homework/1'"),
        new_code_cell("from minimal_servers.http11 import parse"),
        cell(PARSE + "\n", "parse"),
        new_code_cell("def mine():\n    LIMIT = 5"),
    ],
)
def test_what_looks_bad_but_is_fine(tmp_path: Path, good: list[Any], fine: Any) -> None:
    assert problems(course(tmp_path, [*good, fine])) == []


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"widgets": {"state": {}}}, "stores widget state"),
        ({"kernelspec": KERNEL | {"name": "mine"}}, "names the kernel 'mine'"),
        ({"kernelspec": KERNEL | {"name": ""}}, "a dialog greets the reader"),
    ],
)
def test_bad_metadata(
    tmp_path: Path, good: list[Any], metadata: dict[str, Any], message: str
) -> None:
    (found,) = problems(course(tmp_path, good, **metadata))
    assert message in found


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ("Predict Build See Recap", "has no section '## Exercise'."),
        ("Build Predict See Exercise Recap", "in the order Build, Predict, See"),
    ],
)
def test_the_shape_of_a_chapter(tmp_path: Path, good: list[Any], order: str, message: str) -> None:
    cells = [*sections(order=order), *(one for one in good if one.cell_type == "code")]
    (found,) = problems(course(tmp_path, cells))
    assert message in found


def test_sections_may_come_back_and_carry_numbers(tmp_path: Path, good: list[Any]) -> None:
    cells = sections(order="Predict Build See Build See Exercise Recap")
    for one in cells:
        one.source = one.source.replace("## See", "## 3. See")
    cells += [one for one in good if one.cell_type == "code"]
    assert problems(course(tmp_path, cells)) == []


def test_chapter_00_may_differ_in_shape(tmp_path: Path, good: list[Any]) -> None:
    folder = course(tmp_path, [new_markdown_cell("# Hello")], name="00_welcome.ipynb")
    assert problems(course(folder, good)) == []


def test_an_exercise_of_a_chapter_that_exists_must_be_used(tmp_path: Path, good: list[Any]) -> None:
    folder = course(tmp_path, good)
    catalogue = {
        "limits": "01_socket/limits.py",
        "forgotten": "01_socket/x.py",
        "later": "04_loop/y.py",
    }
    assert problems(folder, catalogue) == [
        "exercises: forgotten (chapter 01) is used in no notebook."
    ]


def test_an_exercise_cell_holds_the_stub(tmp_path: Path, good: list[Any]) -> None:
    folder = course(tmp_path, good)
    stub = folder / "exercises/01_socket/limits.py"
    stub.parent.mkdir(parents=True)
    stub.write_text("def limits():\n    raise NotImplementedError\n")
    assert len(found := problems(folder)) == 1
    assert "differs from the stub of its exercise" in found[0]
    assert gate.fix(folder, {"limits": "01_socket/limits.py"}) == ["notebooks/01_socket.ipynb"]
    assert problems(folder) == []


def test_a_definition_that_no_chapter_builds_is_named(tmp_path: Path, good: list[Any]) -> None:
    rest = [one for one in good if "@staticmethod" not in one.source]
    assert problems(course(tmp_path, rest)) == [
        "minimal_servers/http11.py: other is built in no chapter."
    ]


def test_the_last_chapter_decides(tmp_path: Path, good: list[Any]) -> None:
    folder = course(tmp_path, good)
    later = sections(cell("def parse(data):\n    return None"))
    (found,) = problems(course(folder, later, name="02_wsgi.ipynb"))
    assert found.startswith("notebooks/02_wsgi.ipynb, cell 7: leaves parse different")


def test_a_class_may_grow_over_several_cells(tmp_path: Path, good: list[Any]) -> None:
    shell = 'class Server:\n    """Serves."""\n\n    backlog = 5'
    start = "class Server(Server):\n    def start(self):\n        return self.backlog"
    stop = "class Server(Server):\n    def stop(self):\n        return None"
    rest = [one for one in good if "class Server" not in one.source]
    grown = [cell(shell, "Server"), cell(start, "Server.start"), cell(stop, "Server.stop")]
    assert problems(course(tmp_path, [*rest, *grown])) == []
    found = problems(course(tmp_path, [*rest, *grown[:2], cell(stop + "  # wrong", "Server.stop")]))
    assert any("differs from minimal_servers.http11:Server.stop" in one for one in found)


@pytest.mark.parametrize(
    "text", ["not JSON", "[]", '{"cells": 5, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}']
)
def test_a_file_that_is_no_notebook_is_a_sentence(
    tmp_path: Path, good: list[Any], text: str
) -> None:
    folder = course(tmp_path, good)
    (folder / "notebooks/02_wsgi.ipynb").write_text(text)
    (found,) = problems(folder)
    assert found.startswith("notebooks/02_wsgi.ipynb: is not a valid notebook: ")


def test_fix_copies_the_module_into_the_cells_and_nothing_else(
    tmp_path: Path, good: list[Any]
) -> None:
    for one in good:
        if "builds" in one.metadata:
            one.source = "# to be filled"
    folder = course(tmp_path, good)
    assert problems(folder) != []
    assert gate.fix(folder, {}) == ["notebooks/01_socket.ipynb"]
    assert problems(folder) == []
    assert gate.fix(folder, {}) == []
    fixed = nbformat.read(folder / "notebooks/01_socket.ipynb", as_version=4)
    assert [one.source for one in fixed.cells if "builds" in one.metadata] == [
        LIMITS,
        PARSE,
        OTHER,
        SERVER,
    ]
    untouched = [one.source for one in good if "builds" not in one.metadata]
    assert [one.source for one in fixed.cells if "builds" not in one.metadata] == untouched
