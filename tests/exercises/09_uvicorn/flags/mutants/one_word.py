# Writes an option and its value as one word.
# Message: called uvicorn --workers 2
# Message: came back Uvicorn refuses it: No such option
# Message: nudge An option and its value are two words

"""Flags for `python -m uvicorn … app:app`: chosen for six objectives."""

FLAGS: list[str] = [
    "--workers 2",
    "--lifespan=on",
    "--limit-concurrency=4",
    "--timeout-graceful-shutdown=2",
    "--http=h11",
    "--timeout-keep-alive=15",
]
