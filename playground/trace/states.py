"""From records to states: which request was queued, running, waiting, ready or in service, when and
where.

This is the one place where states are derived; every picture is drawn from ``spans``.

- QUEUED: from the intended send on the client's clock to the first sign of the request in the
  server.
- RUNNING, WAITING, READY: STEP, AWAIT and READY records, cut off at the end of the service.
- The same records of no request, flagged SAMPLED, tell what a thread did: here they are cut to the
  services on its lane. A piece shorter than a sample at either end of a service says nothing about
  it and is left out; a service of less than two samples is RUNNING if it was on a processor for at
  least half of its time, else WAITING.
- SERVED: the parts of the service about which no record says more.
- On an event loop, the functions that pool threads run for a request are SERVED on the threads'
  lanes (RUNNING and WAITING as far as they were sampled); what the request waits meanwhile on the
  loop's lane is left out. Steps of tasks that outlive their request are RUNNING after its end.
- Untracked requests that were over before the run's first intended send are left out.

A request that the client gave up on and that no traced server ever began stayed QUEUED until then
(flag ERROR). Where the server is not traced, nothing is known of the queue and nothing is drawn.
"""

from enum import IntEnum

import numpy as np

from playground.trace.records import CLIENT_LANE, NOBODY, UNTRACKED, Flag, Kind
from playground.trace.sampler import TICK_US
from playground.trace.trace import DTYPE, RequestInfo, Trace, over_before

SLIVER_US = 0.5  # gaps below this are rounding, not time


class State(IntEnum):
    """The states of a request, named as tokio-console and Trio name them; SERVED = running or
    waiting, unknown which.
    """

    QUEUED = 1
    RUNNING = 2
    WAITING = 3
    READY = 4
    SERVED = 5


STATE_OF = {Kind.STEP: State.RUNNING, Kind.AWAIT: State.WAITING, Kind.READY: State.READY}
SERVER_KINDS = (Kind.REQUEST, Kind.WORKER, Kind.STEP, Kind.AWAIT, Kind.READY)


def spans(trace: Trace, now_us: float | None = None) -> np.ndarray:
    """Every state of every request, sorted by time: an array of ``DTYPE`` whose ``kind`` holds a
    ``State``.

    ``request`` says whose state it is and ``lane`` where it was (``CLIENT_LANE`` while queued).
    LOWER_BOUND, SAMPLED, ERROR and SIMULATED flags are carried over. Open spans have ``dur_us``
    NaN. With ``now_us`` the states are those known at that moment: later spans are left out, and
    spans that ended later are open.
    """
    records = trace.records if now_us is None else as_of(trace.records, now_us)
    records = records[~np.isin(records["request"], over_before(records))]
    known = trace.meta.get("traced", True) and not trace.meta.get("dropped", 0)
    result = np.concatenate(
        [
            _queued(records, bool(trace.meta.get("traced", True)), bool(known)),
            _service(records, trace.requests),
        ]
    )
    return result[np.argsort(result["t_us"], kind="stable")]


def first_seen(records: np.ndarray, requests: np.ndarray) -> np.ndarray:
    """When the server first recorded each of ``requests``; infinity if never."""
    served = records[np.isin(records["kind"], SERVER_KINDS)]  # in order of time
    numbers, first = np.unique(served["request"], return_index=True)
    if len(numbers) == 0:
        return np.full(len(requests), np.inf)
    place = np.minimum(np.searchsorted(numbers, requests), len(numbers) - 1)
    return np.where(numbers[place] == requests, served["t_us"][first[place]], np.inf)


def as_of(records: np.ndarray, now_us: float) -> np.ndarray:
    """The records as they stood at ``now_us``."""
    known = records[records["t_us"] <= now_us].copy()
    spans_only = known["kind"] != Kind.GAUGE
    unfinished = spans_only & (known["t_us"] + known["dur_us"] > now_us)
    known["dur_us"][unfinished] = np.nan
    known["flags"][unfinished] &= ~np.uint8(Flag.ERROR)  # what went wrong was not yet known
    return known


def touched(records: np.ndarray, fresh: np.ndarray) -> set[int]:
    """The requests whose states may differ because ``fresh`` is now among ``records``."""
    sampled = fresh[(fresh["request"] == NOBODY) & ((fresh["flags"] & Flag.SAMPLED) != 0)]
    services = _bases(records)
    hit = _overlaps(services, sampled)[0]
    return {*np.unique(fresh["request"]).tolist(), *services["request"][hit].tolist()} - {NOBODY}


