"""Mutation testing of solutions: a weak grader is seen through, a listed equivalent is accepted."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from playground.cli import app
from playground.grading.exercise import Exercise, ExerciseError
from playground.grading.mutate import RECORDS, changes, mutate, problems, recorded

SOURCE = '''"""Twice."""

def double(data):
    """Return it twice."""
    if len(data) > 3:
        print("long")
    if data is None:
        raise ValueError("no data" + "!")
    return data + data
'''


def test_the_changes_are_small_and_leave_words_alone() -> None:
    diffs = {change.diff for change in changes(SOURCE)}
    assert "-    return data + data\n+    return data - data" in diffs
    assert '-        print("long")\n+        pass' in diffs
    assert any("len(data) >= 3" in diff for diff in diffs)
    assert not any("Return it" in diff or "no data" in diff for diff in diffs)
    assert all(change.source != SOURCE for change in changes(SOURCE))


def test_a_grader_that_looks_closely_leaves_nothing(twice: Exercise) -> None:
    report = mutate(twice)
    assert report.tried == 1
    assert (report.survivors, report.needless) == ([], [])


def test_a_survivor_is_listed_until_it_is_known_as_equivalent(twice: Exercise) -> None:
    twice.solution.write_text("def double(data):\n    print(1)\n    return data + data\n")
    survivors = {change.diff: change.line for change in mutate(twice).survivors}
    deleted = "-    print(1)\n+    pass"
    assert survivors[deleted] == 2
    listed = "".join(
        f'[[equivalent]]\nchange = """\n{diff}\n"""\nreason = "Output is not judged."\n'
        for diff in survivors
    )
    (twice.folder / "equivalent.toml").write_text(listed)
    assert mutate(twice).survivors == []
    result = CliRunner().invoke(app, ["exercises", "mutate", "twice"])
    assert result.exit_code == 0, result.output


def test_a_needless_entry_is_reported(twice: Exercise) -> None:
    rejected = '[[equivalent]]\nchange = "-    return data + data\\n+    return data - data"\n'
    (twice.folder / "equivalent.toml").write_text(
        rejected + 'reason = "x"\n[[equivalent]]\nchange = "-gone"\nreason = "x"\n'
    )
    assert len(mutate(twice).needless) == 2
    result = CliRunner().invoke(app, ["exercises", "mutate", "twice"])
    assert result.exit_code == 1
    assert "-gone" in result.output


def test_what_came_of_it_is_kept_as_long_as_it_is_true(twice: Exercise, course: Path) -> None:
    stale = "twice was not tried as it is: `playground exercises mutate` does it"
    assert list(problems([twice], course)) == [stale]
    result = CliRunner().invoke(app, ["exercises", "mutate", "twice"])
    assert result.exit_code == 0, result.output
    assert list(problems([twice], course)) == []
    entry = recorded(course)["twice"]
    assert (entry["changes"], entry["killed"], entry["equivalent"]) == (1, 1, 0)
    twice.solution.write_text("def double(data):\n    print(1)\n    return data + data\n")
    assert list(problems([twice], course)) == [stale]
    CliRunner().invoke(app, ["exercises", "mutate", "twice"])
    passing, few = problems([twice], course)
    assert passing == "twice: 3 changes pass and are not listed as equivalent"
    assert few == "1 of 4 changes are noticed, fewer than 95%"


def test_a_sample_is_no_record(twice: Exercise, course: Path) -> None:
    CliRunner().invoke(app, ["exercises", "mutate", "twice", "--sample", "1"])
    assert recorded(course) == {}


@pytest.mark.parametrize("text", ["x", "3", '{"twice": 3}'])
def test_records_that_cannot_be_read_are_a_sentence(course: Path, text: str) -> None:
    (course / RECORDS).write_text(text)
    with pytest.raises(ExerciseError, match=r"mutation\.json"):
        recorded(course)


@pytest.mark.parametrize("text", ["x", "[[equivalent]]\nchange = 'x'\n", "equivalent = 3"])
def test_a_list_that_cannot_be_read_is_a_sentence(twice: Exercise, text: str) -> None:
    Path(twice.folder / "equivalent.toml").write_text(text)
    with pytest.raises(ExerciseError, match="not as it should be"):
        mutate(twice)
