"""What chapter 10 says of types, bodies and broken loads, held against the installed versions."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

PATIENCE_S = 60.0  # stops a hang
BROKEN = {
    "import": """
from fastapi import FastAPI

open("nowhere.joblib")
app = FastAPI()
""",
    "lifespan": """
from contextlib import asynccontextmanager

from fastapi import FastAPI


@asynccontextmanager
async def lifespan(app):
    open("nowhere.joblib")
    yield


app = FastAPI(lifespan=lifespan)
""",
}


@pytest.mark.parametrize(
    ("value", "passes"),
    [
        (np.float64(0.5), True),
        (np.str_("a"), True),
        (np.int64(3), False),
        (np.float32(0.5), False),
        (np.bool_(True), False),
        (np.array([1]), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_which_types_pass_as_pythons(value, passes):
    try:
        json.dumps(value)
    except TypeError:
        assert not passes
    else:
        assert passes
    json.dumps(value.tolist())


def test_nan_is_written_by_flask_and_refused_by_fastapi():
    from fastapi.responses import JSONResponse
    from flask import Flask, jsonify

    with Flask("nan").app_context():
        assert b"NaN" in jsonify(float("nan")).get_data()
    with pytest.raises(ValueError, match="not JSON compliant"):
        JSONResponse(float("nan"))


@pytest.mark.parametrize(
    ("server", "place", "ending"),
    [
        ("gunicorn --bind 127.0.0.1:0 --no-control-socket -k asgi", "import", 3),
        ("gunicorn --bind 127.0.0.1:0 --no-control-socket -k asgi", "lifespan", 3),
        ("uvicorn --port 0", "import", 1),
        ("uvicorn --port 0", "lifespan", 3),
        ("uvicorn --port 0 --workers 2", "import", None),
        ("uvicorn --port 0 --workers 2", "lifespan", 0),
    ],
)
def test_how_a_server_ends_without_its_model(tmp_path, server, place, ending):
    """None: it does not, it hires and buries."""
    Path(tmp_path, "broken_model.py").write_text(BROKEN[place])
    log = Path(tmp_path, "log")
    command = [sys.executable, "-m", *server.split(), "broken_model:app"]
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=tmp_path, stdout=file, stderr=file, start_new_session=True
        )
    deadline = time.monotonic() + PATIENCE_S
    try:
        while process.poll() is None and log.read_bytes().count(b"died") < 4:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        assert process.poll() == ending
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
