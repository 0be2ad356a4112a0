"""What the tests of loads share."""

import threading
from collections.abc import Callable

import pytest

FOR_LIFE = "_run_safe_shutdown_loop"  # one of pycares (by aiohttp), from its first use on


def running() -> set[threading.Thread]:
    """The threads that run, but for those that stay for life."""
    return {one for one in threading.enumerate() if FOR_LIFE not in one.name}


@pytest.fixture
def threads() -> Callable[[], set[threading.Thread]]:
    return running
