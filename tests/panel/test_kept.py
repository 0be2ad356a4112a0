"""What is kept: files that open again, names that are taken, disks that are full."""

import csv
import errno
import json
import os
from pathlib import Path

import pytest

from playground import ServeError, Trace
from playground.load.interleaved import Comparison
from playground.load.reopen import run_of
from playground.panel import kept
from tests.views.traces import restaurant


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(tmp_path))
    return tmp_path / "runs"


@pytest.fixture
def run():
    return run_of(restaurant())


@pytest.fixture
def comparison(run):
    return Comparison("/slow", ["one", "other"], [[run, run], [run, run]])


def test_a_run_is_saved_and_opened_again(run, folder):
    path = kept.save(run, "monday")
    assert path == folder / "monday.trace"
    again, note = kept.open_again("monday.trace")
    assert note == ""
    assert again.summary() == run.summary()
    assert kept.open_again(str(path))[0].summary() == run.summary()
    assert kept.names() == ["monday.trace"]


def test_a_comparison_is_saved_and_opened_again(comparison, folder):
    path = kept.save(comparison, "both")
    assert path == folder / "both.compare"
    again, _ = kept.open_again("both.compare")
    assert again.summary() == comparison.summary()
    assert again.names == ["one", "other"]
    assert kept.open_again("both")[0].names == again.names  # as it was named
    path.write_bytes(b"PK")
    with pytest.raises(ServeError, match="is no comparison of this playground"):
        kept.open_again("both")


def test_a_taken_name_is_refused_and_a_free_one_found(run):
    kept.save(run, "monday")
    with pytest.raises(ServeError, match=r"monday\.trace exists already: choose another name"):
        kept.save(run, "monday")
    assert kept.free("monday") == "monday-2"
    assert kept.free("monday", ".html") == "monday"
    assert kept.free("tuesday") == "tuesday"


@pytest.mark.parametrize("name", ["", "  ", "../monday", "a/b", ".hidden"])
def test_what_is_no_name_is_refused(run, name):
    with pytest.raises(ServeError, match="A name is a word"):
        kept.save(run, name)


def test_a_name_that_no_disk_takes_is_refused(run):
    with pytest.raises(ServeError, match="has 300 letters: choose a shorter one"):
        kept.save(run, "x" * 300)


def test_a_file_that_was_cut_short_opens_with_a_note(run):
    path = kept.save(run, "cut")
    path.write_bytes(path.read_bytes()[:-10])
    again, note = kept.open_again("cut.trace")
    assert "was cut short" in note
    assert len(again.trace.records) == len(run.trace.records) - 1


def test_what_is_no_file_of_ours_is_a_sentence(comparison, folder):
    with pytest.raises(ServeError, match="Choose a file"):
        kept.open_again(" ")
    with pytest.raises(ServeError, match=r"There is no file .*nothing\.trace"):
        kept.open_again("nothing.trace")
    path = kept.save(comparison, "both")
    path.write_bytes(path.read_bytes().replace(kept.INDEX.encode(), b"something.json"))
    with pytest.raises(ServeError, match="is no comparison of this playground"):
        kept.open_again("both.compare")


STARTS = {
    "html": b"<!DOCTYPE html>",
    "png": b"\x89PNG",
    "svg": b"<svg",
    "json": b"{",
    "csv": b"run,round,request",
}


def test_a_run_is_exported_in_every_format(run):
    assert list(STARTS) == list(kept.FORMATS)
    for ending, start in STARTS.items():
        path = kept.export(run, ending, "monday")
        assert path.name == f"monday.{ending}"
        assert path.read_bytes().startswith(start)
    assert json.loads((path.parent / "monday.json").read_text())["traceEvents"]
    assert len(list(csv.reader(path.open()))) == 1 + len(run.replies)


def test_a_comparison_is_exported_in_every_format_but_that_of_one_run(comparison):
    for ending in ("html", "png", "svg", "csv"):
        assert kept.export(comparison, ending, "both").stat().st_size > 0
    with pytest.raises(ServeError, match="Perfetto shows one run"):
        kept.export(comparison, "json", "both")
    with pytest.raises(ServeError, match="There is no format 'doc'"):
        kept.export(comparison, "doc", "both")


@pytest.mark.parametrize("ending", ["", *kept.FORMATS])
def test_a_full_disk_is_a_sentence_and_leaves_no_file(run, folder, monkeypatch, ending):
    kept.folder()

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises((ServeError, ValueError), match="No space left on device"):
        kept.export(run, ending, "monday") if ending else kept.save(run, "monday")
    assert list(folder.iterdir()) == []


def test_a_saved_run_is_a_trace_of_the_command_line(run):
    assert Trace.load(kept.save(run, "monday")).meta == run.trace.meta
