"""The learner's files survive every update, and reset keeps a backup."""

import json
import multiprocessing
from pathlib import Path

import nbformat
import pytest

from playground import workspace
from playground.workspace import WorkspaceError


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small made-up course, with its workspace beside it."""
    course = tmp_path / "course"
    for rel, text in {
        "notebooks/01_socket.ipynb": notebook("print('one')"),
        "notebooks/02_wsgi.ipynb": notebook("print('two')"),
        "notebooks/.ipynb_checkpoints/01_socket-checkpoint.ipynb": "{}",
        "exercises/01_socket/parse.py": "def parse():\n    ...\n",
        "exercises/02_wsgi/environ.py": "def environ():\n    ...\n",
        "exercises/02_wsgi/close.py": "def close():\n    ...\n",
        "exercises/catalogue.toml": "",
    }.items():
        (course / rel).parent.mkdir(parents=True, exist_ok=True)
        (course / rel).write_text(text)
    monkeypatch.setattr(workspace, "checkout", lambda: course)
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(tmp_path / "mine"))
    return course


def notebook(source: str, **cell: object) -> str:
    code = nbformat.v4.new_code_cell(source, id="a", **cell)
    return nbformat.writes(nbformat.v4.new_notebook(cells=[code]))


def mine(rel: str) -> Path:
    return workspace.root() / rel


def test_prepare_copies_chapters_and_exercises_only(course: Path) -> None:
    report = workspace.prepare()
    assert report.created == [
        "notebooks/01_socket.ipynb",
        "notebooks/02_wsgi.ipynb",
        "exercises/01_socket/parse.py",
        "exercises/02_wsgi/close.py",
        "exercises/02_wsgi/environ.py",
    ]
    assert {path.name for path in workspace.root().iterdir()} == {
        "notebooks",
        "exercises",
        "workspace.json",
        ".lock",
    }
    assert workspace.prepare() == workspace.Report()


def test_an_edited_file_is_never_overwritten_and_the_report_says_how_to_get_the_new_one(
    course: Path,
) -> None:
    workspace.prepare()
    mine("exercises/02_wsgi/environ.py").write_text("my work")
    (course / "exercises/02_wsgi/environ.py").write_text("newer stub")
    (course / "exercises/02_wsgi/close.py").write_text("newer stub too")
    assert workspace.outdated() == ["exercises/02_wsgi/environ.py"]
    for _ in range(2):
        report = workspace.prepare()
        assert mine("exercises/02_wsgi/environ.py").read_text() == "my work"
        assert report.newer == ["exercises/02_wsgi/environ.py"]
        assert "`playground reset 02_wsgi/environ.py`" in report.sentence()
    assert mine("exercises/02_wsgi/close.py").read_text() == "newer stub too"


def test_an_edited_file_stays_the_learners_when_the_course_changes_there_and_back(
    course: Path,
) -> None:
    stub = course / "exercises/02_wsgi/close.py"
    workspace.prepare()
    first = stub.read_text()
    stub.write_text("second version")
    workspace.prepare()
    mine("exercises/02_wsgi/close.py").write_text(first)  # the learner goes back to the old text
    report = workspace.prepare()
    assert report == workspace.Report()
    assert mine("exercises/02_wsgi/close.py").read_text() == first


def test_a_chapter_that_was_only_opened_is_refreshed_and_one_with_outputs_is_not(
    course: Path,
) -> None:
    workspace.prepare()
    opened = json.loads(mine("notebooks/01_socket.ipynb").read_text())
    opened["metadata"]["language_info"] = {"name": "python", "version": "3.13.1"}
    mine("notebooks/01_socket.ipynb").write_text(json.dumps(opened))
    ran = notebook(
        "print('two')", outputs=[nbformat.v4.new_output("stream", text="two\n")], execution_count=1
    )
    mine("notebooks/02_wsgi.ipynb").write_text(ran)
    (course / "notebooks/01_socket.ipynb").write_text(notebook("print('one, again')"))
    (course / "notebooks/02_wsgi.ipynb").write_text(notebook("print('two, again')"))
    report = workspace.prepare()
    assert report.refreshed == ["notebooks/01_socket.ipynb"]
    assert report.newer == ["notebooks/02_wsgi.ipynb"]
    assert mine("notebooks/02_wsgi.ipynb").read_text() == ran


def test_a_lost_state_file_makes_every_changed_file_the_learners(course: Path) -> None:
    workspace.prepare()
    mine("exercises/01_socket/parse.py").write_text("my work")
    mine("workspace.json").unlink()
    workspace.prepare()
    (course / "exercises/01_socket/parse.py").write_text("newer stub")
    workspace.prepare()
    assert mine("exercises/01_socket/parse.py").read_text() == "my work"


def test_exercise_path_creates_the_file_from_its_stub_and_then_leaves_it(course: Path) -> None:
    path = workspace.exercise_path("02_wsgi/environ.py")
    assert path.read_text() == "def environ():\n    ...\n"
    path.write_text("my work")
    assert workspace.exercise_path("02_wsgi/environ.py").read_text() == "my work"
    workspace.prepare()
    assert path.read_text() == "my work"


@pytest.mark.parametrize("rel", ["02_wsgi/nothing.py", "../../../etc/passwd", "02_wsgi"])
def test_exercise_path_refuses_what_is_not_an_exercise(course: Path, rel: str) -> None:
    with pytest.raises(WorkspaceError, match=r"(no exercise file|points outside)"):
        workspace.exercise_path(rel)


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("02", ["notebooks/02_wsgi.ipynb", "exercises/02_wsgi/close.py"]),
        ("2", ["notebooks/02_wsgi.ipynb", "exercises/02_wsgi/close.py"]),
        ("02_wsgi", ["notebooks/02_wsgi.ipynb", "exercises/02_wsgi/close.py"]),
        ("02_wsgi.ipynb", ["notebooks/02_wsgi.ipynb"]),
        ("02_wsgi/close.py", ["exercises/02_wsgi/close.py"]),
        ("close", ["exercises/02_wsgi/close.py"]),
    ],
)
def test_reset_replaces_what_was_named_and_keeps_a_backup(
    course: Path, name: str, files: list[str]
) -> None:
    workspace.prepare()
    edited = [
        "notebooks/02_wsgi.ipynb",
        "exercises/02_wsgi/close.py",
        "exercises/01_socket/parse.py",
    ]
    for rel in edited:
        mine(rel).write_text(f"my {rel}")
    done = workspace.reset([name])
    assert done.replaced == files
    assert done.backup is not None
    for rel in edited:
        if rel in files:
            assert mine(rel).read_text() == (course / rel).read_text()
            assert (done.backup / rel).read_text() == f"my {rel}"
        else:
            assert mine(rel).read_text() == f"my {rel}"


def test_two_resets_in_one_second_have_two_backups(course: Path) -> None:
    backups = []
    workspace.prepare()
    for text in ("first", "second"):
        mine("exercises/02_wsgi/close.py").write_text(text)
        backups.append(workspace.reset(["close"]).backup)
    assert [(folder / "exercises/02_wsgi/close.py").read_text() for folder in backups] == [
        "first",
        "second",
    ]


def test_reset_of_an_untouched_file_needs_no_backup(course: Path) -> None:
    workspace.prepare()
    assert workspace.reset(["02"]) == workspace.Reset(None, [])


def test_reset_of_an_unknown_name_is_a_sentence_and_changes_nothing(course: Path) -> None:
    workspace.prepare()
    mine("exercises/02_wsgi/close.py").write_text("my work")
    with pytest.raises(WorkspaceError, match="Nothing in the workspace is called 'wsgy'"):
        workspace.reset(["close", "wsgy"])
    assert mine("exercises/02_wsgi/close.py").read_text() == "my work"


def test_reset_refuses_a_stem_of_two_files(course: Path) -> None:
    (course / "exercises/01_socket/close.py").write_text("another")
    with pytest.raises(WorkspaceError, match=r"01_socket/close.py or exercises/02_wsgi/close.py"):
        workspace.reset(["close"])


def test_reset_all_moves_everything_to_a_backup(course: Path) -> None:
    workspace.prepare()
    mine("exercises/02_wsgi/close.py").write_text("my work")
    mine("notes.txt").write_text("my notes")
    mine("progress.json").write_text("{}")
    done = workspace.reset_all()
    assert done.backup is not None
    assert (done.backup / "exercises/02_wsgi/close.py").read_text() == "my work"
    assert (done.backup / "notes.txt").read_text() == "my notes"
    assert not mine("progress.json").exists()
    assert mine("exercises/02_wsgi/close.py").read_text() == "def close():\n    ...\n"


def test_reset_all_keeps_what_can_be_made_again(course: Path) -> None:
    workspace.prepare()
    mine("cache").mkdir()
    mine("cache/model").write_text("trained")
    done = workspace.reset_all()
    assert mine("cache/model").read_text() == "trained"
    assert not any(name.startswith("cache") for name in done.replaced)


@pytest.mark.parametrize(("version", "remedy"), [(0, "reset --all"), (99, "git pull")])
def test_a_workspace_of_another_format_is_a_sentence_and_is_not_touched(
    course: Path, version: int, remedy: str
) -> None:
    workspace.prepare()
    state = mine("workspace.json")
    state.write_text(json.dumps({"format": version, "files": {}}))
    mine("exercises/02_wsgi/close.py").write_text("my work")
    with pytest.raises(WorkspaceError, match=remedy):
        workspace.prepare()
    assert mine("exercises/02_wsgi/close.py").read_text() == "my work"
    workspace.reset_all()
    assert json.loads(state.read_text())["format"] == workspace.FORMAT


@pytest.mark.parametrize("text", ['{"format": 1,', "[]", '"x"', '{"format": 1}'])
def test_a_damaged_state_file_is_a_sentence(course: Path, text: str) -> None:
    workspace.prepare()
    mine("workspace.json").write_text(text)
    with pytest.raises(WorkspaceError, match=r"(not valid JSON \(line 1\)|reset --all)"):
        workspace.prepare()


def test_a_folder_that_cannot_be_written_is_a_sentence(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = course / "a file"
    blocked.write_text("")
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(blocked))
    with pytest.raises(WorkspaceError, match=r"Cannot write .*a file.*PLAYGROUND_WORKSPACE"):
        workspace.prepare()


def test_read_json_gives_the_default_and_names_the_bad_line(tmp_path: Path) -> None:
    assert workspace.read_json(tmp_path / "none.json", {"a": 1}) == {"a": 1}
    bad = tmp_path / "bad.json"
    bad.write_text('{\n"a": 1,\n"b" 2}')
    with pytest.raises(WorkspaceError, match="line 3"):
        workspace.read_json(bad)
    for unreadable in (tmp_path, bad / "below.json"):
        with pytest.raises(WorkspaceError, match=f"Cannot read {unreadable} "):
            workspace.read_json(unreadable)


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "progress.json"
    workspace.write_json_atomic(path, {"solved": ["a"]})

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(workspace.os, "fsync", full)
    with pytest.raises(WorkspaceError, match="No space left"):
        workspace.write_json_atomic(path, {"solved": []})
    assert json.loads(path.read_text()) == {"solved": ["a"]}
    assert list(tmp_path.iterdir()) == [path]


def _count_up(path: Path, times: int) -> None:
    for _ in range(times):
        with workspace.locked():
            value = workspace.read_json(path, 0)
            workspace.write_json_atomic(path, value + 1)


def test_the_lock_keeps_every_update_of_several_processes(course: Path) -> None:
    counter = mine("counter.json")
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_count_up, args=(counter, 25)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert workspace.read_json(counter) == 100


def test_a_folder_in_the_place_of_an_exercise_is_a_sentence(course: Path) -> None:
    (workspace.root() / "exercises" / "02_wsgi" / "environ.py").mkdir(parents=True)
    with pytest.raises(WorkspaceError, match="should be a file: move it away"):
        workspace.exercise_path("02_wsgi/environ.py")
