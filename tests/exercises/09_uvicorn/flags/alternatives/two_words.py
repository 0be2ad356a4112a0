"""Flags for `python -m uvicorn … app:app`."""

FLAGS = [
    "--workers",
    "2",
    "--lifespan",
    "on",
    "--limit-concurrency",
    "4",
    "--timeout-graceful-shutdown",
    "2",
    "--http",
    "h11",
    "--timeout-keep-alive",
    "15",
]
