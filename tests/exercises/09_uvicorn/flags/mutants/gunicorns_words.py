# Says it as one says it to Gunicorn.
# Message: came back Uvicorn refuses it: No such option

"""Flags for `python -m uvicorn … app:app`."""

FLAGS = [
    "--workers=2",
    "--lifespan=on",
    "--limit-concurrency=4",
    "--graceful-timeout=2",
    "--http=h11",
    "--timeout-keep-alive=15",
]
