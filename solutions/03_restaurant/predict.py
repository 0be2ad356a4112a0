"""Six evenings in the restaurant. A thread serves one request at a time: inside = min(n, W × T)."""

PREDICTIONS = {
    # Evening A: 1 worker × 1 thread, 5 parties.
    "A inside": 1,
    "A waiting": 4,
    "A rounds": 5,
    # Evening B: 1 worker × 3 threads, 7 parties.
    "B inside": 3,
    "B waiting": 4,
    "B rounds": 3,  # 3 + 3 + 1
    # Evening C: 2 workers × 2 threads, 7 parties.
    "C inside": 4,
    "C waiting": 3,
    "C rounds": 2,  # 4 + 3
    # Evening D: 2 workers × 2 threads, 3 parties: one process has room for two of them only.
    "D inside": 3,
    "D waiting": 0,
    "D processes": 2,
    # Evening E: 1 worker × 4 threads; the answers on one connection must come in order.
    "E inside": 2,
    "E waiting": 2,
    "E rounds": 3,
    # Evening F: 1 worker × 2 threads; half a request holds no thread of this server.
    "F inside": 2,
    "F waiting": 1,
    "F rounds": 2,
}
