# A parser that takes two Host fields.
# Message: came back status 200
# Message: expected status 400

"""Flags for `python -m uvicorn … app:app`."""

FLAGS = [
    "--workers=2",
    "--lifespan=on",
    "--limit-concurrency=4",
    "--timeout-graceful-shutdown=2",
    "--http=httptools",
    "--timeout-keep-alive=15",
]
