"""The hub's end, after everything else in this folder: nothing of it is left."""

from __future__ import annotations

import socket

import psutil
import pytest

from tests.deploy.conftest import HANG_S, PORTS, Hub, Person

pytestmark = pytest.mark.timeout(2 * HANG_S)


def test_ctrl_c_leaves_nothing(hub: Hub, learners: tuple[Person, Person]) -> None:
    for one in learners:
        one.new_kernel()
    before = hub.descendants()
    said = " ".join(" ".join(one.cmdline()) for one in before)
    for part in (
        "configurable-http-proxy",
        "deploy/board.py",
        "jupyterhub.singleuser",
        "ipykernel_launcher",
    ):
        assert part in said
    hub.stop()
    _, left = psutil.wait_procs(before, timeout=HANG_S)
    assert left == []
    for port in range(hub.port, hub.port + PORTS):
        socket.create_server(("127.0.0.1", port)).close()
    assert sorted(path.name for path in hub.place.iterdir()) == ["home", "hub", "log", "tmp"]
    assert list(hub.home.iterdir()) == []
    assert list(hub.temporary.iterdir()) == []
    kept = {"board", "cookie_secret", "homes", "jupyterhub.sqlite", "passwords.json"}
    assert {path.name for path in hub.folder.iterdir()} == kept
    assert (hub.folder / "passwords.json").stat().st_mode & 0o077 == 0
