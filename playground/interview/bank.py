"""The question bank: questions as data, one TOML file a chapter, and the rules that they keep.

``questions/02_wsgi.toml`` holds the questions of chapter 02::

    [[question]]
    id = "wsgi-start-response-returns-write"
    level = "junior"
    question = "What does start_response return, and who uses it?"
    short = "The 30-second answer …"
    long = "The two-minute answer …"
    follow_ups = ["…", "…"]
    wrong = "The wrong answer that people give, and why it is wrong."
    versions = ["gunicorn"]  # what the answer depends on, as pip names it (optional)
    [question.evidence]
    shows = "What one will see, and what it proves."
    code = "…"  # or: test = "tests/…/test_x.py::test_name"

``load`` needs the files to be whole; ``problems`` looks at every rule, and says each broken one in
a sentence.
"""

from __future__ import annotations

import ast
import difflib
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground import workspace
from playground.errors import Told
from playground.interview.folding import fold

FOLDER = Path(__file__).with_name("questions")
LEVELS = ("junior", "mid", "senior", "staff")
ENOUGH = 80  # questions in the whole bank
WORDS = {"question": (4, 45), "short": (40, 95), "long": (150, 330), "wrong": (10, 110)}
FOLLOW_UPS = (2, 4)
MAX_LINES = 25  # of an evidence's code
COLUMNS = 78  # in which it can be shown, if its long lines are broken
TESTS_PART = 1 / 3  # of the evidences, at most, are tests of the suite
STOPWATCH = frozenset({"perf_counter", "monotonic", "latency_s", "wall_s", "elapsed", "elapsed_s"})

_FIELDS: dict[str, type] = {
    "id": str, "level": str, "question": str, "short": str, "long": str,
    "follow_ups": list, "wrong": str, "versions": list, "evidence": dict,
}  # fmt: skip
_OPTIONAL = {"versions"}
_KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")


class BankError(Told):
    """The bank has no such question, or cannot be read; the message is a sentence."""


@dataclass(frozen=True)
class Evidence:
    """What shows that an answer is right: a few lines of Python, or a test of the suite."""

    shows: str  # one sentence
    code: str = ""
    test: str = ""  # node id: "tests/…/test_x.py::test_name"


@dataclass(frozen=True)
class Question:
    """One question, as its file has it."""

    id: str  # stable: practice and Anki know the question by it
    level: str  # one of LEVELS
    question: str
    short: str  # 30 seconds
    long: str  # two minutes; paragraphs are apart by an empty line
    follow_ups: tuple[str, ...]
    wrong: str
    versions: tuple[str, ...]  # names of distributions, as pip writes them
    evidence: Evidence
    file: str  # the stem of its file: "02_wsgi"

    @property
    def chapter(self) -> str:
        """The chapter's number, two digits."""
        return self.file[:2]


def load(folder: Path = FOLDER) -> list[Question]:
    """Return all questions, in the order of the course; raises BankError for a broken file."""
    questions, broken = _read(folder)
    if broken:
        raise BankError(broken[0])
    return questions


def select(
    questions: Sequence[Question], chapter: str | None = None, level: str | None = None
) -> list[Question]:
    """Return those of a chapter ("2", "02", "02_wsgi") and a level; raises BankError."""
    if level is not None and level not in LEVELS:
        raise BankError(f"There is no level {level!r}: {', '.join(LEVELS)} are.")
    wanted = chapter.zfill(2) if chapter is not None and chapter.isdigit() else chapter
    found = [each for each in questions if wanted in (None, each.chapter, each.file)]
    if not found:
        raise BankError(f"There are no questions for chapter {chapter!r}: give one of 00 to 11.")
    return [each for each in found if level in (None, each.level)]


