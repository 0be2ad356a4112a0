"""What the tests of loads share."""

import threading
from collections.abc import Callable

import pytest

FOR_LIFE = "_run_safe_shutdown_loop"  # one of pycares (by aiohttp), from its first use on


@pytest.fixture
def threads() -> Callable[[], set[threading.Thread]]:
    """A function that returns the threads that run, but for those that stay for life."""
    return lambda: {one for one in threading.enumerate() if FOR_LIFE not in one.name}
