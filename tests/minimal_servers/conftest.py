"""A gate for each test, and one plain server for each module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.minimal_servers.serving import Gate, Process, serving


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    gate = Gate(tmp_path / "gate")
    yield gate
    gate.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Process]:
    """One process, one thread, shared by the tests of a module; it must survive all of them."""
    with serving() as server:
        worker = server.get("/pid").body
        yield server
        assert server.get("/pid").body == worker, f"the worker was replaced: {server.log()}"
