"""Two learners on a hub that was started from `deploy/`: a working chapter each, and no more."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path

import httpx
import nbformat
import pytest
from websockets.exceptions import InvalidStatus

from playground.lab import CONFIG as LAB_CONFIG
from tests.deploy.conftest import HANG_S, Hub, Person, web_socket

pytestmark = pytest.mark.timeout(2 * HANG_S)
CHAPTER = "notebooks/02_wsgi.ipynb"
ANSWER = "exercises/02_wsgi/environ.py"
Both = tuple[Person, Person]


def code_cells(person: Person) -> list[str]:
    """The chapter's code cells, as the learner's server hands them out."""
    answer = person.api.get(f"/user/{person.name}/api/contents/{CHAPTER}")
    notebook = nbformat.from_dict(answer.raise_for_status().json()["content"])
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def test_both_learners_run_chapter_02(learners: Both) -> None:
    def run(person: Person) -> list[str]:
        return person.execute(person.new_kernel(), code_cells(person))

    with ThreadPoolExecutor() as pool:
        outputs = list(pool.map(run, learners))
    for said in outputs:
        assert any("not solved yet" in text for text in said)  # the graders ran
        assert any("first byte of the body after" in text for text in said)  # and a server did


def test_each_learner_has_a_workspace_and_a_kernel_of_their_own(learners: Both) -> None:
    ada, grace = learners
    where = "import os, sys; print(os.environ['PLAYGROUND_WORKSPACE'], os.getcwd(), sys.executable)"
    seen = [one.execute(one.new_kernel(), [where])[0].split() for one in learners]
    for one, (workspace, cwd, python) in zip(learners, seen, strict=True):
        assert Path(workspace) == one.workspace()
        assert Path(cwd) == one.workspace() / "notebooks"
        assert python == sys.executable
    assert ada.workspace() != grace.workspace()


def test_the_lab_has_the_settings_of_the_course(learners: Both) -> None:
    ada, _ = learners
    shipped = [name for name in (LAB_CONFIG / "overrides.json").read_text().split('"') if name]
    settings = ada.api.get("/user/ada/lab/api/settings").raise_for_status().json()["settings"]
    tracker = next(one for one in settings if one["id"].endswith("notebook-extension:tracker"))
    assert "autoStartDefaultKernel" in shipped
    assert tracker["schema"]["properties"]["autoStartDefaultKernel"]["default"] is True
    kernels = ada.api.get("/user/ada/api/kernelspecs").json()["kernelspecs"]
    assert list(kernels) == ["python3"]


def test_nobody_gets_into_the_server_of_somebody_else(learners: Both) -> None:
    ada, grace = learners
    theirs = grace.new_kernel()
    page, files = f"/user/{grace.name}/lab", f"/user/{grace.name}/api/contents/{CHAPTER}"
    assert ada.api.get(files).status_code == HTTPStatus.FORBIDDEN
    assert ada.api.delete(theirs.removesuffix("/channels")).status_code == HTTPStatus.FORBIDDEN
    assert ada.browser.get(page).status_code == HTTPStatus.FORBIDDEN
    with pytest.raises(InvalidStatus) as refused:
        web_socket(ada.hub.port, theirs, ada.headers)
    assert refused.value.response.status_code == HTTPStatus.FORBIDDEN
    assert grace.api.get(files).status_code == HTTPStatus.OK
    grace.execute(theirs, ["1"])  # and the kernel lives


def test_what_a_kernel_holds_opens_nothing_of_others(hub: Hub, learners: Both) -> None:
    ada, grace = learners
    (token,) = ada.execute(
        ada.new_kernel(), ["import os; print(os.environ['JUPYTERHUB_API_TOKEN'])"]
    )
    held = {"Authorization": f"token {token.strip()}"}
    me = httpx.get(f"{hub.origin}/hub/api/user", headers=held, timeout=HANG_S).json()
    assert me["name"] == ada.name
    for path in (
        f"/user/{grace.name}/api/contents",
        f"/hub/api/users/{grace.name}",
        "/hub/api/users",
        "/hub/api/services",
    ):
        answer = httpx.get(f"{hub.origin}{path}", headers=held, timeout=HANG_S)
        assert answer.status_code in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND), path


@pytest.mark.parametrize("path", ["/user/ada/api/contents", "/hub/api/user", "/hub/api/users/ada"])
def test_a_wrong_token_opens_nothing(hub: Hub, learners: Both, path: str) -> None:
    answer = httpx.get(
        f"{hub.origin}{path}", headers={"Authorization": "token " + "0" * 32}, timeout=HANG_S
    )
    assert answer.status_code == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("name", ["eve", "instructor"])
def test_a_wrong_password_is_refused(hub: Hub, name: str) -> None:
    passwords = hub.passwords
    hub.passwords = passwords | {"learners": passwords["learners"] + "x"}
    try:
        with pytest.raises(httpx.HTTPStatusError, match="403"):
            Person(hub, name)
    finally:
        hub.passwords = passwords


@pytest.mark.parametrize("name", ["../eve", "Eve Smith", "-eve", "0", "e" * 33])
def test_a_name_that_is_no_folders_name_is_refused(hub: Hub, name: str) -> None:
    with pytest.raises(httpx.HTTPStatusError, match=r"40[03]"):
        Person(hub, name)
    assert not list(hub.folder.rglob("eve*"))


def test_a_new_server_leaves_the_learners_work_alone(learners: Both) -> None:
    ada, _ = learners
    mine = "def environ():\n    return 'mine'\n"
    ada.api.put(
        f"/user/ada/api/contents/{ANSWER}",
        json={"type": "file", "format": "text", "content": mine},
    ).raise_for_status()
    (ada.workspace() / "notebooks/01_socket.ipynb").unlink()
    ada.stop_server()
    ada.ask_for_server()
    ada.wait_for_server()
    assert (ada.workspace() / ANSWER).read_text() == mine
    assert (ada.workspace() / "notebooks/01_socket.ipynb").is_file()
