# Waits for each generator as soon as it asks: nobody else has a turn meanwhile.
# Message: came back bread at 0, wait 30, pie at 30
# Message: expected bread at 0, pie at 0, tea at 0, wait 4

from collections import deque


def run(generators, now, wait):
    ready = deque(generators)
    while ready:
        generator = ready.popleft()
        seconds = next(generator, None)
        if seconds is None:
            continue
        end = now() + seconds
        while now() < end:
            wait(end - now())
        ready.append(generator)
