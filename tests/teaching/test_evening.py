"""`playground doctor --class`: each thing that can spoil the morning is found, with a remedy."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from playground import doctor, workspace
from playground.doctor import Finding
from playground.teaching import evening

NAMES = [
    "Python", "packages", "clock", "loopback", "proxies", "port 8888", "port 8770", "port 8866",
    "fork", "processors", "memory", "disk", "open files", "slides", "chromium", "kernel",
    "exercise",
]  # fmt: skip


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "workspace"
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(folder))
    return folder


@pytest.mark.timeout(300)
def test_this_machine_can_teach_and_is_not_changed(place: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "playground", "doctor", "--class", "--json"],
        capture_output=True,
        text=True,
        timeout=240,
    )
    findings = json.loads(done.stdout)
    assert [one["name"] for one in findings] == NAMES
    assert [one for one in findings if one["state"] == "problem"] == []
    assert (done.returncode, done.stderr) == (0, "")
    assert all(one["remedy"] for one in findings if one["state"] != "ok")
    assert not place.exists()


def test_other_versions_are_a_problem_in_a_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "packages", lambda: Finding("packages", "note", "other", "this"))
    assert evening.pinned() == Finding("packages", "problem", "other", "this")


def test_a_clock_that_is_behind_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    assert evening.clock().state == "ok"
    monkeypatch.setattr(evening.time, "time", lambda: 1.0)
    found = evening.clock()
    assert (found.state, "written later" in found.detail) == ("problem", True)


def test_a_proxy_that_takes_loopback_is_noticed_and_its_remedy_helps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in (*evening.PROXIES, "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    assert evening.proxies().state == "ok"
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    found = evening.proxies()
    assert (found.state, "http_proxy set" in found.detail) == ("note", True)
    assert "no_proxy=127.0.0.1,localhost" in found.remedy
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    assert evening.proxies().state == "ok"
    monkeypatch.delenv("no_proxy")
    monkeypatch.setenv("http_proxy", "not an address")
    assert evening.proxies().state == "note"


def test_a_loopback_that_does_not_answer_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evening, "_reaches", lambda port, trust_env: False)
    assert evening.proxies().state == "problem"


def test_a_port_that_is_taken_is_a_note() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        found = evening.free_port(port, "playground classroom", "name another")
    assert (found.name, found.state) == (f"port {port}", "note")
    assert "playground classroom" in found.detail


def test_many_learners_want_more_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    assert [evening.processors(n).state for n in (1, 4, 5)] == ["ok", "ok", "note"]

    class Little:
        available = free = 2e9

    monkeypatch.setattr(psutil, "virtual_memory", Little)
    monkeypatch.setattr(psutil, "disk_usage", lambda path: Little)
    assert [evening.memory(n).state for n in (1, 2, 3)] == ["ok", "ok", "problem"]
    assert [evening.disk(n).state for n in (1, 10, 11)] == ["ok", "ok", "problem"]


def test_a_wheelhouse_without_wheels_names_what_is_missing(tmp_path: Path) -> None:
    assert evening.wheels(tmp_path / "nowhere").detail.endswith("is no folder")
    found = evening.wheels(tmp_path)
    assert found.state == "problem"
    assert "No matching distribution found for" in found.detail
    assert "pip download -d wheelhouse" in found.remedy


def test_what_the_desk_needs_is_asked_of_the_wheelhouse() -> None:
    wanted = evening._required()
    assert {"jupyterlab<5,>=4.6", "pytest", "sphinx-revealjs"} <= set(wanted)
    assert not any(one.startswith((doctor.DISTRIBUTION, "torch")) for one in wanted)


def test_a_grader_that_passes_everything_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    from playground import grading

    class Passed:
        passed = True

    monkeypatch.setattr(grading, "grade", lambda exercise, path: Passed)
    found = evening.graded()
    assert (found.state, "playground check" in found.remedy) == ("problem", True)


def test_options_of_the_evening_go_with_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "playground", "doctor", "--learners", "3"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "go with --class" in done.stderr


def test_the_remedies_fit_a_terminal() -> None:
    assert workspace.checkout().is_dir()
    for found in (evening.processors(500), evening.memory(10**6), evening.disk(10**6)):
        assert found.remedy.endswith(".")
        assert len(found.remedy) < 160
