"""Spaced repetition: which question comes next, and when it comes again.

The intervals are those of FSRS (package ``fsrs``), without chance in them, so that a button can say
what it does. What is remembered lies in the workspace, in ``interview.json``::

    {"format": 1, "cards": {"wsgi-environ-is-a-dict": {<fsrs.Card>, "reviews": 3, "again": 1}}}

Every answer is written at once, and atomically. A file that cannot be read is kept in ``backups/``,
and what is whole in it is used.
"""

from __future__ import annotations

import datetime
import zlib
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fsrs import Card, Rating, Scheduler

from playground import workspace
from playground.errors import Told
from playground.interview.bank import Question

FORMAT = 1
FILE = "interview.json"
NEW = 10  # questions never asked before, in one session
AGAIN_WITHIN = datetime.timedelta(minutes=20)  # due that soon: asked again in the same session
SKEW = datetime.timedelta(hours=1)  # a review that far in the future: the clock was set back
SCHEDULER = Scheduler(enable_fuzzing=False)
_UNUSABLE = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)

Clock = Callable[[], datetime.datetime]


class PracticeError(Told):
    """What is remembered cannot be used; the message is a sentence that says what to do."""


@dataclass
class Entry:
    """What is remembered of one question."""

    card: Card
    reviews: int = 0
    again: int = 0  # how often it was not known


@dataclass
class Book:
    """What is remembered of all questions, by their ids."""

    entries: dict[str, Entry] = field(default_factory=dict)
    note: str = ""  # what was wrong with the file, in a sentence


def path() -> Path:
    """Return the place of the file."""
    return workspace.root() / FILE


def now() -> datetime.datetime:
    """Return the time in UTC."""
    return datetime.datetime.now(datetime.UTC)


def load() -> Book:
    """Return what is remembered; what is broken goes to ``backups/``, and ``note`` says so.

    Raises PracticeError for a file of a newer version, and WorkspaceError.
    """
    with workspace.locked():
        return _load()


def rate(name: str, rating: Rating, when: datetime.datetime | None = None) -> tuple[Entry, str]:
    """Write down how well the question `name` was known; return its entry, and ``Book.note``."""
    with workspace.locked():
        book = _load()
        entry = book.entries.get(name) or _fresh(name)
        entry = book.entries[name] = Entry(
            _reviewed(entry.card, rating, when or now()),
            entry.reviews + 1,
            entry.again + (rating is Rating.Again),
        )
        _save(book)
    return entry, book.note


def due(
    book: Book, questions: Sequence[Question], when: datetime.datetime
) -> tuple[list[Question], list[Question]]:
    """Return the questions that are due, the one longest due first, and those never asked."""
    cards = {name: entry.card for name, entry in book.entries.items()}
    ready = [each for each in questions if each.id in cards and _is_due(cards[each.id], when)]
    ready.sort(key=lambda each: cards[each.id].due)
    return ready, [each for each in questions if each.id not in cards]


class Session:
    """One sitting: what is due, then some that are new, then what was not known, again.

    ``new`` bounds the questions that were never asked before.
    """

    def __init__(
        self, questions: Sequence[Question], *, new: int = NEW, clock: Clock = now
    ) -> None:
        self._questions, self._clock = questions, clock
        book = load()
        ready, fresh = due(book, questions, clock())
        self.queue: list[Question] = [*ready, *fresh[:new]]
        self.fresh = len(fresh[new:])  # never asked, and not in this session either
        self.answered = 0
        self.note = book.note
        self._entries = book.entries

    @property
    def current(self) -> Question | None:
        """The question to ask, None at the end."""
        return self.queue[0] if self.queue else None

    def intervals(self) -> dict[Rating, datetime.timedelta]:
        """Return after how long the current question comes again, for each rating."""
        assert self.current is not None
        entry = self._entries.get(self.current.id) or _fresh(self.current.id)
        when = self._clock()
        return {rating: _reviewed(entry.card, rating, when).due - when for rating in Rating}

    def rate(self, rating: Rating) -> None:
        """Write down how well the current question was known, and go on to the next."""
        question = self.queue[0]
        when = self._clock()
        entry, self.note = rate(question.id, rating, when)
        self._entries[question.id] = entry
        self.answered += 1
        self.queue.pop(0)
        if entry.card.due - when < AGAIN_WITHIN:
            self.queue.append(question)

    def coming(self) -> datetime.timedelta | None:
        """Return after how long the next of the questions is due, None if none was ever asked."""
        asked = (each.id for each in self._questions if each.id in self._entries)
        first = min((self._entries[name].card.due for name in asked), default=None)
        return first - self._clock() if first else None


def spoken(interval: datetime.timedelta) -> str:
    """Return "10 min", "8 days", "4 months"."""
    minutes = round(interval.total_seconds() / 60)
    for unit, size in (("year", 525_600), ("month", 43_800), ("day", 1440), ("hour", 60)):
        if minutes >= size:
            count = round(minutes / size)
            return f"{count} {unit}{'s' * (count != 1)}"
    return f"{max(minutes, 1)} min"


def _fresh(name: str) -> Entry:
    return Entry(Card(card_id=zlib.crc32(name.encode())))


def _reviewed(card: Card, rating: Rating, when: datetime.datetime) -> Card:
    """Return the card after a review; one that was reviewed in the future was reviewed now."""
    card = copy(card)
    if card.last_review is not None:
        card.last_review = min(card.last_review, when)
    return SCHEDULER.review_card(card, rating, when)[0]


def _is_due(card: Card, when: datetime.datetime) -> bool:
    set_back = card.last_review is not None and card.last_review > when + SKEW
    return card.due <= when or set_back


def _load() -> Book:
    """Read the file; the caller holds the lock."""
    try:
        data = workspace.read_json(path(), {"format": FORMAT, "cards": {}})
    except workspace.WorkspaceError:
        if not path().is_file():
            raise
        data = None
    version = data.get("format") if isinstance(data, dict) else None
    if isinstance(version, int) and version > FORMAT:
        raise PracticeError(
            f"{path()} was written by a newer version of the course (format {version}, this one"
            f" knows {FORMAT}): update the course, or move the file away to start afresh."
        )
    stored = data.get("cards") if isinstance(data, dict) and version == FORMAT else None
    book = Book()
    for name, one in stored.items() if isinstance(stored, dict) else ():
        try:
            book.entries[name] = _entry(one)
        except _UNUSABLE:
            stored = None
    if not isinstance(stored, dict):
        book.note = _set_aside(len(book.entries))
        _save(book)
    return book


def _entry(stored: Any) -> Entry:
    """Return an entry as it was stored; raises one of `_UNUSABLE` when it makes no sense."""
    card = Card.from_dict(stored)
    for when in (card.due, card.last_review or card.due):
        if when.tzinfo != datetime.UTC:
            raise ValueError("no time in UTC")
    for rating in Rating:
        SCHEDULER.review_card(card, rating, card.last_review or card.due)
    return Entry(card, int(stored["reviews"]), int(stored["again"]))


def _set_aside(kept: int) -> str:
    """Keep the file as it was, and return the sentence that says so."""
    backup = workspace.back_up([FILE])
    rest = f"the {kept} questions that are whole in it are used" if kept else "it starts afresh"
    return f"{FILE} was not as it should be: {rest}, and the file as it was is in {backup}."


def _save(book: Book) -> None:
    cards = {
        name: {**entry.card.to_dict(), "reviews": entry.reviews, "again": entry.again}
        for name, entry in book.entries.items()
    }
    workspace.write_json_atomic(path(), {"format": FORMAT, "cards": cards})
