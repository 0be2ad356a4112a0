"""Who held the loop? Read it from the records of a run, as the timeline does.

A record is a tuple (kind, lane, request, begin_us, dur_us). Times are in microseconds on one clock,
`request` is the number of a request, `lane` the number of a line of the timeline. These kinds are
there, in order of `begin_us`:

- QUEUE: the client has sent the request, and no server has begun with it. Its lane is 0: while it
  stands in the line, nobody can know which loop will take it.
- REQUEST: the call of the application, from beginning to end. The lane is that of the loop.
- STEP: the loop runs a task of this request, up to its next await. The lane is that of the loop.
- AWAIT: the request waits for something else: a timer, a socket, a thread.
- READY: the request could go on, and its loop is at something else. The lane is that of the loop.
- WORKER: a thread of the pool runs a function for this request. The lane is that of the thread.

Each process has one loop, and each loop has a lane. There may be several. Records are exact, but
one: a READY may have begun earlier than the loop could see, so times of waiting are lower bounds.

    records = [
        ("QUEUE", 0, 1, 0.0, 500.0),
        ("REQUEST", 1, 1, 500.0, 150_000.0),
        ("STEP", 1, 1, 500.0, 150_000.0),         # 0.15 s without an await
        ("QUEUE", 0, 2, 100_500.0, 50_200.0),     # sent in the middle of it
        ("REQUEST", 1, 2, 150_700.0, 300.0),
        ("STEP", 1, 2, 150_700.0, 300.0),
    ]
    find_blocking(records, 100_000.0) == [(1, 150_000.0, {2: 50_000.0})]
"""

Record = tuple[str, int, int, float, float]


def find_blocking(
    records: list[Record], limit_us: float
) -> list[tuple[int, float, dict[int, float]]]:
    """Return who held a loop for `limit_us` or longer in one step, and whom that made wait.

    One tuple (request, held_us, waited) for each such step, in order of their beginning. A request
    with two such steps is there twice.

    `waited` maps the number of a request to how long it waited *during this step* for *this loop*,
    in µs: it was READY on this loop, or in the QUEUE. Both may have been true one after the other.
    Who did not wait at all is left out. Which loop a request in the QUEUE waited for is known from
    its first STEP; if it never got one, nobody knows, and it is left out.
    """
    raise NotImplementedError("your code")
