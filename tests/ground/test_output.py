"""What --json prints is whole and readable for a program, wherever it goes."""

import io
import json
import os
import subprocess
import sys

import pytest

from playground.output import print_json


@pytest.mark.parametrize(
    "words",
    [
        ("doctor",),
        ("setups",),
        ("plan", "one-day"),
        ("notes", "02"),
        ("progress",),
        ("interview", "--list"),
        ("interview", "predict"),
    ],
    ids=" ".join,
)
def test_every_command_prints_json_that_an_ascii_terminal_takes(words, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "playground", *words, "--json"],
        env=os.environ | {"PLAYGROUND_WORKSPACE": str(tmp_path), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        timeout=100,
        check=False,
    )
    assert not done.stderr.count(b"Traceback"), done.stderr.decode()
    assert json.loads(done.stdout.decode("ascii"))
    assert done.stdout.splitlines()[1].startswith(b"  ")  # a line for each thing


@pytest.mark.parametrize(("encoding", "shown"), [("utf-8", '"é"'), ("ascii", r'"\u00e9"')])
def test_letters_are_escaped_only_where_they_cannot_be_shown(encoding, shown, monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    print_json("é")
    stream.flush()
    assert stream.buffer.getvalue().decode(encoding) == f"{shown}\n"


def test_a_file_name_that_is_no_text_is_printed_all_the_same(capsysbinary):
    name = os.fsdecode(b"caf\xe9.py")
    print_json({"file": name})
    assert json.loads(capsysbinary.readouterr().out) == {"file": name}
