"""pyproject.toml, environment.yml, constraints.txt and .ci/run say the same."""

from __future__ import annotations

import re
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
ENVIRONMENT = yaml.safe_load((CHECKOUT / "environment.yml").read_text())
CONSTRAINTS = (CHECKOUT / "constraints.txt").read_text().splitlines()


def normal(requirement: str) -> str:
    name = re.match(r"[\w.-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def test_conda_installs_what_pip_installs() -> None:
    (pip,) = [entry["pip"] for entry in ENVIRONMENT["dependencies"] if isinstance(entry, dict)]
    assert [entry for entry in pip if not entry.startswith("-")] == PROJECT["dependencies"]
    assert pip[:2] == ["-c constraints.txt", "-e ."]


def test_conda_takes_a_python_that_is_tested() -> None:
    """The oldest: what is written for it runs on all of them."""
    oldest = PROJECT["requires-python"].removeprefix(">=")
    assert f"python={oldest}" in ENVIRONMENT["dependencies"]
    assert f"Programming Language :: Python :: {oldest}" in PROJECT["classifiers"]


def test_every_direct_dependency_has_a_tested_version() -> None:
    wanted = {normal(one) for one in PROJECT["dependencies"] + EXTRAS["deploy"] + EXTRAS["dev"]}
    assert wanted - {PROJECT["name"]} <= {normal(line) for line in CONSTRAINTS}


def test_constraints_are_exact_and_name_no_registry() -> None:
    for line in CONSTRAINTS:
        assert re.fullmatch(r"[\w.-]+==[\w.]+( ; .+)?", line), line


def test_everything_that_is_needed_here_has_a_tested_version() -> None:
    tested = {normal(line) for line in CONSTRAINTS}
    seen: set[str] = set()
    todo = [PROJECT["name"], *EXTRAS["deploy"]]
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        for line in metadata.requires(name) or []:
            needed = normal(line)
            if "extra ==" not in line and _is_installed(needed):
                todo.append(needed)
    assert seen - tested - {PROJECT["name"]} == set()


def test_the_scripts_are_clean_shell() -> None:
    for shell, name in (("bash", ".ci/run"), ("bash", "postBuild")):
        subprocess.run([shell, "-n", name], cwd=CHECKOUT, check=True)


def test_ci_runs_the_commands_that_the_readme_names() -> None:
    readme = (CHECKOUT / "README.md").read_text()
    script = (CHECKOUT / ".ci/run").read_text()
    for command in ("make test", "make check"):
        assert command in readme
        assert command in script


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
