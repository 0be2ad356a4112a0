# Cancels those inside at once.
# Message: came back a limit of 0 s

"""Flags for `python -m uvicorn … app:app`."""

FLAGS = [
    "--workers=2",
    "--lifespan=on",
    "--limit-concurrency=4",
    "--timeout-graceful-shutdown=0",
    "--http=h11",
    "--timeout-keep-alive=15",
]
