# Lists those as well who did not wait at all during the step.
# Message: {1: 0.0, 2: 50000.0}
# Message: who is READY, or in the QUEUE

"""Who held the loop? Read it from the records of a run, as the timeline does."""

Record = tuple[str, int, int, float, float]


def find_blocking(
    records: list[Record], limit_us: float
) -> list[tuple[int, float, dict[int, float]]]:
    """Return who held a loop for `limit_us` or longer in one step, and whom that made wait."""
    loops: dict[int, int] = {}
    for kind, lane, request, _, _ in records:
        if kind == "STEP":
            loops.setdefault(request, lane)

    waits = []  # (lane, request, begin, end)
    for kind, lane, request, begin, duration in records:
        if kind == "READY":
            waits.append((lane, request, begin, begin + duration))
        elif kind == "QUEUE" and request in loops:
            waits.append((loops[request], request, begin, begin + duration))

    found = []
    for kind, lane, request, begin, duration in records:
        if kind == "STEP" and duration >= limit_us:
            waited: dict[int, float] = {}
            for place, other, start, end in waits:
                both = min(end, begin + duration) - max(start, begin)
                if place == lane:
                    waited[other] = waited.get(other, 0.0) + max(0.0, both)
            found.append((request, duration, waited))
    return found
