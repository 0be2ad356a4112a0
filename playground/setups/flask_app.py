"""The slow endpoint in Flask (WSGI)."""

import time

from flask import Flask, request

from playground.setups.apps import number

app = Flask(__name__)


@app.get("/")
@app.get("/slow")
def slow() -> str:
    """Waits one second, or ``?s=`` seconds, and keeps its thread meanwhile."""
    time.sleep(number(request.query_string.decode("latin-1"), "s", 1.0, 30.0))
    return "slept\n"


@app.get("/health")
def health() -> str:
    """Answers at once, if a worker is free."""
    return "ok\n"
