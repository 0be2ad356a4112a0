# Looks at those who sleep only when nobody is ready.
# Message: dough yields 0 after a turn of 1 s
# Message: came back dough at 0, egg at 1, dough at 1, dough at 2, dough at 3
# Message: nudge Is somebody who sleeps looked at while another one has always something to do?

import heapq
from collections import deque
from itertools import count


def run(generators, now, wait):
    number = count()
    ready = deque(generators)
    sleeping = []
    while ready or sleeping:
        if not ready:
            time = now()
            while sleeping and sleeping[0][0] <= time:
                ready.append(heapq.heappop(sleeping)[2])
            if not ready:
                wait(sleeping[0][0] - time)
                continue
        generator = ready.popleft()
        seconds = next(generator, None)
        if seconds is None:
            continue
        if seconds <= 0:
            ready.append(generator)
        else:
            heapq.heappush(sleeping, (now() + seconds, next(number), generator))
