"""`playground grade`: many learners at once, none of whom affects another."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
import unicodedata
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from playground.cli import app
from playground.grading import cohort, cohort_report, cohort_worker, exercise
from playground.grading.exercise import Exercise
from playground.grading.verdict import Message, Status, Verdict

CHECKOUT = Path(__file__).resolve().parents[2]
RIGHT = "def double(data):\n    return data * 2\n"
WRONG = "def double(data):\n    return data\n"
HOSTILE = {
    "exits": "import os\nos._exit(0)\n",
    "loops": "while True: pass\n",
    "equals": (
        "class All(bytes):\n    def __eq__(self, other): return True\n"
        "def double(data): return All()\n"
    ),
    "prints": "print('x' * 1_000_000)\ndef double(data): return '\\x1b[31mred\\n=1+1'\n",
    "kills": (
        "import os, signal\n"
        "for pid in (os.getppid(), int(open(f'/proc/{os.getppid()}/stat').read().split()[3])):\n"
        "    try:\n        os.kill(pid, signal.SIGKILL)\n    except BaseException: pass\n"
        "def double(data): return data\n"
    ),
    "binary": b"\xff\xfe\x00\x00",
    "empty": "",
}


def submit(folder: Path, learner: str, source: str | bytes, tree: str = "exercises") -> Path:
    path = folder / learner / tree / "01_socket/double.py"
    path.parent.mkdir(parents=True)
    path.write_bytes(source if isinstance(source, bytes) else source.encode())
    return path


def run(folder: Path, *words: str) -> Result:
    target = folder.with_name("out.csv")
    return CliRunner().invoke(app, ["grade", str(folder), "--csv", str(target), *words])


def rows(folder: Path) -> dict[str, dict[str, str]]:
    with open(folder.with_name("out.csv"), encoding="utf-8", newline="") as stream:
        return {row["learner"]: row for row in csv.DictReader(stream)}


@pytest.fixture
def folder(twice: Exercise, tmp_path: Path) -> Path:
    """Two learners, one right and one wrong."""
    base = tmp_path / "submissions"
    submit(base, "ada", RIGHT)
    submit(base, "bob", WRONG, "workspace/exercises")
    return base


def test_nobody_reads_what_another_has_handed_in(folder: Path) -> None:
    theirs = folder / "ada/exercises/01_socket/double.py"
    submit(folder, "cy", f"exec(open({str(theirs)!r}).read())\n")
    assert run(folder).exit_code == 0
    found = rows(folder)
    assert (found["ada"]["status"], found["cy"]["status"]) == ("passed", "failed")
    assert f"refused to read {theirs}" in found["cy"]["message"]


def test_right_and_wrong_untouched_and_missing(folder: Path, twice: Exercise) -> None:
    submit(folder, "cy", twice.stub.read_text(), ".")
    (folder / "dan/exercises/01_socket").mkdir(parents=True)
    result = run(folder, "--json")
    assert result.exit_code == 0, result.output
    found = rows(folder)
    assert [row["status"] for row in found.values()] == [
        "passed", "failed", "not solved yet", "missing",
    ]  # fmt: skip
    assert found["bob"]["failed_check"] == "Returns the bytes twice"
    assert found["bob"]["message"] == "double(b'ab'): returned b'ab'"
    (one,) = json.loads(result.stdout)["exercises"]
    assert (one["passed"], one["tried"], one["learners"], one["rate"]) == (1, 2, 4, 0.5)
    assert one["failing_check"] == "Returns the bytes twice"
    assert one["failing"] == "double(b'ab'): returned b'ab'"
    assert not list(folder.parent.glob("*.partial"))


def test_a_hostile_file_affects_nobody_and_the_second_run_is_the_same(
    folder: Path, no_new_processes: None
) -> None:
    for name, source in HOSTILE.items():
        submit(folder, f"h-{name}", source)
    ada = folder / "ada/exercises/01_socket/double.py"
    notes = folder.with_name("out.csv.partial")
    aim = f"import os\nfor path in {[str(ada), str(notes)]}:\n"
    aim += "    try: os.unlink(path)\n    except OSError: pass\n"
    submit(folder, "h-deletes", aim + WRONG)
    twice_toml = next((folder.parent / "course").glob("tests/exercises/*/*/exercise.toml"))
    twice_toml.write_text(twice_toml.read_text() + "deadline_s = 1.0\n")
    assert run(folder).exit_code == 0
    first = folder.with_name("out.csv").read_bytes()
    found = rows(folder)
    assert {name: row["status"] for name, row in found.items()} == {
        "ada": "passed", "bob": "failed",
        **{f"h-{name}": "failed" for name in [*HOSTILE, "deletes"]},
    }  # fmt: skip
    assert b"\x1b" not in first
    ada.write_text(RIGHT)  # where the system does not keep others from writing, it is gone
    assert run(folder, "--jobs", "3").exit_code == 0
    assert folder.with_name("out.csv").read_bytes() == first


def test_killed_it_goes_on_where_it_was(folder: Path, tmp_path: Path) -> None:
    for number in range(6):
        submit(folder, f"slow-{number}", f"import time; time.sleep(0.5)\n# {number}\n{RIGHT}")
    target = tmp_path / "out.csv"
    partial = tmp_path / "out.csv.partial"
    program = (
        "import sys; from pathlib import Path; from playground import cli, workspace;"
        "course = Path(sys.argv.pop(1)); workspace.checkout = lambda: course; cli.main()"
    )
    words = ["grade", str(folder), "--csv", str(target), "--jobs", "1"]
    running = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "course"), *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        limit = time.monotonic() + 60
        while not partial.exists() or partial.read_text().count("answer") < 2:
            assert running.poll() is None
            assert time.monotonic() < limit
            time.sleep(0.02)
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait()
    assert not target.exists()
    noted = partial.read_text().count('"answer"')
    with open(partial, "a") as stream:
        stream.write('{"key": "cut')  # as a kill may leave it
    result = run(folder)
    assert f"Going on: {noted} of 8 files were graded before." in result.stderr
    assert result.exit_code == 0
    assert not partial.exists()
    first = target.read_bytes()
    assert run(folder).exit_code == 0
    assert target.read_bytes() == first


def test_another_course_is_another_grade(folder: Path, twice: Exercise) -> None:
    partial = folder.with_name("out.csv.partial")
    with cohort.Notes(folder.with_name("out.csv"), print) as notes:
        task = cohort.read(folder, [twice]).tasks[0]
        notes.add(task, {"status": "passed", "checks": [], "message": "made up"})
    assert "made up" in partial.read_text()
    twice.grader.write_text(twice.grader.read_text() + "\n")
    result = run(folder)
    assert "The course has changed since" in result.stderr
    assert "made up" not in folder.with_name("out.csv").read_text()


def test_two_runs_of_one_file_are_a_sentence(folder: Path) -> None:
    with cohort.Notes(folder.with_name("out.csv"), print):
        result = run(folder)
    assert result.exit_code == 1
    assert "is being written by another run" in str(result.exception)


def test_a_worker_that_is_lost_costs_one_file(
    folder: Path, twice: Exercise, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, started = cohort._start, []

    def fragile(program: list[str]) -> subprocess.Popen[str]:
        started.append(start(program))
        if len(started) <= cohort.TRIES:
            started[-1].kill()
        return started[-1]

    monkeypatch.setattr(cohort, "_start", fragile)
    result = run(folder, "--jobs", "1")
    assert result.exit_code == 1
    assert "ada: twice could not be graded: the process that graded it was lost" in result.stderr
    assert {name: row["status"] for name, row in rows(folder).items()} == {
        "ada": "broken", "bob": "failed",
    }  # fmt: skip


# ---- bad input -------------------------------------------------------------------------------


def test_a_folder_that_will_not_do_is_one_sentence(course: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    file = tmp_path / "file"
    file.write_text("")
    for folder, words in (
        (tmp_path / "nowhere", "There is no folder"),
        (empty, "There is no learner's folder"),
        (file, "is a file"),
    ):
        result = run(folder)
        assert result.exit_code == 1
        assert isinstance(result.exception, cohort.CohortError)
        assert words in str(result.exception)
        assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("other", ["ADA", "ada "])
def test_two_of_one_name_are_a_sentence(folder: Path, other: str) -> None:
    submit(folder, other, WRONG)
    assert "are one name to most programs" in str(run(folder).exception)


def test_two_spellings_of_one_name_are_a_sentence(folder: Path) -> None:
    for form in ("NFC", "NFD"):
        submit(folder, unicodedata.normalize(form, "José"), RIGHT)
    assert "are one name to most programs" in str(run(folder).exception)


def test_what_cannot_be_read_is_a_sentence_and_the_others_are_graded(
    folder: Path, twice: Exercise, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.py"
    secret.write_text(RIGHT)
    submit(folder, "link", "").unlink()
    (folder / "link/exercises/01_socket/double.py").symlink_to(secret)
    (folder / "circle/exercises").mkdir(parents=True)
    (folder / "circle/exercises/01_socket").symlink_to("01_socket")
    (folder / "outside").mkdir()
    (folder / "outside/exercises").symlink_to(folder / "ada/exercises")
    submit(folder, "pipe", "").unlink()
    os.mkfifo(folder / "pipe/exercises/01_socket/double.py")
    submit(folder, "folder", "").unlink()
    (folder / "folder/exercises/01_socket/double.py").mkdir()
    submit(folder, "large", b"#" * (cohort.LARGEST + 1))
    (folder / "nothing").mkdir()
    submit(folder, "both", RIGHT)
    submit(folder, "both", WRONG, "workspace/exercises")
    (folder / "eve.zip").write_bytes(b"PK")
    result = run(folder)
    assert result.exit_code == 1
    unreadable = {name for name, row in rows(folder).items() if row["status"] == "unreadable"}
    assert unreadable == {"circle", "link", "outside", "pipe", "folder", "large"}
    said = result.stderr
    for words in (
        "circle: exercises/01_socket/double.py cannot be read: Too many levels of symbolic links.",
        "link: exercises/01_socket/double.py cannot be read: it is a link.",
        "outside: exercises/01_socket/double.py cannot be read: it is a link.",
        "pipe: exercises/01_socket/double.py cannot be read: it is no file.",
        "folder: exercises/01_socket/double.py cannot be read: Is a directory.",
        "large: exercises/01_socket/double.py cannot be read: it has 1,048,577 bytes",
        "nothing holds no exercises",
        "both holds exercises twice, in exercises/ and workspace/exercises/",
        "eve.zip is packed",
    ):
        assert said.count(words) == 1, said
    assert said.count("\n") == 9
    assert (rows(folder)["ada"]["status"], rows(folder)["bob"]["status"]) == ("passed", "failed")


def test_a_stray_file_is_a_note(folder: Path) -> None:
    (folder / "notes.txt").write_text("")
    (folder / ".DS_Store").write_text("")
    result = run(folder)
    assert result.exit_code == 0
    assert result.stderr == "playground: notes.txt is no learner's folder, and was left out.\n"


def test_the_table_may_stand_among_the_folders(folder: Path) -> None:
    for _ in range(2):
        command = ["grade", str(folder), "--csv", str(folder / "a"), "--json"]
        result = CliRunner().invoke(app, command)
        assert (result.exit_code, result.stderr) == (0, "")
        assert json.loads(result.stdout)["learners"] == ["ada", "bob"]


def test_a_whole_checkout_is_its_workspace(folder: Path, twice: Exercise) -> None:
    submit(folder, "cy", twice.stub.read_bytes())
    submit(folder, "cy", RIGHT, "workspace/exercises")
    assert run(folder).exit_code == 0
    assert rows(folder)["cy"]["status"] == "passed"


def test_a_csv_that_cannot_be_written_is_a_sentence(folder: Path) -> None:
    command = ["grade", str(folder), "--csv"]
    for target in (folder, folder / "no/out.csv"):
        result = CliRunner().invoke(app, [*command, str(target)])
        assert isinstance(result.exception, cohort.CohortError)
    assert CliRunner().invoke(app, ["grade", str(folder)]).exit_code == 2


# ---- words -----------------------------------------------------------------------------------


def test_no_cell_is_a_formula_and_no_text_acts_on_a_terminal() -> None:
    text = cohort.table([cohort.Row("=cmd()", "twice", message="@x"), cohort.Row("-1", "twice")])
    assert [line.split(",")[0] for line in text.splitlines()[1:]] == ["'=cmd()", "'-1"]
    assert "'@x" in text
    assert cohort_worker.printable("a\x1b[1m\u202eb") == "a\\x1b[1m\\u202eb"


def test_one_is_one_and_two_are_two(folder: Path) -> None:
    assert "2 learners, 1 exercise." in run(folder).output


def test_what_varies_from_run_to_run_is_left_out() -> None:
    message = Message(
        "GET http://127.0.0.1:43215/", "<A object at 0x7f00aa11bb22>\n in process 12", ""
    )
    verdict = Verdict("a", "A", Status.FAILED, message=message)
    assert cohort_worker.steady(cohort_worker.message(verdict)) == (
        "GET http://127.0.0.1:…/: <A object at 0x…> in process …"
    )


def test_the_most_frequent_message_of_several_is_always_the_same() -> None:
    found = cohort.Cohort(["a", "b", "c"])
    for learner, message in (("a", "z"), ("b", "y"), ("c", "x")):
        found.rows.append(cohort.Row(learner, "one", "failed", 0, 1, "Check", message))
    found.rows.append(cohort.Row("d", "one", "broken"))
    (one,) = cohort_report.statistics(found)
    assert (one.failing, one.failing_count, one.tried) == ("x", 3, 3)


def test_only_some_exercises_are_graded(folder: Path) -> None:
    assert run(folder, "--only", "twice").exit_code == 0
    unknown = run(folder, "--only", "thrice")
    assert isinstance(unknown.exception, exercise.ExerciseError)


# ---- the way from elsewhere ------------------------------------------------------------------


def test_the_cells_of_the_guide_for_instructors_grade(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    guide = (CHECKOUT / "docs/INSTRUCTORS.md").read_text("utf-8")
    cell, points, otter = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    answer = tmp_path / "request_line.py"
    solution = CHECKOUT / "solutions/01_socket/request_line.py"
    answer.write_bytes(solution.read_bytes())
    names: dict[str, object] = {}
    exec(cell, names)
    assert eval(points, names) == 5
    assert "✓ http-request-line: passed" in capsys.readouterr().out
    answer.write_text("x = 1\n")
    with pytest.raises(AssertionError):
        exec(cell, names)
    assert eval(points, names) == 0
    body = otter.partition("def test_request_line():\n")[2]
    with pytest.raises(AssertionError, match="there is no parse_request_line"):
        exec(textwrap.dedent(body), {})
