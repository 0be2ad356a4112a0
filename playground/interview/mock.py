"""A mock interview: half an hour of questions, timed, marked by the candidate, kept at every step.

    sitting = begin(bank.load(), minutes=30)      # or resume(bank.load()), if one is open
    sitting.go_on()                               # the question is shown
    sitting.write("It returns …")
    sitting.answered()
    sitting.mark([True, False, True], slipped=False)

The clock runs from when a question is shown until it is answered, and stands while it is marked.
All of it lies in the workspace, in one file an interview, which is written at each step: an
interview that was interrupted goes on where it was::

    interviews/2030-06-01_12-00-00.json
"""

from __future__ import annotations

import datetime
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from playground import workspace
from playground.errors import Told
from playground.interview.bank import Question
from playground.interview.outcome import OTHER, Answer, Judged

FORMAT = 1
FOLDER = "interviews"
MINUTES = 30
LEAST, MOST = 2, 240  # minutes
WANTED = {"junior": 2, "mid": 3, "senior": 4, "staff": 5}  # minutes for a question
FOLLOW_UP, PREDICT = 2, 4  # minutes
ROUND = ("junior", "mid", "senior", "mid", "staff", "senior", "mid", "junior")
FOLLOWED = (2, 4)  # the second and the fourth question are followed up
RECENT = 3  # interviews whose questions are not asked again, if there are others
QUESTION, FOLLOWING, PREDICTION = "question", "follow-up", "predict"
ANSWERING, MARKING, DONE = "answering", "marking", "done"
FOLLOWING_POINTS = (
    "I gave an answer, and a reason for it.",
    "The two-minute answer does not contradict it.",
)
_NAMED = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d(-\d+)?")
_UNUSABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_SENTENCE = re.compile(r"(?<=[.!?])[\"”)]?\s+(?=[A-Z`\"“(\d])")


class MockError(Told):
    """An interview cannot begin or go on; the message is a sentence that says what to do."""


@dataclass
class Task:
    """One thing that is asked, and what became of it. Times in seconds."""

    kind: str  # QUESTION, FOLLOWING or PREDICTION
    name: str  # the question's id; of a prediction "seed:number"
    minutes: int  # that it should take
    level: str = ""
    file: str = ""  # of the question: "02_wsgi"
    follow_up: int = 0  # which of them, from 0
    text: str = ""  # the answer as far as it was typed
    used_s: float = 0.0
    state: str = ANSWERING
    points: list[bool] = field(default_factory=list)
    slipped: bool = False  # the wrong answer was given
    said: dict[str, Any] = field(default_factory=dict)  # letter and numbers of a prediction

    @property
    def share(self) -> float:
        """The part of the points that were there."""
        return sum(self.points) / len(self.points) if self.points else 0.0


@dataclass
class Record:
    """An interview as its file has it."""

    id: str
    seed: int
    minutes: int
    tasks: list[Task]
    ended: bool = False
    turn: int = 0  # how often it was written

    @property
    def began(self) -> datetime.datetime:
        """When it began, by the wall clock."""
        return datetime.datetime.strptime(self.id[:19], "%Y-%m-%d_%H-%M-%S")

    @property
    def used_s(self) -> float:
        """Seconds of answering so far."""
        return sum(task.used_s for task in self.tasks)

    @property
    def done(self) -> list[Task]:
        """What was answered and marked."""
        return [task for task in self.tasks if task.state == DONE]

    @property
    def path(self) -> Path:
        """Its file."""
        return folder() / f"{self.id}.json"


