# Starts one process, which nobody replaces.
# Message: came back workers: 1

"""Flags for `python -m uvicorn … app:app`."""

FLAGS = [
    "--lifespan=on",
    "--limit-concurrency=4",
    "--timeout-graceful-shutdown=2",
    "--http=h11",
    "--timeout-keep-alive=15",
]
