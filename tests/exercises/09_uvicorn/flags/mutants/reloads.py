# Scales with --reload, which ignores the number of workers.
# Message: came back --reload: one process, the number of workers is ignored
# Message: expected two processes that serve

"""Flags for `python -m uvicorn … app:app`."""

FLAGS = [
    "--reload",
    "--workers=2",
    "--lifespan=on",
    "--limit-concurrency=4",
    "--timeout-graceful-shutdown=2",
    "--http=h11",
    "--timeout-keep-alive=15",
]
