"""An interrupt that comes where Python forgets it."""

import subprocess
import sys

import pytest

HANG_S = 100  # only a hang takes longer
WEAK = """
cup = Cup()
seen = weakref.ref(cup, lambda _: interrupted())
del cup
"""
DELETED = """
Cup.__del__ = lambda _: interrupted()
Cup()
"""
PROGRAM = """
import signal, time, weakref
from playground.interrupts import hear_everywhere

class Cup:
    pass

def interrupted():
    signal.raise_signal(signal.SIGINT)
    print("not here")

hear_everywhere()
try:
    {code}
    print("forgotten", flush=True)
    time.sleep({hang})
except KeyboardInterrupt:
    print("heard")
"""


@pytest.mark.parametrize("code", [WEAK, DELETED], ids=["weak reference", "__del__"])
def test_an_interrupt_in_a_callback_is_heard(code: str) -> None:
    program = PROGRAM.format(code=code.strip().replace("\n", "\n    "), hang=HANG_S)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=2 * HANG_S
    )
    assert (done.stdout, done.stderr) == ("forgotten\nheard\n", "")


def test_other_exceptions_are_told_as_ever() -> None:
    code = """
from playground.interrupts import hear_everywhere
class Cup:
    def __del__(self):
        raise ValueError("soup")
hear_everywhere()
Cup()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=HANG_S
    )
    assert done.returncode == 0
    assert "ValueError: soup" in done.stderr
