"""Read a timeline and name the set-up: what can one tell from outside, and what not?

You get the rows of a timeline, one for each request, as tuples (all times in seconds):

    (arrived, process, thread, began, ended)        arrived <= began < ended

The request waited at the door from `arrived` to `began`, and was served from `began` to `ended` by
that thread of that process. Thread numbers are only unique within a process: after fork(2), the
main threads of all workers have the same one.

    evening = [(0.0, 71, 1, 0.0, 1.0), (0.0, 71, 1, 1.0, 2.0), (0.0, 72, 1, 0.0, 1.5)]
    name_the_setup(evening) == ("one at a time", 2, 1)

The rows may come in any order.
"""

Row = tuple[float, int, int, float, float]


def name_the_setup(rows: list[Row]) -> tuple[str, int, int]:
    """Return (kind, processes, together).

    - together: the most requests that one process served at the same moment. Who ends when another
      one begins is not there at the same moment.
    - processes: how many different ones served somebody.
    - kind, the first of these that the rows prove:
      "loop": one thread served two requests at the same moment (`-k asgi`);
      "threads": one process served with two threads or more, at whatever times (gthread);
      "one at a time": somebody was still at the door while the process that served him later served
      somebody else, from whom it took him over: he arrived before the other one ended, and began
      when the other one had ended, or later (sync, but also a loop that is blocked: from outside
      they look the same);
      "unknown": nothing of this. No rows at all: ("unknown", 0, 0).
    """
    raise NotImplementedError("your code")
