"""How late the client itself was: a load generator that is slow must not make its server look so.

Lateness is in µs, latencies are in seconds.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from playground.load.ranks import percentile

if TYPE_CHECKING:
    from playground.load.client import Reply

LAG_S = 0.005  # between two looks of a client's loop at its own lateness
LATE_US = 5_000.0  # below that nobody is late: timers and schedulers are no better
LATE_PART = 0.1  # of the latency, from which lateness is what one sees in it
RANKS = (50, 90, 95, 99)  # those that are shown


def of_burst(lag_us: float, replies: "list[Reply]") -> dict[str, float | bool]:
    """Of requests that were all meant for the same moment, and a loop that was up to ``lag_us``
    late: the worst lateness, and whether that was what limited the run.
    """
    starts = [reply.connect_s for reply in replies if reply.connect_s is not None]
    late = max(lag_us, *(start * 1e6 for start in starts), 0.0)
    median = percentile(sorted(reply.latency_s for reply in replies), 50) or 0.0
    limited = late > LATE_US and late > LATE_PART * median * 1e6
    return {"client_lag_us": late, "client_bottleneck": limited}


def every_look(lags_us: Iterable[float]) -> Iterator[float]:
    """The lateness of each look, and of those that a late one kept from being taken: a loop that
    stood still for 50 ms was late at ten looks, not at one.
    """
    for lag_us in lags_us:
        yield lag_us
        for missed in range(1, int(lag_us / (LAG_S * 1e6)) + 1):
            yield lag_us - missed * LAG_S * 1e6


def of_load(
    starts_us: Iterable[float], lags_us: Iterable[float], latencies_s: Iterable[float]
) -> dict[str, float | bool]:
    """Of requests that went out over time: the worst lateness of a start and of the loop, and
    whether it shows in a percentile. It does where the lateness of the same rank is a tenth of it.
    """
    late = [sorted(starts_us), sorted(every_look(lags_us))]
    latencies = sorted(latencies_s)
    limited = False
    for rank in RANKS:
        worst = max(percentile(some, rank) or 0.0 for some in late)
        seen = percentile(latencies, rank) or 0.0
        limited |= worst > LATE_US and worst > LATE_PART * seen * 1e6
    worst = max((some[-1] for some in late if some), default=0.0)
    return {"client_lag_us": worst, "client_bottleneck": limited}
