"""The course as it stands keeps its promises: form, exercises, and the code it ends with."""

from pathlib import Path

from playground.gate import course
from playground.grading import exercise

CHECKOUT = Path(__file__).resolve().parents[2]


def test_the_gate_is_green() -> None:
    catalogue = {one.id: one.rel for one in exercise.load()}
    assert [str(problem) for problem in course.check(CHECKOUT, catalogue)] == []


def test_there_are_fourteen_exercises_and_more_in_chapters_01_to_03() -> None:
    chapters = [one.chapter[:2] for one in exercise.load()]
    assert sum(chapter in ("01", "02", "03") for chapter in chapters) >= 14
    assert min(chapters.count(chapter) for chapter in ("01", "02", "03")) >= 4