def find(name: str, questions: Sequence[Question]) -> Question:
    """Return the question with the id `name`; raises BankError, which proposes what was meant."""
    known = {each.id: each for each in questions}
    if name in known:
        return known[name]
    holding = [each for each in known if name and name in each]
    near = holding or difflib.get_close_matches(name, known, n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    raise BankError(
        f"There is no question {name!r}.{meant} `playground interview --list` lists them all."
    )


def problems(folder: Path = FOLDER) -> list[str]:
    """Return every broken rule of every question in a sentence; [] when all are kept."""
    questions, found = _read(folder)
    pins = pinned()
    chapters = {path.stem for path in (workspace.checkout() / "notebooks").glob("*.ipynb")}
    for file in sorted({each.file for each in questions} - chapters):
        found.append(f"{file}.toml: no chapter is called so; name it as its notebook is.")
    for each in questions:
        found += [f"{each.file}.toml, {each.id}: {what}" for what in _broken(each, pins)]
    for field in ("id", "question"):
        for value, count in Counter(getattr(each, field) for each in questions).items():
            if count > 1:
                found.append(f"{count} questions have the same {field}: {value!r}.")
    return found


def gaps(questions: Sequence[Question]) -> list[str]:
    """Return what the bank as a whole still lacks, a sentence each."""
    found = []
    if len(questions) < ENOUGH:
        found.append(f"{len(questions)} questions; there should be {ENOUGH} or more.")
    have = {each.chapter for each in questions}
    if missing := [f"{number:02}" for number in range(12) if f"{number:02}" not in have]:
        found.append(f"No questions for chapter {', '.join(missing)}.")
    levels = {each.level for each in questions}
    if absent := [level for level in LEVELS if level not in levels]:
        found.append(f"No questions of level {', '.join(absent)}.")
    tests = sum(bool(each.evidence.test) for each in questions)
    if tests > TESTS_PART * len(questions):
        found.append(f"{tests} of {len(questions)} evidences are tests; at most a third may be.")
    return found


def pinned() -> dict[str, str]:
    """Return the tested version of every distribution: normal name to version."""
    lines = (workspace.checkout() / "constraints.txt").read_text("utf-8").splitlines()
    pairs = (line.partition(";")[0].strip().split("==") for line in lines if "==" in line)
    return {normal(name): number for name, number in pairs}


def normal(name: str) -> str:
    """Return the name of a distribution as it is compared (PyPA, "Names and normalization")."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _read(folder: Path) -> tuple[list[Question], list[str]]:
    """Return the questions that have all their fields, and what is wrong with the others."""
    questions: list[Question] = []
    broken: list[str] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            data = tomllib.loads(path.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            broken.append(f"{path.name} is not TOML: {error}.")
            continue
        entries = data.pop("question", None)
        if data or not isinstance(entries, list):
            broken.append(f"{path.name}: it should hold [[question]] tables and nothing else.")
            continue
        for number, entry in enumerate(entries, 1):
            wrong = _misshapen(entry)
            name = entry.get("id", f"question {number}") if isinstance(entry, dict) else number
            broken += [f"{path.name}, {name}: {what}" for what in wrong]
            if not wrong:
                questions.append(_question(entry, path.stem))
    return questions, broken


def _misshapen(entry: Any) -> list[str]:
    """What keeps a table of the file from being a question."""
    if not isinstance(entry, dict):
        return ["it is no table."]
    found = [f"{name} is missing." for name in _FIELDS if name not in {*entry, *_OPTIONAL}]
    found += [f"{name!r} is no field of a question." for name in entry if name not in _FIELDS]
    for name, kind in _FIELDS.items():
        if name in entry and not isinstance(entry[name], kind):
            found.append(f"{name} must be {kind.__name__}, not {entry[name]!r}.")
        elif kind is list and not all(isinstance(one, str) for one in entry.get(name, [])):
            found.append(f"{name} must be a list of strings.")
    evidence = entry.get("evidence")
    if isinstance(evidence, dict):
        found += [
            f"evidence has {name!r}; it has `shows`, and `code` or `test`."
            for name, value in evidence.items()
            if name not in ("shows", "code", "test") or not isinstance(value, str)
        ]
        if "shows" not in evidence or ("code" in evidence) == ("test" in evidence):
            found.append("evidence needs `shows`, and either `code` or `test`.")
    return found


def _question(entry: dict[str, Any], file: str) -> Question:
    evidence = {name: value.strip() for name, value in entry["evidence"].items()}
    evidence["shows"] = _line(evidence["shows"])
    return Question(
        id=entry["id"],
        level=entry["level"],
        question=_line(entry["question"]),
        short=entry["short"].strip(),
        long=entry["long"].strip(),
        follow_ups=tuple(_line(one) for one in entry["follow_ups"]),
        wrong=entry["wrong"].strip(),
        versions=tuple(entry.get("versions", ())),
        evidence=Evidence(**evidence),
        file=file,
    )


def _line(text: str) -> str:
    """Return a text that is broken into lines as one line."""
    return " ".join(text.split())


def _broken(question: Question, pins: dict[str, str]) -> Iterator[str]:
    """The rules that one question breaks."""
    if not _KEBAB.fullmatch(question.id):
        yield "the id should be lower-case words with hyphens between them."
    if question.level not in LEVELS:
        yield f"the level {question.level!r} should be one of {', '.join(LEVELS)}."
    for name, (least, most) in WORDS.items():
        text: str = getattr(question, name)
        count = len(text.split())
        if not least <= count <= most:
            yield f"{name} has {count} words; it should have {least} to {most}."
        yield from _unplain(name, text)
    if not FOLLOW_UPS[0] <= len(question.follow_ups) <= FOLLOW_UPS[1]:
        yield f"it has {len(question.follow_ups)} follow-ups; it should have 2 to 4."
    if not all(question.follow_ups):
        yield "a follow-up is empty."
    yield from _misversioned(question, pins)
    yield from _unproven(question.evidence)


def _unplain(name: str, text: str) -> Iterator[str]:
    """Markdown that is more than paragraphs, lists and code spans."""
    if re.search(r"^\s*(#|```|>)", text, re.MULTILINE):
        yield f"{name} has a heading, a code block or a quotation; use paragraphs and `code`."
    if text.count("`") % 2:
        yield f"{name} has a back-tick without its partner."


def _misversioned(question: Question, pins: dict[str, str]) -> Iterator[str]:
    text = f"{question.question} {question.short} {question.long}"
    for name in question.versions:
        if name != normal(name) or name not in pins:
            yield f"versions has {name!r}, which constraints.txt does not pin (lower case)."
        elif not _names(text, name, pins[name]):
            yield (
                f"it depends on {name}, so its text should name {name} {pins[name]}"
                " (or check the answer again: the version has changed)."
            )
    for name, number in pins.items():
        if name not in question.versions and _names(text, name, number):
            yield f"its text names {name} {number}: add {name!r} to versions."


def _names(text: str, name: str, number: str) -> bool:
    spelled = re.escape(name).replace(r"\-", "[-_. ]")
    return bool(re.search(rf"\b{spelled}`? {re.escape(number)}(?![.\d]*\d)", text, re.IGNORECASE))


def _unproven(evidence: Evidence) -> Iterator[str]:
    """What an evidence lacks."""
    if not 5 <= len(evidence.shows.split()) <= 60:
        yield "evidence.shows should be a sentence of 5 to 60 words."
    yield from _uncoded(evidence.code) if evidence.code else _untested(evidence.test)


def _uncoded(code: str) -> Iterator[str]:
    lines = len(code.splitlines())
    if lines > MAX_LINES:
        yield f"the evidence has {lines} lines; it should have at most {MAX_LINES}."
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError) as error:
        yield f"the evidence is no Python: {error}."
        return
    widest = max(fold(code, COLUMNS).splitlines(), key=len)
    if len(widest) > COLUMNS:
        yield f"a line of the evidence cannot be shown in {COLUMNS} columns: {widest.strip()}"
    nodes = list(ast.walk(tree))
    asserts = [node for node in nodes if isinstance(node, ast.Assert)]
    if not any(isinstance(node, ast.Call) and _called(node) == "print" for node in nodes):
        yield "the evidence prints nothing; print what was seen."
    if not asserts or any(isinstance(node.test, ast.Constant) for node in asserts):
        yield "the evidence should assert its claim."
    for node in asserts:
        words = {getattr(each, "id", getattr(each, "attr", "")) for each in ast.walk(node.test)}
        if timed := sorted(words & STOPWATCH):
            yield f"the evidence asserts on the stopwatch ({timed[0]}); use order or counts."


def _called(node: ast.Call) -> str:
    return getattr(node.func, "id", "")


def _untested(test: str) -> Iterator[str]:
    """Look for the test in the text of its file; what pytest collects is the suite's to prove."""
    file, _, name = test.partition("::")
    path = workspace.checkout() / file
    if not file.startswith("tests/") or not path.is_file():
        yield f"there is no test file {file!r}."
        return
    functions = {
        node.name
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    wanted = name.partition("[")[0].rpartition("::")[2]
    if not wanted.startswith("test") or wanted not in functions:
        yield f"{file} has no test {wanted!r}."
