"""`playground interview` as one types it: lists, one question, and practice at a terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pexpect
import pytest

from playground.interview import bank

QUESTIONS = bank.load()
FIRST = QUESTIONS[0]
PATIENCE_S = 60  # stops a hang
PLAYGROUND = [sys.executable, "-m", "playground", "interview"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(tmp_path))
    return tmp_path


def interview(*line: str, columns: int = 80) -> subprocess.CompletedProcess[str]:
    """What a command says, without a terminal."""
    env = os.environ | {"COLUMNS": str(columns)}
    return subprocess.run(
        [*PLAYGROUND, *line], env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )


def terminal(*line: str, **env: str) -> pexpect.spawn[Any]:
    """A command at a terminal of 80 columns."""
    return pexpect.spawn(
        PLAYGROUND[0],
        [*PLAYGROUND[1:], *line],
        env=os.environ | {"TERM": "xterm-256color"} | env,
        dimensions=(40, 80),
        timeout=PATIENCE_S,
        encoding="utf-8",
    )


def remembered(folder: Path) -> dict[str, int]:
    """How often each question was answered."""
    file = folder / "interview.json"
    cards = json.loads(file.read_text())["cards"] if file.exists() else {}
    return {name: card["reviews"] for name, card in cards.items()}


def test_the_list_as_json_is_the_bank() -> None:
    data = json.loads(interview("--list", "--json").stdout)
    assert [each["id"] for each in data] == [each.id for each in QUESTIONS]
    assert data[0]["chapter"] == "00"
    assert set(data[0]) >= {"level", "question", "short", "long", "follow_ups", "wrong", "evidence"}
    only = json.loads(interview("--json", "--chapter", "1", "--level", "mid").stdout)
    assert {(each["chapter"], each["level"]) for each in only} == {("01", "mid")}


def test_who_names_a_chapter_or_a_level_alone_gets_the_list() -> None:
    asked = ("--chapter", "02", "--level", "mid")
    done = interview(*asked)
    assert done.returncode == 0
    assert done.stdout == interview("--list", *asked).stdout
    assert "questions. playground interview show ID" in done.stdout


def test_the_list_and_a_question_fit_into_80_columns() -> None:
    for line in (["--list"], ["show", FIRST.id]):
        done = interview(*line)
        assert done.returncode == 0
        assert FIRST.id in done.stdout
        assert max(map(len, done.stdout.splitlines())) <= 80
        assert "\x1b" not in done.stdout
    for words in ("In 30 seconds", "In two minutes", "What comes next", "The wrong answer"):
        assert words in done.stdout


def test_evidence_runs_on_request() -> None:
    done = interview("show", FIRST.id, "--run")
    assert done.returncode == 0
    assert "✓ the claim held here" in done.stdout


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        (["show", "no-such-question"], 1, "There is no question 'no-such-question'."),
        (["--list", "--chapter", "77"], 1, "no questions for chapter '77'"),
        (["--list", "--level", "chief"], 1, "no level 'chief'"),
        (["practice"], 1, "standard input is no terminal"),
        (["anki", "deck.txt"], 1, "end in .apkg"),
        (["--chapter", "77"], 1, "no questions for chapter '77'"),
        (["--level", "mid", "practice"], 2, "go behind practice"),
        ([], 2, "practice"),
    ],
)
def test_what_cannot_be_is_a_sentence(line: list[str], code: int, words: str, folder: Path) -> None:
    done = interview(*line)
    assert done.returncode == code
    assert words in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert remembered(folder) == {}


def test_practice_asks_shows_and_remembers(folder: Path) -> None:
    with terminal("practice", "--new", "2") as talk:
        talk.expect("2 to go")
        talk.expect("> ")
        talk.sendline("3")
        talk.expect("First look at the answer")
        talk.sendline("x")
        talk.expect("'x' does nothing here")
        talk.sendline("")
        talk.expect("In 30 seconds")
        talk.expect("How was it\\?  1 again \\(1 min\\)  2 hard \\(6 min\\)  3 good \\(10 min\\)")
        for key, words in (("", "two minutes"), ("f", "comes next"), ("w", "wrong answer")):
            talk.sendline(key)
            talk.expect(words)
        talk.sendline("e")
        talk.expect("the claim held here")
        talk.sendline("4")
        talk.expect("1 to go")
        talk.sendline("")
        talk.expect("How was it")
        talk.sendline("1")
        talk.expect("1 to go")  # it comes again
        talk.sendline("q")
        talk.expect("2 answers kept.")
        talk.expect(pexpect.EOF)
    assert talk.exitstatus == 0
    assert remembered(folder) == {QUESTIONS[0].id: 1, QUESTIONS[1].id: 1}


@pytest.mark.parametrize(("end", "code"), [("sendintr", 130), ("sendeof", 0)])
def test_ctrl_c_and_the_end_of_input_lose_nothing(end: str, code: int, folder: Path) -> None:
    with terminal("practice", "--new", "2") as talk:
        talk.expect("> ")
        talk.sendline("")
        talk.expect("How was it")
        talk.sendline("4")
        talk.expect("1 to go")
        talk.expect("> ")
        getattr(talk, end)()
        talk.expect("1 answer kept.")
        talk.expect(pexpect.EOF)
    assert talk.exitstatus == code
    assert remembered(folder) == {FIRST.id: 1}


def test_the_end_says_when_to_come_back() -> None:
    with terminal("practice", "--new", "1") as talk:
        talk.expect("> ")
        talk.sendline("")
        talk.expect("How was it")
        talk.sendline("4")
        talk.expect("That is all for now. The next one comes in \\d+ days.")
        talk.expect(pexpect.EOF)
    assert talk.exitstatus == 0


def test_a_broken_file_is_told_and_kept(folder: Path) -> None:
    (folder / "interview.json").write_text('{"format": 1, "cards": {"wsgi')
    with terminal("practice", "--new", "0") as talk:
        talk.expect("interview.json was not as it should be: it starts afresh")
        talk.expect("That is all for now.")
        talk.expect("0 answers kept.")
        talk.expect(pexpect.EOF)
    assert len(list(folder.glob("backups/*/interview.json"))) == 1


def test_without_colour_there_is_none(folder: Path) -> None:
    with terminal("practice", "--new", "1", NO_COLOR="1") as talk:
        talk.expect("> ")
        talk.sendline("")
        talk.expect("How was it")
        said = talk.before
        talk.sendline("q")
        talk.expect(pexpect.EOF)
    assert "\x1b[3" not in said
    assert max(map(len, said.splitlines())) <= 80 + len("\x1b[1m\x1b[0m") * 4
