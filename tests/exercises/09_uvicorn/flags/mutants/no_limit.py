# Lets everybody in.
# Message: came back inside: 6

"""Flags for `python -m uvicorn … app:app`."""

FLAGS = [
    "--workers=2",
    "--lifespan=on",
    "--timeout-graceful-shutdown=2",
    "--http=h11",
    "--timeout-keep-alive=15",
]