def _queued(records: np.ndarray, traced: bool, complete: bool) -> np.ndarray:
    told = records[records["kind"] == Kind.QUEUE]
    clients = records[(records["kind"] == Kind.CLIENT) & (records["request"] < UNTRACKED)]
    clients = clients[~np.isin(clients["request"], told["request"])]
    began = first_seen(records, clients["request"])
    never = np.isinf(began)
    still_open = np.isnan(clients["dur_us"])
    gave_up = ~still_open & ((clients["flags"] & Flag.ERROR) != 0)
    derived = clients.copy()
    derived["dur_us"] = np.where(never, clients["dur_us"], np.maximum(began - clients["t_us"], 0))
    keep = ~never | (still_open & traced) | (gave_up & complete)
    derived["flags"] &= np.where(never, 0xFF, 0xFF & ~int(Flag.ERROR)).astype("u1")
    queued = np.concatenate([told, derived[keep]])
    queued["kind"], queued["lane"] = State.QUEUED, CLIENT_LANE
    return queued


def _service(records: np.ndarray, requests: dict[int, RequestInfo]) -> np.ndarray:
    """The RUNNING, WAITING, READY spans, and SERVED for what they leave uncovered."""
    bases = _bases(records)
    pooled = _pooled(bases)
    own = np.isin(records["kind"], tuple(STATE_OF)) & (records["request"] != NOBODY)
    exact = np.isin(_where(bases), _where(records[own]))
    short = _short(bases[~exact & ~pooled], requests)
    parts = np.concatenate([records[own], _sampled(records, bases[~exact]), short])
    opening, closing = bases.copy(), bases.copy()
    closing["t_us"] = _ends(bases)
    rows = np.concatenate([opening, parts, closing])
    # what a row is; also the order at equal times
    role = np.repeat([0, 1, 2], [len(opening), len(parts), len(closing)])
    order = np.lexsort((role, rows["t_us"], _where(rows)))
    rows, role = rows[order], role[order]
    limit, errors = _service_of(rows, role)
    late = (role == 1) & (rows["kind"] == Kind.STEP) & (rows["t_us"] >= limit)
    role[late] = 3
    rows["flags"] |= errors
    ends = np.where(role == 1, np.minimum(_ends(rows), limit), rows["t_us"])
    ends[late] = _ends(rows[late])
    states = np.concatenate([_parts(rows, ends, role), _gaps(rows, ends, role)])
    return _outside_pool(states, bases[pooled])


def _bases(records: np.ndarray) -> np.ndarray:
    """The span of service of each request on each lane: WORKER records, and REQUEST records of
    lanes where it has none.
    """
    workers = records[records["kind"] == Kind.WORKER]
    requests = records[records["kind"] == Kind.REQUEST]
    return np.concatenate([workers, requests[~np.isin(_where(requests), _where(workers))]])


def _pooled(bases: np.ndarray) -> np.ndarray:
    """Which of them are functions that pool threads run for requests on an event loop."""
    served = bases[bases["kind"] == Kind.REQUEST]["request"]
    return (bases["kind"] == Kind.WORKER) & np.isin(bases["request"], served)


def _outside_pool(states: np.ndarray, pool: np.ndarray) -> np.ndarray:
    """The states without what a request waits on its loop while a function runs for it."""
    lanes = np.unique(_where(pool))
    cut = (states["kind"] == State.WAITING) & ~np.isin(_where(states), lanes)
    cut &= np.isin(states["request"], pool["request"])
    if not cut.any():
        return states
    pool = pool[np.argsort(pool["t_us"], kind="stable")]
    pieces = [states[~cut]]
    for request in np.unique(states["request"][cut]):
        busy = pool[pool["request"] == request]
        pieces += [_minus(wait, busy) for wait in states[cut & (states["request"] == request)]]
    return np.concatenate(pieces)


def _minus(span: np.void, busy: np.ndarray) -> np.ndarray:
    """The pieces of a span that lie outside of all of ``busy``, which is sorted by time."""
    ends = np.maximum.accumulate(np.concatenate([[span["t_us"]], _ends(busy)]))
    stops = np.concatenate([busy["t_us"], [np.inf]])
    end = np.inf if np.isnan(span["dur_us"]) else span["t_us"] + span["dur_us"]
    stops = np.minimum(stops, end)
    left = stops > ends + SLIVER_US
    pieces = np.repeat(span, left.sum())
    length = stops[left] - ends[left]
    pieces["t_us"], pieces["dur_us"] = ends[left], np.where(np.isinf(length), np.nan, length)
    return pieces


def _where(records: np.ndarray) -> np.ndarray:
    """Which request on which lane, as one number."""
    return records["request"].astype("u8") << np.uint64(16) | records["lane"]


