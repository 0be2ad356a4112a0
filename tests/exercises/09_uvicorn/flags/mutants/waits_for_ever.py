# Waits for a stream without an end.
# Message: came back no limit
# Message: expected from 1 to 3 seconds

"""Flags for `python -m uvicorn … app:app`."""

FLAGS = [
    "--workers=2",
    "--lifespan=on",
    "--limit-concurrency=4",
    "--http=h11",
    "--timeout-keep-alive=15",
]
