"""`%%exercise` and its companions in an IPython shell: nothing raises, no work is lost."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from playground import workspace
from playground.grading import magics, predictions, session
from playground.grading.exercise import Exercise

RIGHT = "def double(data):\n    return data * 2\n"
WRONG = "def double(data):\n    return data\n"


@pytest.fixture
def shell(course: Path) -> Iterator[InteractiveShell]:
    InteractiveShell.clear_instance()
    running = InteractiveShell.instance()
    magics.register(running)
    yield running
    InteractiveShell.clear_instance()


def run(shell: InteractiveShell, cell: str) -> dict[str, str]:
    """Run a cell; return its displayed text and HTML, joined."""
    with capture_output() as captured:
        result = shell.run_cell(cell)
    assert result.success, result.error_in_exec
    bundles = [output.data for output in captured.outputs]
    return {kind: "\n".join(str(b.get(kind, "")) for b in bundles) for kind in
            ("text/plain", "text/html")}  # fmt: skip


def test_the_stub_is_kindly_not_solved_yet(shell: InteractiveShell, twice: Exercise) -> None:
    shown = run(shell, "%%exercise twice\n" + twice.stub.read_text())
    assert "○ twice: not solved yet" in shown["text/plain"]
    assert "Hint 1 of 3: a nudge" in shown["text/html"]


def test_a_cell_is_written_and_graded(shell: InteractiveShell, twice: Exercise, recorded) -> None:
    shown = run(shell, "%%exercise twice\n" + WRONG)
    assert "✗ twice: not passed yet" in shown["text/plain"]
    assert "double(b&#x27;ab&#x27;)" in shown["text/html"]
    shown = run(shell, "%%exercise twice\n" + RIGHT)
    assert "✓ twice: passed" in shown["text/plain"]
    assert twice.learners_file().read_text() == RIGHT
    entry = recorded()["exercises"]["twice"]
    assert (entry["status"], entry["attempts"]) == ("passed", 2)
    assert not (workspace.root() / "backups").exists()


def test_the_picture_comes_before_the_verdict(shell: InteractiveShell) -> None:
    text = run(shell, "%%exercise twice\n" + RIGHT)["text/plain"]
    assert text.index("a picture of double") < text.index("passed")


def test_a_picture_that_fails_is_a_note(shell: InteractiveShell, twice: Exercise) -> None:
    twice.grader.write_text(twice.grader.read_text() + "\ndef draw(file): raise OSError('no')\n")
    text = run(shell, "%%exercise twice\n" + RIGHT)["text/plain"]
    assert "✓ twice: passed" in text
    assert "No picture of your server: no" in text


def test_a_stub_cell_grades_the_work_in_the_file(shell: InteractiveShell, twice: Exercise) -> None:
    twice.learners_file().write_text(RIGHT)
    text = run(shell, "%%exercise twice\n# run all\n" + twice.stub.read_text())["text/plain"]
    assert "✓ twice: passed" in text
    assert "This cell still holds the stub, so your file was graded" in text
    assert twice.learners_file().read_text() == RIGHT


def test_edits_made_outside_are_kept_in_a_backup(shell: InteractiveShell, twice: Exercise) -> None:
    run(shell, "%%exercise twice\n" + WRONG)
    twice.learners_file().write_text("# in my editor\n" + RIGHT)
    text = run(shell, "%%exercise twice\n" + WRONG)["text/plain"]
    assert "was changed outside this cell; that version is kept" in text
    (kept,) = (workspace.root() / "backups").glob("*/exercises/01_socket/double.py")
    assert kept.read_text() == "# in my editor\n" + RIGHT
    run(shell, "%%exercise twice\n" + RIGHT)
    assert len(list((workspace.root() / "backups").iterdir())) == 1


def test_two_backups_in_one_second_are_two(twice: Exercise) -> None:
    for text in ("# one\n" + RIGHT, "# two\n" + RIGHT):
        twice.learners_file().write_text(text)
        session.save_cell(twice, WRONG)
    found = (workspace.root() / "backups").glob("*/exercises/01_socket/double.py")
    assert sorted(path.read_text()[:5] for path in found) == ["# one", "# two"]


def test_progress_and_the_next_exercise_stand_below_the_verdict(
    shell: InteractiveShell, course: Path, recorded
) -> None:
    for name, order in (("again", 2), ("more", 3)):
        folder = course / f"tests/exercises/01_socket/{name}"
        shutil.copytree(course / "tests/exercises/01_socket/double", folder)
        data = (folder / "exercise.toml").read_text()
        data = data.replace("twice", name).replace("order = 1", f"order = {order}")
        (folder / "exercise.toml").write_text(data)
    notebook = workspace.root() / "notebooks/01_socket.ipynb"
    notebook.parent.mkdir(parents=True)
    cell = {"id": "a1b2", "cell_type": "code", "source": ['exercise("again")']}
    notebook.write_text(json.dumps({"cells": [cell]}))
    shown = run(shell, "%%exercise twice\n" + RIGHT)
    assert "1 of 3; course 1 of 3. Next: again" in shown["text/plain"]
    assert 'Next: <a href="01_socket.ipynb#cell-id=a1b2">Twice (' in shown["text/html"]
    notebook.unlink()
    assert "Next: Twice (<code>again" in run(shell, "%%exercise twice\n" + RIGHT)["text/html"]


def test_after_the_last_exercise_there_is_no_next(shell: InteractiveShell) -> None:
    assert "course 1 of 1" in run(shell, "%%exercise twice\n" + RIGHT)["text/plain"]
    assert "Next" not in run(shell, "%%exercise twice\n" + RIGHT)["text/html"]


def test_an_unknown_id_is_a_sentence(shell: InteractiveShell) -> None:
    text = run(shell, "%%exercise twise\npass")["text/plain"]
    assert "There is no exercise 'twise'. Did you mean twice?" in text


def test_damaged_progress_is_a_sentence(shell: InteractiveShell) -> None:
    workspace.root().mkdir(parents=True)
    (workspace.root() / "progress.json").write_text('{"exercises": {')
    text = run(shell, "%%exercise twice\n" + RIGHT)["text/plain"]
    assert "progress.json is not valid JSON" in text
    assert (workspace.root() / "progress.json").read_text() == '{"exercises": {'


def test_hints_come_one_more_each_time(shell: InteractiveShell, recorded) -> None:
    assert "Say it." in run(shell, "%hint twice")["text/plain"]
    html = run(shell, "%hint twice")["text/html"]
    assert "Say it <code>again</code>." in html
    assert recorded()["exercises"]["twice"]["hints"] == 2
    for _ in range(3):
        run(shell, "%hint twice")
    assert recorded()["exercises"]["twice"]["hints"] == 3


def test_the_solution_comes_after_the_pass_or_on_request(shell: InteractiveShell, recorded) -> None:
    assert "You have not passed twice yet" in run(shell, "%solution twice")["text/plain"]
    assert "data + data" in run(shell, "%solution twice --show")["text/plain"]
    assert recorded()["exercises"]["twice"]["solution_shown"] is True
    run(shell, "%%exercise twice\n" + RIGHT)
    assert "data + data" in run(shell, "%solution twice")["text/plain"]


def test_the_task_panel(shell: InteractiveShell) -> None:
    shown = run(shell, "from playground import exercise\nexercise('twice')")
    assert "How to say it again." in shown["text/plain"]
    assert "workspace/exercises/01_socket/double.py" in shown["text/plain"]
    html = shown["text/html"]
    assert html.count("<details") == html.count("</details>") == 3
    assert " open" not in html


def test_the_buttons_grade_hint_and_show_the_solution_on_the_second_press(twice: Exercise) -> None:
    from playground.grading.buttons import buttons

    row, answer = buttons(twice).children
    check, hint, solution = row.children
    for button, words in (
        (check, "not solved yet"),
        (hint, "Hint 1 of 3: a nudge</div>"),  # in the verdict it is a </summary>
        (hint, "Hint 2 of 3: the concept</div>"),
        (solution, "Press once more"),
        (solution, "data + data"),
    ):
        button.click()
        wait_until(lambda words=words: words in answer.value)


def test_widgets_leave_a_readable_text_where_none_can_be_shown(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(magics, "in_notebook", lambda: True)
    monkeypatch.setattr(predictions, "in_notebook", lambda: True)
    shown = run(shell, "from playground import exercise, predict\nexercise('twice')")
    assert "[Check my file] [A hint] [Show the solution]" in shown["text/plain"]
    shown = run(shell, "predict('slow', 'How long?', unit='s')")
    assert shown["text/plain"] == "Predict: How long?"


def test_a_verdict_is_stored_as_text_and_html(shell: InteractiveShell) -> None:
    with capture_output() as captured:
        shell.run_cell("%%exercise twice\n" + WRONG)
    bundle = captured.outputs[-2].data
    assert json.dumps(bundle)
    assert {"text/plain", "text/html"} <= set(bundle)
    assert "<script" not in bundle["text/html"]


def wait_until(condition: object) -> None:
    import time

    limit = time.monotonic() + 60
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < limit, "the button did nothing"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("predict('slow', 'How long?', unit='s', answer='soon')", "'soon' is no number"),
        ("Trace.load('no-such.trace')", "Cannot read no-such.trace"),
        ("raw('127.0.0.1', b'')", "names no server"),
        ("compare()", "nothing to compare"),
    ],
)
def test_what_is_expected_to_go_wrong_is_shown_without_traceback(
    shell: InteractiveShell, code: str, words: str, capsys
) -> None:
    from playground import Trace, compare, predict, raw

    shell.user_ns.update(Trace=Trace, compare=compare, predict=predict, raw=raw)
    result = shell.run_cell(code)
    assert result.error_in_exec is not None
    shown = capsys.readouterr().out
    assert words in shown
    assert "Traceback" not in shown
    assert len(shown.strip().splitlines()) == 1
