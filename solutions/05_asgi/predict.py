"""Predict: what do these apps get, and what do their clients get?"""

PREDICTION = {
    # receive gives what has arrived. Three packets, three messages, since nobody waited for more.
    "in_pieces": {"requests": 3},
    "in_one_packet": {"requests": 1},
    # An empty body is a body: one message, b"", the last one.
    "without_a_body": {"requests": 1},
    # The head waits for the first body message, and that is the last one: the length is known.
    "one_block": {"framing": "length", "chunks": 0},
    # The first is not the last. An empty block is no chunk: a chunk of size 0 is the end.
    "three_blocks": {"framing": "chunked", "chunks": 2},
    # The head has not left: the server can still say 500.
    "fails_early": {"status": 500, "framing": "length"},
    # It has left. The last chunk is missing, and so the client knows.
    "fails_late": {"status": 200, "chunks": 1, "whole": False},
    # The body is over, the client is there, the response is not complete: nothing to tell.
    "asks_again": {"gives": "nothing"},
    # The response is complete, whoever is there.
    "asks_later": {"gives": "http.disconnect"},
    "is_left_alone": {"gives": "http.disconnect"},
    # Whoever calls receive wants the body. Whoever answers without it gets none.
    "invites": {"invitations": 1},
    "does_not_invite": {"invitations": 0},
}
