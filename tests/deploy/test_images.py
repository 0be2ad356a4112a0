"""Images, charts and links: what can be said of them without a container engine or a cluster."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from jupyterhub.app import JupyterHub
from jupyterhub.authenticators.shared import SharedPasswordAuthenticator
from jupyterhub.scopes import scope_definitions
from jupyterhub.services.service import Service
from traitlets.config import Config

from playground import workspace
from playground.lab import CONFIG as LAB_CONFIG
from tests.deploy.conftest import CHECKOUT, HANG_S, Person

pytestmark = pytest.mark.timeout(2 * HANG_S)
VALUES = yaml.safe_load((CHECKOUT / "deploy/values.yaml").read_text())
REPO = "https://host.example/you/course.git"
BIN = Path(sys.executable).parent


def run(*command: str, **env: str) -> str:
    """What a command says that ends well."""
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=CHECKOUT,
        env=os.environ | {"PATH": path} | env,
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=True,
    )
    return done.stdout + done.stderr


def bases(scopes: list[str]) -> set[str]:
    """Scopes without what limits them."""
    return {scope.partition("!")[0] for scope in scopes}


def test_repo2docker_builds_the_environment_and_then_the_workspace() -> None:
    """The Dockerfile that it would give to an engine, in the order that matters."""
    command = ["--no-build", "--debug", "--user-id=1000", "--user-name=jovyan", str(CHECKOUT)]
    said = run(sys.executable, "-m", "repo2docker", *command)
    (python,) = re.findall(r"Building conda environment for python=(\S+)", said)
    environment = yaml.safe_load((CHECKOUT / "environment.yml").read_text())
    assert f"python={python}" in environment["dependencies"]
    steps = [
        r"^ENV NB_PYTHON_PREFIX=",
        r"^COPY .*environment-2epy-2d" + python.replace(".", "-2e"),
        r"^COPY --chown=1000:1000 src/ \$\{REPO_DIR\}/",  # `-e .` needs all of it
        r'env update -p \$\{NB_PYTHON_PREFIX\} --file "environment.yml"',
        r"^RUN \./postBuild",
    ]
    found = [re.search(step, said, re.MULTILINE) for step in steps]
    places = [one.start() if one else None for one in found]
    assert None not in places, dict(zip(steps, places, strict=True))
    assert places == sorted(places)


def test_post_build_makes_what_the_links_open(tmp_path: Path) -> None:
    place, prefix = tmp_path / "workspace", tmp_path / "prefix"
    run("./postBuild", PLAYGROUND_WORKSPACE=str(place), NB_PYTHON_PREFIX=str(prefix))
    assert (place / "notebooks/00_welcome.ipynb").is_file()
    settings = prefix / "share/jupyter/lab/settings"
    shipped = {path.name: path.read_bytes() for path in LAB_CONFIG.glob("*.json")}
    assert {path.name: path.read_bytes() for path in settings.iterdir()} == shipped
    link = run(sys.executable, "deploy/link.py", "--binder", "gh/you/course").strip()
    assert urlsplit(link).path == "/v2/gh/you/course/main"
    opened = urlsplit(link).query.replace("%2F", "/").partition("urlpath=lab/tree/workspace/")[2]
    assert (place / opened).is_file()


def test_nbgitpuller_understands_the_link(learners: tuple[Person, Person]) -> None:
    """As a learner follows it: to their own server, which pulls what the link says."""
    ada, _ = learners
    link = run(sys.executable, "deploy/link.py", "--hub", ada.hub.origin, "--repo", REPO).strip()
    page = ada.browser.get(link).raise_for_status()
    assert page.url.path == "/user/ada/git-pull"
    opened = "lab/tree/course/notebooks/00_welcome.ipynb"
    given = {"repo": REPO, "branch": "main", "targetpath": "course", "path": opened}
    said = dict(re.findall(r'data-(\w+)="([^"]*)"', page.text))
    assert {name: unquote(said[name]) for name in given} == given


@pytest.mark.parametrize(
    "wrong", [["--hub", "hub", "--repo", "repo"], ["--hub", "https://h.example"], []]
)
def test_a_link_that_leads_nowhere_is_not_made(wrong: list[str]) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        run(sys.executable, "deploy/link.py", *wrong)
    assert failed.value.returncode == 2
    assert "give " in failed.value.stderr


def test_what_the_chart_hands_to_jupyterhub_is_understood_by_it() -> None:
    """Not the chart's own keys, which need the chart."""
    hub = VALUES["hub"]
    classes = {one.__name__: one for one in (JupyterHub, SharedPasswordAuthenticator)}
    classes["Authenticator"] = SharedPasswordAuthenticator
    for name, settings in hub["config"].items():
        assert set(settings) <= set(classes[name].class_trait_names(config=True)), name
    SharedPasswordAuthenticator(**hub["config"]["SharedPasswordAuthenticator"])  # judges lengths
    for name, service in hub["services"].items():
        given = {("api_token" if key == "apiToken" else key): service[key] for key in service}
        assert set(given) <= set(Service.class_trait_names(input=True)), name
    for role in hub["loadRoles"].values():
        assert bases(role["scopes"]) <= set(scope_definitions)


def test_both_hubs_give_a_server_the_same_rights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAYGROUND_HUB_FOLDER", str(tmp_path))
    here, chart = Config(), Config()
    source = (CHECKOUT / "deploy/jupyterhub_config.py").read_text()
    exec(source, {"get_config": lambda: here, "__file__": str(CHECKOUT / "deploy/config.py")})
    exec(VALUES["hub"]["extraConfig"]["board"], {"c": chart})
    assert here.Spawner.server_token_scopes == chart.Spawner.server_token_scopes
    assert bases(here.Spawner.server_token_scopes) <= set(scope_definitions)
    assert here.JupyterHub.load_roles == list(VALUES["hub"]["loadRoles"].values())
    assert (
        here.Authenticator.username_pattern
        == VALUES["hub"]["config"]["Authenticator"]["username_pattern"]
    )
    assert here.Spawner.default_url == VALUES["singleuser"]["defaultUrl"]


def test_what_the_chart_starts_is_here() -> None:
    singleuser = VALUES["singleuser"]
    program = Path(singleuser["cmd"][1]).relative_to("/srv/course")
    assert (workspace.checkout() / program).is_file()
    board = VALUES["hub"]["services"]["board"]["url"]
    assert singleuser["extraEnv"]["PLAYGROUND_BOARD"] == f"{board}/services/board"
