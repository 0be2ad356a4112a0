"""Ports for what is started again, or told of its port before it starts."""

import contextlib
import random
import socket

RANGE = 20_000, 32_000  # below those that systems give away: nobody gets one by chance


def free_ports(count: int = 1) -> int:
    """Return the first of ``count`` free ports of 127.0.0.1 in a row."""
    while True:
        first = random.randrange(*RANGE, count)
        with contextlib.ExitStack() as held:
            try:
                for port in range(first, first + count):
                    held.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError:
                continue
            return first