def _sampled(records: np.ndarray, services: np.ndarray) -> np.ndarray:
    """What the sampler saw of a lane, as parts of the services there."""
    seen = records[(records["request"] == NOBODY) & ((records["flags"] & Flag.SAMPLED) != 0)]
    service, part = _overlaps(services, seen)
    from_us, to_us = services["t_us"][service], _ends(services)[service]
    begun, ended = seen["t_us"][part], _ends(seen)[part]
    parts = seen[part].copy()
    parts["request"] = services["request"][service]
    parts["t_us"] = np.maximum(begun, from_us)
    stop = np.minimum(ended, to_us)
    length = stop - parts["t_us"]
    parts["dur_us"] = np.where(np.isinf(length), np.nan, length)
    cut = (begun < from_us) | (ended > to_us)
    return parts[(length > 0) & ~(cut & (length < TICK_US)) & (to_us - from_us >= 2 * TICK_US)]


def _overlaps(services: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices of every service with every part on its lane that touches it, as two arrays."""
    pairs = [np.empty((2, 0), int)]
    for lane in np.unique(seen["lane"]):
        here, parts = np.flatnonzero(services["lane"] == lane), np.flatnonzero(seen["lane"] == lane)
        here = here[np.argsort(services["t_us"][here], kind="stable")]
        if len(here):
            ended = np.maximum.accumulate(_ends(services)[here])
            first = np.searchsorted(ended, seen["t_us"][parts], "right")
            last = np.searchsorted(services["t_us"][here], _ends(seen)[parts], "left")
            count = np.maximum(last - first, 0)
            place = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
            pairs.append(np.stack([here[np.repeat(first, count) + place], np.repeat(parts, count)]))
    service, part = np.concatenate(pairs, axis=1)
    return service, part


def _short(services: np.ndarray, requests: dict[int, RequestInfo]) -> np.ndarray:
    """Services too short for the sampler, by the processor time that they took."""
    short = services[services["dur_us"] < 2 * TICK_US].copy()
    infos = [requests.get(number) for number in short["request"].tolist()]
    cpu_us = np.array([np.nan if i is None or i.cpu_us is None else i.cpu_us for i in infos], float)
    short["kind"] = np.where(cpu_us * 2 >= short["dur_us"], Kind.STEP, Kind.AWAIT)
    short["flags"] |= np.uint8(Flag.SAMPLED)
    return short[np.isfinite(cpu_us)]


def _ends(records: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(records["dur_us"]), np.inf, records["t_us"] + records["dur_us"])


def _service_of(rows: np.ndarray, role: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each row the end of the service it lies in (infinity where there is none) and that
    service's ERROR flag.
    """
    if len(rows) == 0:
        return np.empty(0), np.empty(0, "u1")
    opened = np.maximum.accumulate(np.where(role == 0, np.arange(len(rows)), -1))
    inside = (opened >= 0) & (_where(rows)[opened] == _where(rows))
    errors = np.where(inside, rows["flags"][opened] & Flag.ERROR, 0).astype("u1")
    return np.where(inside, _ends(rows)[opened], np.inf), errors


def _parts(rows: np.ndarray, ends: np.ndarray, role: np.ndarray) -> np.ndarray:
    part = (role == 1) | (role == 3)
    found = rows[part].copy()
    length = ends[part] - found["t_us"]
    found["dur_us"] = np.where(np.isinf(length), np.nan, length)
    for kind, state in STATE_OF.items():
        found["kind"][rows[part]["kind"] == kind] = state
    return found[~(length < 0)]


def _gaps(rows: np.ndarray, ends: np.ndarray, role: np.ndarray) -> np.ndarray:
    """SERVED spans: where one row ends and the next of the same service has not begun."""
    if len(rows) < 2:
        return np.empty(0, DTYPE)
    from_us, to_us = ends[:-1], rows["t_us"][1:]
    where = _where(rows)
    inside = (where[:-1] == where[1:]) & (role[:-1] < 2) & np.isin(role[1:], (1, 2))
    chosen = np.flatnonzero(inside & np.isfinite(from_us))
    chosen = chosen[to_us[chosen] - from_us[chosen] > SLIVER_US]
    gaps = rows[chosen].copy()
    gaps["t_us"], gaps["kind"] = from_us[chosen], State.SERVED
    gaps["dur_us"] = np.where(np.isinf(to_us[chosen]), np.nan, to_us[chosen] - from_us[chosen])
    gaps["flags"] = rows["flags"][chosen] & ~np.uint8(Flag.SAMPLED)
    return gaps
