# Keeps idle connections for 5 seconds, the proxy for 10.
# Message: came back an idle connection is kept for 5 s

"""Flags for `python -m uvicorn … app:app`."""

FLAGS = [
    "--workers=2",
    "--lifespan=on",
    "--limit-concurrency=4",
    "--timeout-graceful-shutdown=2",
    "--http=h11",
]
