"""How often codes may be tried, by a clock of the test's own."""

from __future__ import annotations

from playground.classroom.guesses import MOST_ADDRESSES, Buckets, Guesses


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def guess(guesses: Guesses, address: str) -> float:
    """A wrong code from there, if it is looked at."""
    wait_s = guesses.wait_s(address)
    if not wait_s:
        guesses.wrong(address)
    return wait_s


def test_an_address_has_sixty_at_once_and_one_a_second_after_that() -> None:
    clock = Clock()
    guesses = Guesses(clock)
    assert [guess(guesses, "a") for _ in range(60)] == [0.0] * 60
    assert guess(guesses, "a") == 1.0
    assert guess(guesses, "b") == 0.0  # another address
    clock.now += 1
    assert guess(guesses, "a") == 0.0
    assert guess(guesses, "a") == 1.0


def test_the_right_code_costs_nothing() -> None:
    guesses = Guesses(Clock())
    assert {guesses.wait_s("a") for _ in range(1000)} == {0.0}


def test_many_addresses_together_are_slowed_down_too() -> None:
    guesses = Guesses(Clock())
    assert [guess(guesses, str(number)) for number in range(600)] == [0.0] * 600
    assert guess(guesses, "another") > 0


def test_a_clock_that_is_set_back_gives_nothing() -> None:
    clock = Clock()
    guesses = Guesses(clock)
    for _ in range(60):
        guess(guesses, "a")
    clock.now -= 500
    assert guess(guesses, "a") > 0


def test_several_are_taken_together_or_not_at_all() -> None:
    clock = Clock()
    buckets = Buckets(10, 2.0, clock)
    assert buckets.take("a", 8) == 0.0
    assert buckets.take("a", 8) == 3.0
    assert buckets.take("a", 2) == 0.0
    clock.now += 3
    assert buckets.take("a", 6) == 0.0


def test_no_number_of_addresses_fills_the_memory() -> None:
    buckets = Buckets(1, 1.0, Clock())
    for number in range(MOST_ADDRESSES + 50):
        buckets.take(str(number))
    assert len(buckets._buckets) == MOST_ADDRESSES
