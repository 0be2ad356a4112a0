# Believes that a crash takes those at the door too.
# Message: you predicted lost 2, inside 1
# Message: measured: lost 1, inside 2

"""Five evenings at Gunicorn's."""

PREDICTIONS = {
    # Evening A: three threads, so three inside; 3 + 2.
    "A inside": 3,
    "A waiting": 2,
    "A rounds": 2,
    # Evening B: 2 + 1 + 1 - 1 workers, one request each.
    "B inside": 3,
    "B waiting": 3,
    "B processes": 3,
    # Evening C: half a request holds a sync worker.
    "C inside": 1,
    "C rounds": 3,
    # Evening D: only the one on the dead worker's table; the replacement takes the third party.
    "D lost": 2,
    "D inside": 1,
    # Evening E: 2 + 2 + 1; who comes in between waits at the door.
    "E processes": 3,
    "E lost": 0,
}
