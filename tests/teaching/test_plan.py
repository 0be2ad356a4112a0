"""The plans add up, and the document shows what is computed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from playground.grading import exercise
from playground.teaching import document, plan, sections
from playground.teaching.plan import Block, Item, Plan

CHECKOUT = Path(__file__).resolve().parents[2]
CATALOGUE = {one.id: one for one in exercise.load()}
CHAPTERS = sections.load()


def made(*blocks: tuple[int, list[Item]]) -> Plan:
    found = [Block("a block", "because", target, tuple(items), ()) for target, items in blocks]
    return Plan("a-plan", "A plan", "because", sum(b.target for b in found), tuple(found))


def test_all_chapters_that_are_taught_are_here() -> None:
    assert tuple(CHAPTERS) == sections.TAUGHT


@pytest.mark.parametrize("name", plan.NAMES)
def test_the_document_shows_the_plan_as_it_is_computed(name: str) -> None:
    text = (CHECKOUT / document.DOCUMENT).read_text("utf-8")
    assert document.updated(text, CHECKOUT, CATALOGUE) == text
    found, _ = plan.load(name, CHAPTERS, CATALOGUE)
    assert f"planned {found.planned}, target {found.target}" in plan.markdown(found)
    assert plan.markdown(found) in text


@pytest.mark.parametrize(
    ("name", "target"), [("half-day", 195), ("one-day", 360), ("two-day", 720)]
)
def test_a_plan_keeps_to_its_time(name: str, target: int) -> None:
    found, _ = plan.load(name, CHAPTERS, CATALOGUE)
    assert found.target == target
    assert abs(found.over) <= target * 0.03
    assert all(abs(block.over) <= 10 for block in found.blocks)
    assert all(block.reason for block in found.blocks)


def test_the_minutes_are_those_of_the_notebooks_and_of_the_exercises() -> None:
    found, _ = plan.load("half-day", CHAPTERS, CATALOGUE)
    items = {item.text: item.minutes for block in found.blocks for item in block.items}
    chapter = CHAPTERS["00"]
    asked = sum(note.kind == "ask" for section in chapter.sections for note in section.notes)
    assert items[f"{chapter.title}: all of it"] == chapter.minutes + asked
    one = CATALOGUE["truck-predict"]
    assert items[f"{one.id}: {one.title}"] == one.minutes


def test_sums_leave_breaks_out() -> None:
    one = made((30, [Item("room", "talk", 20), Item("break", "coffee", 15)]), (30, []))
    assert (one.planned, one.target, one.over, one.breaks) == (20, 60, -40, 15)
    data = one.as_data()
    assert data["minutes"] == {"planned": 20, "target": 60, "over": -40, "breaks": 15}
    assert data["blocks"][0]["minutes"] == {"planned": 20, "target": 30, "over": -10}


def test_with_less_time_things_go_in_their_order_until_it_fits() -> None:
    items = [Item("room", "must", 30), Item("room", "b", 20, drop=2), Item("room", "a", 20, drop=1)]
    fitted = plan.fit(made((70, items)), [], 55)
    assert [item.text for item in fitted.blocks[0].items] == ["must", "b"]
    assert (fitted.left_out, fitted.target, fitted.over) == (("a",), 55, -5)
    assert plan.fit(made((70, items)), [], 10).over == 20  # what must be taught stays


def test_with_more_time_spare_things_come_as_far_as_they_fit() -> None:
    spare = [(1, Item("room", "long", 50, spare=True)), (0, Item("room", "short", 10, spare=True))]
    fitted = plan.fit(made((30, [Item("room", "x", 30)]), (30, [])), spare, 75)
    assert [item.text for block in fitted.blocks for item in block.items] == ["x", "short"]
    assert sum(block.target for block in fitted.blocks) == 75
    assert plan.fit(made((30, [])), spare[1:], 30).planned == 0  # the plan itself is not filled up


@pytest.mark.parametrize(
    ("items", "sentence"),
    [
        ('{ chapter = "77" }', "chapter '77', which does not exist"),
        ('{ chapter = "02", sections = ["Step 99"] }', "has 0 sections named 'Step 99'"),
        ('{ exercise = "nothing" }', "exercise 'nothing', which does not exist"),
        ('{ exercise = "wsgi-input" }, { exercise = "wsgi-input" }', "'wsgi-input' twice"),
        ('{ chapter = "02" }, { chapter = "02", sections = ["See"] }', "'02 See' twice"),
    ],
)
def test_a_plan_that_cannot_be_taught_is_refused(tmp_path: Path, items: str, sentence: str) -> None:
    file = tmp_path / "plans.toml"
    block = f'[[p.block]]\ntitle="b"\nminutes=5\nreason="r"\nitems=[{items}]\n'
    file.write_text(f'[p]\ntitle="t"\nreason="r"\n{block}')
    with pytest.raises(sections.TeachingError, match=re.escape(sentence)):
        plan.load("p", CHAPTERS, CATALOGUE, file)


def playground(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "playground", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "80"},
    )


def test_the_command_prints_the_plan_and_its_sums() -> None:
    done = playground("plan", "half-day", "--minutes", "150")
    assert (done.returncode, done.stderr) == (0, "")
    assert "target 150" in done.stdout
    assert "Left out" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_the_command_gives_it_to_a_script() -> None:
    data = json.loads(playground("plan", "two-day", "--json").stdout)
    assert data["estimated"] is True
    assert (
        sum(block["minutes"]["planned"] for block in data["blocks"]) == (data["minutes"]["planned"])
    )


def test_an_unknown_plan_is_one_sentence() -> None:
    done = playground("plan", "a-week")
    assert done.returncode == 1
    assert done.stderr == (
        "playground: There is no plan 'a-week': choose half-day, one-day, two-day.\n"
    )
