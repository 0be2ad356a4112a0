"""What practice remembers: across restarts, broken files, clocks that are set, and Ctrl-C."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest
from fsrs import Rating

from playground import workspace
from playground.interview import practice
from playground.interview.bank import Evidence, Question

NOON = datetime.datetime(2030, 6, 1, 12, tzinfo=datetime.UTC)
MINUTE, DAY = datetime.timedelta(minutes=1), datetime.timedelta(days=1)
WORDS = ("mid", "What is it?", "Short.", "Long.", ("And then?", "Why?"), "No.", ())
QUESTIONS = [Question(f"it-{n}", *WORDS, Evidence("It is."), "02_wsgi") for n in range(5)]
ONE, TWO, *_ = QUESTIONS


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(tmp_path))
    return tmp_path


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime.datetime:
        return self.now


def session(clock: Clock, new: int = 10) -> practice.Session:
    return practice.Session(QUESTIONS, new=new, clock=clock)


def asked(sitting: practice.Session) -> list[str]:
    return [each.id for each in sitting.queue]


def test_the_first_time_there_are_only_new_ones_in_order_and_not_too_many() -> None:
    assert asked(session(Clock(), new=3)) == ["it-0", "it-1", "it-2"]


def test_what_a_rating_does_is_said_before_it_is_given() -> None:
    clock = Clock()
    for rating in Rating:
        sitting = session(clock)
        question = sitting.current
        assert question is not None
        said = sitting.intervals()[rating]
        sitting.rate(rating)
        assert practice.load().entries[question.id].card.due == clock.now + said
    assert list(sitting.intervals().values()) == sorted(sitting.intervals().values())


def test_what_was_not_known_comes_again_at_the_end_of_the_same_session() -> None:
    sitting = session(Clock(), new=2)
    sitting.rate(Rating.Again)
    assert asked(sitting) == ["it-1", "it-0"]
    sitting.rate(Rating.Easy)
    sitting.rate(Rating.Easy)
    assert sitting.current is None
    assert sitting.answered == 3
    assert practice.load().entries["it-0"].again == 1


def test_an_answer_is_there_after_a_restart_and_comes_back_when_it_is_due() -> None:
    clock = Clock()
    session(clock).rate(Rating.Easy)
    assert "it-0" not in asked(session(clock))
    coming = session(clock).coming()
    assert coming is not None
    clock.now += coming - MINUTE
    assert "it-0" not in asked(session(clock))
    clock.now += MINUTE
    assert asked(session(clock))[0] == "it-0"
    assert practice.load().entries["it-0"].reviews == 1


def test_intervals_grow_while_it_is_known() -> None:
    clock = Clock()
    intervals = []
    for _ in range(4):
        practice.rate("it-0", Rating.Good, clock.now)
        due = practice.load().entries["it-0"].card.due
        intervals.append(due - clock.now)
        clock.now = due
    assert intervals == sorted(set(intervals))


def test_two_sessions_at_once_lose_nothing() -> None:
    here, there = session(Clock()), session(Clock())
    here.rate(Rating.Good)
    there.rate(Rating.Easy)
    there.rate(Rating.Good)
    entries = practice.load().entries
    assert {name: entry.reviews for name, entry in entries.items()} == {"it-0": 2, "it-1": 1}


def test_a_clock_that_is_set_back_keeps_nothing_away_for_years() -> None:
    clock = Clock()
    clock.now += 3650 * DAY
    session(clock).rate(Rating.Easy)
    clock.now = NOON
    sitting = session(clock)
    assert asked(sitting)[0] == "it-0"
    sitting.rate(Rating.Good)
    card = practice.load().entries["it-0"].card
    assert card.last_review == NOON
    assert NOON < card.due < NOON + 365 * DAY


def test_a_clock_that_is_set_a_little_asks_nothing_twice() -> None:
    clock = Clock()
    session(clock).rate(Rating.Easy)
    clock.now -= MINUTE
    assert "it-0" not in asked(session(clock))


BROKEN = {
    "cut": lambda text: text[: len(text) // 2],
    "empty": lambda text: "",
    "not UTF-8": lambda text: b"\xff\xfe" + text.encode(),
    "a list": lambda text: "[]",
    "no format": lambda text: text.replace('"format"', '"form"'),
    "no cards": lambda text: text.replace('"cards"', '"card"'),
    "cards in a list": lambda text: '{"format": 1, "cards": []}',
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_file_is_kept_and_practice_goes_on(how: str, folder: Path) -> None:
    session(Clock()).rate(Rating.Easy)
    damage = BROKEN[how](practice.path().read_text())
    data = damage if isinstance(damage, bytes) else damage.encode()
    practice.path().write_bytes(data)
    sitting = session(Clock())
    assert asked(sitting)[0] == "it-0"
    (kept,) = folder.glob("backups/*/interview.json")
    assert kept.read_bytes() == data
    assert str(kept.parent) in sitting.note
    sitting.rate(Rating.Good)
    assert sitting.note == ""
    assert practice.load().entries["it-0"].reviews == 1


NONSENSE = [
    {"due": "tomorrow"},
    {"due": "2030-06-01T12:00:00"},
    {"state": 9},
    {"state": 2, "stability": None},
    {"state": 2, "stability": -1.0},
    {"difficulty": "hard"},
    {"reviews": None},
    {"card_id": None},
]


@pytest.mark.parametrize("change", NONSENSE, ids=str)
def test_of_a_file_that_is_wrong_in_one_place_the_rest_is_kept(
    change: dict[str, object], folder: Path
) -> None:
    for question in (ONE, TWO):
        for _ in range(2):
            practice.rate(question.id, Rating.Good, NOON)
    data = json.loads(practice.path().read_text())
    data["cards"][ONE.id].update(change)
    workspace.write_json_atomic(practice.path(), data)
    book = practice.load()
    assert list(book.entries) == [TWO.id]
    assert "backups" in book.note
    assert len(list(folder.glob("backups/*/interview.json"))) == 1
    assert practice.load().note == ""


def test_a_newer_file_is_left_alone() -> None:
    practice.path().write_text('{"format": 2, "deck": []}')
    for use in (practice.load, lambda: practice.rate("it-0", Rating.Good)):
        with pytest.raises(practice.PracticeError, match="newer version"):
            use()
    assert practice.path().read_text() == '{"format": 2, "deck": []}'


def test_a_write_that_fails_leaves_the_old_file(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    practice.rate("it-0", Rating.Good, NOON)
    before = practice.path().read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(workspace.os, "fsync", full)
    with pytest.raises(workspace.WorkspaceError, match="free some space"):
        practice.rate("it-1", Rating.Good, NOON)
    assert practice.path().read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "interview.json"]


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0.1, "1 min"), (5.5, "6 min"), (60, "1 hour"), (1440, "1 day"), (11_520, "8 days"),
     (90_000, "2 months"), (600_000, "1 year")],
)  # fmt: skip
def test_intervals_are_spoken(minutes: float, words: str) -> None:
    assert practice.spoken(datetime.timedelta(minutes=minutes)) == words
