"""The guard alone: what becomes of a server that is not wanted any more as it begins."""

import os
import subprocess
import sys

import pytest

from playground.setups import guard

HANG_S = 100  # only a hang takes longer


@pytest.mark.parametrize("word", [b"", b"."], ids=["the caller has died", "on purpose"])
def test_a_server_that_is_ended_as_it_begins_hears_of_it(tmp_path, word):
    reader, writer = os.pipe()
    server = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
    program = [sys.executable, "-I", "-S", guard.__file__, str(writer), str(tmp_path / "none")]
    try:
        subprocess.run(
            [*program, *server], input=word, pass_fds=(writer,), timeout=HANG_S, check=True
        )
    finally:
        os.close(writer)
    with os.fdopen(reader) as told:
        assert told.read().splitlines()[1:] == ["exit -15"]  # and not by SIGKILL, seconds later
