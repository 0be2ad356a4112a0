# Question by question, put together in the end.

"""Predict: what do these apps get, and what do their clients get?"""

from itertools import chain

REQUESTS = {"in_pieces": 3, "in_one_packet": 1, "without_a_body": 1}
FRAMING = {"one_block": "length", "three_blocks": "chunked", "fails_early": "length"}
CHUNKS = {"one_block": 0, "three_blocks": 2, "fails_late": 1}
STATUS = {"fails_early": 500, "fails_late": 200}
GIVES = dict.fromkeys(("asks_later", "is_left_alone"), "http.disconnect") | {
    "asks_again": "nothing"
}
INVITATIONS = {"invites": 1, "does_not_invite": 0}
QUESTIONS = {
    "requests": REQUESTS,
    "framing": FRAMING,
    "chunks": CHUNKS,
    "status": STATUS,
    "whole": {"fails_late": False},
    "gives": GIVES,
    "invitations": INVITATIONS,
}

PREDICTION = {
    visit: {key: answers[visit] for key, answers in QUESTIONS.items() if visit in answers}
    for visit in chain.from_iterable(QUESTIONS.values())
}