class Sitting:
    """An interview that goes on. ``clock`` gives seconds that never go back."""

    def __init__(
        self,
        record: Record,
        questions: Sequence[Question],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.record = record
        self.questions = {each.id: each for each in questions}
        self._clock = clock
        self._last = clock()
        self._stands = True

    @property
    def task(self) -> Task | None:
        """What is asked now; None at the end."""
        if self.record.ended:
            return None
        return next((task for task in self.record.tasks if task.state != DONE), None)

    @property
    def place(self) -> int:
        """The current task's number, from 1."""
        return len(self.record.done) + 1

    @property
    def runs(self) -> bool:
        """Whether the clock runs."""
        task = self.task
        return task is not None and task.state == ANSWERING and not self._stands

    @property
    def left_s(self) -> float:
        """Seconds that are left for answers; below 0 in overtime."""
        going = self._clock() - self._last if self.runs else 0.0
        return self.record.minutes * 60 - self.record.used_s - going

    @property
    def question(self) -> Question | None:
        """The question of the bank that the current task is about."""
        task = self.task
        return self.questions.get(task.name) if task else None

    def write(self, text: str) -> None:
        """Keep the answer as far as it is."""
        self._now(ANSWERING).text = text
        self._save()

    def answered(self, said: Answer | None = None) -> None:
        """The answer is given (a prediction's with what was ``said``): the clock stops."""
        task = self._now(ANSWERING)
        if said is not None:
            task.said = {"letter": said.letter, "numbers": said.numbers}
        self._tick()
        task.state = MARKING
        self._save()

    def mark(self, points: Sequence[bool], slipped: bool = False) -> None:
        """Keep which points the answer had, and whether it was the wrong one. The clock stands
        until the next task is shown (``go_on``).

        After the last question, and when time is up, this ends the interview.
        """
        task = self._now(MARKING)
        task.points, task.slipped, task.state = list(points), slipped, DONE
        self._stands = True
        if self.left_s <= 0 or self.task is None:
            self.record.ended = True
        self._save()

    def end(self) -> None:
        """End it here: what was not marked does not count."""
        self._tick()
        self.record.ended = True
        self.keep()

    def go_on(self) -> None:
        """The current task is shown: from now on the clock runs."""
        if self._stands:
            self._stands, self._last = False, self._clock()

    def pause(self) -> None:
        """Keep what there is; the clock stands until the interview goes on."""
        self._save()
        self._stands = True

    def _now(self, state: str) -> Task:
        task = self.task
        if task is None or task.state != state:
            raise MockError("The interview is elsewhere by now: show it again.")
        return task

    def _tick(self) -> None:
        now, task = self._clock(), self.task
        if task is not None and self.runs:
            task.used_s += max(0.0, now - self._last)
        self._last = now

    def keep(self) -> None:
        """Write it down. The first time, it begins with that, and one that was open is ended."""
        if not self.record.turn:
            for one in records():
                if not one.ended:
                    one.ended = True
                    save(one)
        save(self.record)

    def _save(self) -> None:
        self._tick()
        self.keep()


def begin(
    questions: Sequence[Question],
    *,
    minutes: int = MINUTES,
    seed: int | None = None,
    clock: Callable[[], float] = time.monotonic,
    now: Callable[[], datetime.datetime] = datetime.datetime.now,
) -> Sitting:
    """A new interview; one that was open is ended as it is. Raises ``MockError`` for bad numbers.

    Without a ``seed`` it is another one each time, without the questions of the last three.
    """
    sitting = ready(questions, minutes=minutes, seed=seed, clock=clock, now=now)
    sitting.keep()
    return sitting


def ready(
    questions: Sequence[Question],
    *,
    minutes: int = MINUTES,
    seed: int | None = None,
    clock: Callable[[], float] = time.monotonic,
    now: Callable[[], datetime.datetime] = datetime.datetime.now,
) -> Sitting:
    """As ``begin``, but it begins only with the first thing that is to be kept."""
    check_minutes(minutes)
    avoid: set[str] = set()
    if seed is None:
        seed = random.randrange(2**31)
        avoid = {task.name for one in records()[-RECENT:] for task in one.tasks}
    tasks = plan(questions, seed, minutes, avoid)
    return Sitting(Record(_fresh_id(now()), seed, minutes, tasks), questions, clock)


def resume(
    questions: Sequence[Question], clock: Callable[[], float] = time.monotonic
) -> Sitting | None:
    """The interview that was interrupted, if there is one."""
    still = [one for one in records() if not one.ended]
    if not still:
        return None
    known = {each.id for each in questions}
    record = still[-1]
    record.tasks = [one for one in record.tasks if one.kind == PREDICTION or one.name in known]
    return Sitting(record, questions, clock)


def plan(
    questions: Sequence[Question], seed: int, minutes: int, avoid: Iterable[str] = ()
) -> list[Task]:
    """What is asked: levels mixed, chapters as different as can be, one prediction, follow-ups.

    The same seed gives the same. Raises ``MockError`` for an empty bank.
    """
    if not questions:
        raise MockError("The bank has no questions: `playground interview --check` says why.")
    chance = random.Random(seed)
    shuffled = chance.sample(questions, len(questions))
    fresh = set(avoid)
    chapters: Counter[str] = Counter()
    predicts = minutes >= PREDICT + WANTED["junior"]
    left, asked, tasks = minutes - PREDICT * predicts, 0, []
    for level in _levels(len(questions)):
        some = [each for each in shuffled if each.level == level and WANTED[level] <= left]
        if not some:
            if left < WANTED["junior"] or not shuffled:
                break
            continue
        one = min(some, key=lambda each: (each.id in fresh, chapters[each.file]))
        shuffled.remove(one)
        chapters[one.file] += 1
        asked += 1
        left -= WANTED[level]
        tasks.append(Task(QUESTION, one.id, WANTED[level], level, one.file))
        if asked in FOLLOWED and left >= FOLLOW_UP and one.follow_ups:
            which = chance.randrange(len(one.follow_ups))
            left -= FOLLOW_UP
            tasks.append(Task(FOLLOWING, one.id, FOLLOW_UP, level, one.file, which))
    if predicts:
        name = f"{seed}:{chance.randint(1, 20)}"
        at = next((n for n in range(len(tasks) // 2, len(tasks)) if _stands(tasks, n)), len(tasks))
        tasks.insert(at, Task(PREDICTION, name, PREDICT))
    return tasks


def points_of(question: Question, task: Task) -> tuple[str, ...]:
    """What to look for in an answer: the sentences of the short one."""
    if task.kind == FOLLOWING:
        return FOLLOWING_POINTS
    text = " ".join(question.short.split())
    return tuple(part.strip() for part in _SENTENCE.split(text) if part.strip())


def points_of_prediction(judged: Judged) -> list[bool]:
    """Each thing that was predicted: as it ran, or as the capacity says."""
    return [row.verdict != OTHER for row in judged.rows]


def prediction_of(task: Task) -> tuple[int, int]:
    """Seed and number of a prediction."""
    seed, _, number = task.name.partition(":")
    return int(seed), int(number)


def clock_words(left_s: float) -> str:
    """``"12:05"``; ``"+0:30"`` in overtime."""
    minutes, rest = divmod(round(abs(left_s)), 60)
    return f"{'+' if left_s < -0.5 else ''}{minutes}:{rest:02}"


# ---- files


def folder() -> Path:
    """Where interviews are kept."""
    return workspace.root() / FOLDER


def records() -> list[Record]:
    """All interviews that can be read, the oldest first; what else lies there is let be."""
    found = []
    for path in sorted(folder().glob("*.json")):
        try:
            found.append(_record(workspace.read_json(path), path.stem))
        except (workspace.WorkspaceError, *_UNUSABLE):
            continue
    return found


def set_aside() -> str:
    """Move damaged interviews to ``backups/``; return the sentence that says so, or ``""``.

    What has no interview's name, or is of a newer version, is let be.
    """
    if not folder().is_dir():
        return ""
    with workspace.locked():
        damaged = sorted(path for path in folder().glob("*.json") if _is_damaged(path))
        if not damaged:
            return ""
        backup = workspace.back_up([f"{FOLDER}/{path.name}" for path in damaged])
        for path in damaged:
            path.unlink()
    names = ", ".join(path.name for path in damaged)
    return f"No interview can be read from {names}, which is now in {backup}."


def save(record: Record) -> None:
    """Write it in one move.

    Raises ``WorkspaceError``, and ``MockError`` if somebody else has written it meanwhile: it goes
    on in another notebook or terminal, and what was answered there is not overwritten.
    """
    with workspace.locked():
        if _turn(record.path) > record.turn:
            raise MockError(
                "This interview has gone on in another notebook or terminal: end it there, or open"
                " it here again."
            )
        record.turn += 1
        workspace.write_json_atomic(record.path, {"format": FORMAT, **asdict(record)})


def _turn(path: Path) -> int:
    """How often a file was written; 0 for none that can be read."""
    try:
        return _record(workspace.read_json(path), path.stem).turn
    except (workspace.WorkspaceError, *_UNUSABLE):
        return 0


def _is_damaged(path: Path) -> bool:
    if not (_NAMED.fullmatch(path.stem) and path.is_file()):
        return False
    try:
        data = workspace.read_json(path)
        newer = isinstance(data, dict) and data.get("format", 0) > FORMAT
        return not (newer or _record(data, path.stem))
    except (workspace.WorkspaceError, *_UNUSABLE):
        return True


def _record(data: Any, name: str) -> Record:
    if not isinstance(data, dict) or data.get("format") != FORMAT or data["id"] != name:
        raise ValueError("no interview of this version")
    numbers = int(data["seed"]), int(data["minutes"])
    tasks = [_task(one) for one in data["tasks"]]
    record = Record(name, *numbers, tasks, bool(data["ended"]), int(data["turn"]))
    record.began  # noqa: B018 - raises ValueError for a name that is no moment
    return record


def _task(stored: Any) -> Task:
    """A task as it was stored; raises one of ``_UNUSABLE`` when it makes no sense."""
    model = vars(Task(QUESTION, "", 0))
    task = Task(**{key: stored[key] for key in model.keys() & stored.keys()})
    for key, value in vars(task).items():
        if not isinstance(value, (int, float) if key == "used_s" else type(model[key])):
            raise TypeError(f"{key} is {value!r}")
    if task.state not in (ANSWERING, MARKING, DONE) or not set(task.points) <= {True, False}:
        raise ValueError("no state of a task")
    if task.kind == PREDICTION:
        prediction_of(task)
    elif task.kind not in (QUESTION, FOLLOWING):
        raise ValueError("no kind of a task")
    if task.said:
        Answer(str(task.said["letter"]), dict(task.said["numbers"]))
    return task


def _fresh_id(moment: datetime.datetime) -> str:
    stamp = moment.strftime("%Y-%m-%d_%H-%M-%S")
    names = [stamp, *(f"{stamp}-{n}" for n in range(2, 1000))]
    return next(name for name in names if not (folder() / f"{name}.json").exists())


def check_minutes(minutes: Any) -> None:
    """Raises ``MockError`` for what is no length of an interview."""
    whole = isinstance(minutes, int) and not isinstance(minutes, bool)
    if not whole or not LEAST <= minutes <= MOST:
        raise MockError(f"An interview takes from {LEAST} to {MOST} minutes, not {minutes!r}.")


def _levels(count: int) -> list[str]:
    """The order of levels, long enough for every question of the bank."""
    return [ROUND[n % len(ROUND)] for n in range(count * len(ROUND))]


def _stands(tasks: list[Task], place: int) -> bool:
    """Whether something can stand before a task without parting it from its follow-up."""
    return tasks[place].kind == QUESTION
