"""Grader of welcome-last-served: a queue advances in rounds."""

from playground.grading import Learner

NAME = "last_served"
ROUNDS = "everybody is served in ceil(parties / waiters) rounds, each as long as a meal"


def check_example(learner: Learner) -> None:
    """Eight parties, two waiters: four rounds."""
    learner.expect(NAME, 8, 2, 0.5).returns(
        2.0, why=ROUNDS, nudge="Two parties at a time: how many times half a second is that?"
    )


def check_one_waiter(learner: Learner) -> None:
    """With one waiter everybody waits for everybody before."""
    learner.expect(NAME, 5, 1, 0.25).returns(1.25, why=ROUNDS, nudge="Five rounds of one.")


def check_uneven(learner: Learner) -> None:
    """A last round that is not full takes as long as a full one."""
    for parties, waiters, expected in ((7, 2, 4.0), (9, 4, 3.0), (10, 3, 4.0)):
        learner.expect(NAME, parties, waiters, 1.0).returns(
            expected, why=ROUNDS, nudge="Does your division round up?"
        )


def check_idle_waiters(learner: Learner) -> None:
    """More waiters than parties do not make a meal shorter."""
    learner.expect(NAME, 3, 8, 2.0).returns(
        2.0, why="a party cannot be served by two waiters", nudge="There is one round."
    )


def check_nobody(learner: Learner) -> None:
    """Nobody came, nobody waits."""
    learner.expect(NAME, 0, 4, 2.0).satisfies(
        lambda seconds: type(seconds) in (int, float) and seconds == 0,
        "0.0",
        why=ROUNDS,
        nudge="No rounds at all.",
    )
