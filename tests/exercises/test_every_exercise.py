"""Every exercise keeps its promises: data, stub, solution, alternatives, mutants."""

import pytest

from playground import workspace
from playground.grading import exercise, verify

EXERCISES = exercise.load()
PROMISES = [promise for each in EXERCISES for promise in verify.promises(each)]


@pytest.mark.parametrize(
    "promise", PROMISES, ids=[f"{p.exercise.id}-{p.name.replace(' ', '-')}" for p in PROMISES]
)
def test_promise(promise: verify.Promise) -> None:
    problem = promise.problem()
    assert not problem, problem


def test_there_are_exercises() -> None:
    assert EXERCISES


def test_no_stray_files() -> None:
    assert verify.stray(EXERCISES, workspace.checkout()) == []


def test_no_mutant_twice() -> None:
    assert verify.twins(EXERCISES) == []


def test_order_is_unique_within_a_chapter() -> None:
    places = [(each.chapter, each.order) for each in EXERCISES]
    assert len(places) == len(set(places))
