"""A list in order of the deadlines, and a queue of those that are due."""

from bisect import insort


def run(generators, now, wait):
    start = now()
    sleeping = [(start, generator) for generator in generators]
    while sleeping:
        while sleeping[0][0] > now():
            wait(sleeping[0][0] - now())
        _, generator = sleeping.pop(0)
        for seconds in generator:
            insort(sleeping, (now() + max(seconds, 0.0), generator), key=lambda entry: entry[0])
            break
