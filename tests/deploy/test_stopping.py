"""The hub's end, after everything else in this folder: nothing of it is left."""

from __future__ import annotations

import socket

import psutil
import pytest

from tests.deploy.conftest import HANG_S, PORTS, Hub, Person, wait

pytestmark = pytest.mark.timeout(2 * HANG_S)


def test_a_hub_that_crashed_finds_its_servers_again(
    hub: Hub, learners: tuple[Person, Person]
) -> None:
    ada, _ = learners
    kernel = ada.new_kernel()
    ada.execute(kernel, ["kept = 41"])
    hub.crash()
    assert ada.execute(kernel, ["print(kept + 1)"]) == ["42\n"]
    assert ada.api.post("/services/board/join").json() == {"learner": "ada"}


def command(process: psutil.Process) -> list[str]:
    """What it was started with; nothing of one that has just ended."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def test_ctrl_c_leaves_nothing(hub: Hub, learners: tuple[Person, Person]) -> None:
    for one in learners:
        one.new_kernel()
    commands = {part for one in hub.everything() for part in command(one)}
    for part in (
        "configurable-http-proxy",
        "deploy/board.py",
        "jupyterhub.singleuser",
        "ipykernel_launcher",
    ):
        assert any(part in one for one in commands), commands
    hub.stop()
    wait(lambda: not hub.everything(), "the end of all that came from the hub")
    for port in range(hub.port, hub.port + PORTS):
        socket.create_server(("127.0.0.1", port)).close()
    assert sorted(path.name for path in hub.place.iterdir()) == ["home", "hub", "log", "tmp"]
    assert list(hub.home.iterdir()) == []
    assert list(hub.temporary.iterdir()) == []
    kept = {"board", "cookie_secret", "homes", "jupyterhub.sqlite", "passwords.json"}
    assert {path.name for path in hub.folder.iterdir()} == kept
    assert (hub.folder / "passwords.json").stat().st_mode & 0o077 == 0
