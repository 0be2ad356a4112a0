# Takes the limit for the number of parties.
# Message: came back inside: 2
# Message: expected inside: 3

"""Flags for `python -m uvicorn … app:app`."""

FLAGS = [
    "--workers=2",
    "--lifespan=on",
    "--limit-concurrency=3",
    "--timeout-graceful-shutdown=2",
    "--http=h11",
    "--timeout-keep-alive=15",
]
