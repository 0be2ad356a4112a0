"""The Makefile finds a Python, says one sentence when there is none, and installs only when needed.

The Pythons here are shell scripts that note how they were called.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
TOOLS = ("sh", "touch", "rm", "awk", "mkdir", "cp", "chmod", "cat")
NAMES = ("python3.13", "python3.12", "python3.11", "python3", "python")
# An acceptable Python: `-m venv DIR` copies itself into DIR/bin.
GOOD = """#!/bin/sh
echo "$0 $*" >> "$LOG"
if [ "$1 $2" = "-m venv" ]; then mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; fi
"""
OLD = "#!/bin/sh\nexit 1\n"
NO_VENV = '#!/bin/sh\nif [ "$1 $2" = "-m venv" ]; then exit 1; fi\n'


class Machine:
    """A checkout and a PATH with nothing but the tools and the Pythons that are put there."""

    def __init__(self, folder: Path) -> None:
        self.course, self.bin, self.log = folder / "course", folder / "bin", folder / "log"
        self.course.mkdir()
        self.bin.mkdir()
        for name in ("Makefile", "pyproject.toml", "constraints.txt"):
            shutil.copy(CHECKOUT / name, self.course / name)
        for name in TOOLS:
            found = shutil.which(name)
            assert found is not None
            (self.bin / name).symlink_to(found)
        for name in NAMES:  # hides what the machine has
            self.python(name, OLD)

    def python(self, name: str, script: str) -> None:
        path = self.bin / name
        path.write_text(script)
        path.chmod(0o755)

    def make(self, *args: str) -> subprocess.CompletedProcess[str]:
        make = shutil.which("make")
        assert make is not None
        env = {"PATH": str(self.bin), "LOG": str(self.log)}
        return subprocess.run(
            [make, *args], cwd=self.course, env=env, capture_output=True, text=True, check=False
        )

    def calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_without_a_python_there_is_one_clear_sentence(machine: Machine) -> None:
    done = machine.make("lab")
    assert done.returncode != 0
    sentence, *rest = done.stderr.splitlines()
    assert sentence.startswith("The course needs Python 3.11 or newer: install it")
    assert all(line.startswith("make: ***") for line in rest)
    assert not (machine.course / ".venv").exists()


@pytest.mark.parametrize("name", NAMES)
def test_any_name_of_a_good_python_will_do(machine: Machine, name: str) -> None:
    machine.python(name, GOOD)
    done = machine.make("lab")
    assert done.returncode == 0, done.stderr
    assert any(call.endswith(f"{name} -m venv .venv") for call in machine.calls())
    assert machine.calls()[-1] == ".venv/bin/python -m playground lab"


def test_a_named_python_comes_first(machine: Machine) -> None:
    machine.python("python3.13", GOOD)
    machine.python("mine", GOOD)
    machine.make("lab", "PYTHON=mine")
    assert any(call.endswith("/mine -m venv .venv") for call in machine.calls())


def test_a_python_without_venv_is_one_sentence_and_leaves_nothing(machine: Machine) -> None:
    machine.python("python3", NO_VENV)
    done = machine.make("test")
    assert done.returncode != 0
    assert "install its venv package" in done.stderr
    assert not (machine.course / ".venv").exists()


def test_it_installs_once_and_again_when_the_versions_change(machine: Machine) -> None:
    machine.python("python3", GOOD)
    for _ in range(2):
        machine.make("lab")
    installs = [call for call in machine.calls() if "pip install" in call]
    assert len(installs) == 1
    assert installs[0].endswith("-e .[dev] -c constraints.txt")
    stamp = machine.course / ".venv/.installed"
    os.utime(stamp, (1, 1))
    machine.make("lab")
    calls = machine.calls()
    assert len([call for call in calls if "pip install" in call]) == 2
    assert len([call for call in calls if "-m venv" in call]) == 1


def test_a_failed_install_is_tried_again(machine: Machine) -> None:
    machine.python("python3", GOOD + 'case "$*" in *"pip install"*) exit 1;; esac\n')
    assert machine.make("lab").returncode != 0
    assert not (machine.course / ".venv/.installed").exists()
    assert not any("playground lab" in call for call in machine.calls())


def test_a_broken_environment_is_made_anew(machine: Machine) -> None:
    machine.python("python3", GOOD)
    broken = machine.course / ".venv/bin/python"
    broken.parent.mkdir(parents=True)
    broken.write_text(OLD)
    broken.chmod(0o755)
    assert machine.make("lab").returncode == 0
    assert machine.calls()[-1] == ".venv/bin/python -m playground lab"


def test_help_names_every_command_and_needs_no_python(machine: Machine) -> None:
    said = machine.make().stdout
    for target in ("lab", "test", "check", "bench", "doctor", "clean"):
        assert f"make {target}" in said


@pytest.mark.parametrize("extra", ["torch", "tensorflow"])
def test_a_large_package_is_installed_when_asked_for(machine: Machine, extra: str) -> None:
    machine.python("python3", GOOD)
    assert machine.make(f"lab-{extra}").returncode == 0
    *_, install, lab = machine.calls()
    assert install.endswith(f"-e .[{extra}] -c constraints.txt")
    assert lab == ".venv/bin/python -m playground lab"
