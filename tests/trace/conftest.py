import time

import pytest

from playground.trace.collector import Collector
from playground.trace.records import run_tag
from playground.trace.sender import Sender

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
RUN = run_tag(TRACE_ID)


@pytest.fixture
def collector():
    with Collector() as made:
        made.begin(TRACE_ID)
        yield made


@pytest.fixture
def sender(collector):
    return Sender(collector.path)


@pytest.fixture
def until():
    """Wait for a condition; the deadline only stops a hang."""

    def wait(condition, what="the condition"):
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, f"waited 60 s for {what}"
            time.sleep(0.002)

    return wait
