"""The doctor names what is wrong, with a remedy, and changes nothing."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground import doctor, workspace


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "workspace"
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(folder))
    return folder


def test_a_look_at_this_machine_finds_no_problem_and_changes_nothing(place: Path) -> None:
    findings = list(doctor.examine())
    assert [one for one in findings if one.state == "problem"] == []
    assert {"Python", "packages", "loopback", "fork", "kernel", "workspace", "disk", "nc"} <= {
        one.name for one in findings
    }
    assert not place.exists()


def test_everything_that_is_not_ok_has_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    findings = [doctor.program("wrk", "install it."), doctor.disk(room=10**18), doctor.packages()]
    assert [one.state for one in findings[:2]] == ["note", "note"]
    assert all(one.remedy for one in findings if one.state != "ok")


def test_another_version_of_a_package_is_a_note(tmp_path: Path) -> None:
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("flask==0.0.1\nnot-installed-here==1.0\n")
    finding = doctor.packages(constraints)
    assert finding.state == "note"
    assert "flask" in finding.detail
    assert "(tested: 0.0.1)" in finding.detail
    assert "not-installed-here" not in finding.detail


def test_a_missing_package_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    real = doctor._installed
    monkeypatch.setattr(doctor, "_installed", lambda name: None if name == "flask" else real(name))
    finding = doctor.packages()
    assert (finding.state, finding.detail) == ("problem", "missing: flask")
    assert "make lab" in finding.remedy


def test_a_machine_that_forbids_listening_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> Iterator[socket.socket]:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(doctor.socket, "create_server", refuse)
    assert doctor.loopback().state == "problem"


def test_a_machine_out_of_processes_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refuse)
    assert "ulimit" in doctor.fork().remedy


@pytest.mark.parametrize("version", [0, 99])
def test_a_workspace_of_another_format_is_a_problem(place: Path, version: int) -> None:
    workspace.write_json_atomic(place / "workspace.json", {"format": version, "files": {}})
    finding = doctor.learners_workspace()
    assert finding.state == "problem"
    assert finding.remedy


def test_a_newer_python_than_the_tested_ones_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "NEWEST_TESTED", (3, 10))
    assert doctor.python().state == "note"


def test_a_kernel_that_does_not_start_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor.sys, "executable", "/bin/false")
    finding = doctor.kernel()
    assert (finding.state, finding.name) == ("problem", "kernel")


def test_a_damaged_progress_file_is_a_problem_and_is_left_as_it_is(place: Path) -> None:
    place.mkdir()
    (place / "progress.json").write_text('{"exer')
    finding = doctor.learners_workspace()
    assert finding.state == "problem"
    assert "not valid JSON" in finding.detail
    assert "repair it" in finding.remedy
    assert (place / "progress.json").read_text() == '{"exer'
