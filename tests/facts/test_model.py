"""What chapter 10 says of types, answers and files, held against the installed versions."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import httpx
import joblib
import nbformat
import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from flask import Flask, jsonify
from gunicorn.config import KNOWN_SETTINGS

from playground.facts import MEASURED_WITH

CHAPTER = Path(__file__).resolve().parents[2] / "notebooks" / "10_model.ipynb"
TYPES = [
    (np.float64(0.5), True),
    (np.str_("a"), True),
    (np.int64(3), False),
    (np.float32(0.5), False),
    (np.bool_(True), False),
    (np.array([1]), False),
]


@pytest.mark.parametrize(
    "package", ["scikit-learn", "numpy", "flask", "fastapi", "gunicorn", "uvicorn"]
)
def test_the_chapter_names_the_version(package: str) -> None:
    cells = nbformat.read(CHAPTER, as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert re.search(rf"{package} {re.escape(MEASURED_WITH[package])}", text, re.IGNORECASE)


@pytest.mark.parametrize(("value", "passes"), TYPES, ids=lambda value: type(value).__name__)
def test_which_types_pass_as_pythons(value: Any, passes: bool) -> None:
    try:
        json.dumps(value)
    except TypeError:
        assert not passes
    else:
        assert passes
    json.dumps(value.tolist())


def answer(value: Any, declared: Any) -> httpx.Response:
    """What FastAPI answers for an endpoint that returns this."""
    app = FastAPI()

    async def predict():  # type: ignore[no-untyped-def]
        return {"prediction": value}

    if declared:
        predict.__annotations__["return"] = declared
    app.get("/")(predict)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://model") as client:
            return await client.get("/")

    return asyncio.run(ask())


@pytest.mark.parametrize(("value", "passes"), TYPES, ids=lambda value: type(value).__name__)
def test_which_types_fastapi_answers(value: Any, passes: bool) -> None:
    assert answer(value, None).status_code == (200 if passes else 500)


def test_a_declared_type_converts() -> None:
    assert answer(np.int64(3), dict[str, int]).json() == {"prediction": 3}


def test_nan_is_written_by_flask_and_refused_by_fastapi() -> None:
    with Flask("nan").app_context():
        assert b"NaN" in jsonify(float("nan")).get_data()
    with pytest.raises(ValueError, match="not JSON compliant"):
        JSONResponse(float("nan"))


def test_mapped_arrays_are_read_only(tmp_path: Path) -> None:
    joblib.dump({"table": np.ones(9)}, tmp_path / "table.joblib")
    table = joblib.load(tmp_path / "table.joblib", mmap_mode="r")["table"]
    assert isinstance(table, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        table[0] = 2


def test_gunicorn_has_a_pool_for_blocking_work() -> None:
    assert any("--dirty-app" in (setting.cli or ()) for setting in KNOWN_SETTINGS)
