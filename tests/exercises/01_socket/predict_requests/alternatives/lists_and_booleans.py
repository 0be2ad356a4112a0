"""Counts and names instead of tuples of digits."""

OPEN, CLOSED = True, False

requests = {
    "two_at_once": 2, "letter_in_a_letter": 1, "old_and_new": 1, "close_in_the_middle": 2,
    "length_too_large": 1, "two_lengths": 0,
}  # fmt: skip
PREDICTION = {name: [count, CLOSED] for name, count in requests.items()}
for name in ("two_at_once", "letter_in_a_letter"):
    PREDICTION[name][1] = OPEN
