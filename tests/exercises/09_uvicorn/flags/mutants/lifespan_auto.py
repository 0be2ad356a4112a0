# Leaves the lifespan to auto, which takes a bug for ignorance.
# Message: came back it serves
# Message: expected it does not start

"""Flags for `python -m uvicorn … app:app`."""

FLAGS = [
    "--workers=2",
    "--limit-concurrency=4",
    "--timeout-graceful-shutdown=2",
    "--http=h11",
    "--timeout-keep-alive=15",
]
