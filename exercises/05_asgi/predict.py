r"""Predict: what do these apps get, and what do their clients get?

The server is the one of this course: `python -m minimal_servers asgi …`. Each line of VISITS is one
request. Predict what is asked for:

- requests: how many http.request messages the app gets
- gives: what the receive in question gives: "http.request", "http.disconnect", or "nothing" if it
  is still waiting when the app gives up
- framing: how the head says where the body ends: "length" (a Content-Length), "chunked", or "none"
- chunks: how many chunks with data arrive
- status: the status of the response that the client gets
- whole: True if the client can *know* that it has the whole response, else False
- invitations: how many `100 Continue` arrive before the response

Write your predictions first. Then check: the grader starts the server, sends the requests, takes
the bytes apart, and puts what it has measured beside your prediction. It serves the apps as they
are here; changes that you make to them change nothing.

What you need: ASGI HTTP (Request, Response Start, Response Body, Disconnect), RFC 9112 §7.1
(chunks) and RFC 9110 §10.1.1 (Expect).
"""

import asyncio

NOTED = []  # what a receive gave, for the visits that can tell it to nobody


def start(status=200):
    return {"type": "http.response.start", "status": status, "headers": []}


def body(block, more=False):
    return {"type": "http.response.body", "body": block, "more_body": more}


async def counts(scope, receive, send):
    await send(start())
    more = True
    while more:
        more = (await receive())["more_body"]
        await send(body(b"one http.request\n", more))


async def one_block(scope, receive, send):
    await send(start())
    await send(body(b"soup of the day"))


async def three_blocks(scope, receive, send):
    await send(start())
    await send(body(b"soup", more=True))
    await send(body(b"", more=True))
    await send(body(b" of the day"))


async def fails_early(scope, receive, send):
    await send(start(200))
    raise RuntimeError("no soup")


async def fails_late(scope, receive, send):
    await send(start(200))
    await send(body(b"soup", more=True))
    raise RuntimeError("no salad")


async def asks_again(scope, receive, send):
    await receive()  # the http.request
    second = asyncio.ensure_future(receive())
    await asyncio.wait([second], timeout=0.3)
    given = second.result()["type"] if second.done() else "nothing"
    second.cancel()
    await send(start())
    await send(body(given.encode()))


async def asks_later(scope, receive, send):
    await one_block(scope, receive, send)
    NOTED.append((await receive())["type"])


async def is_left_alone(scope, receive, send):
    await send(start())
    await send(body(b"welcome", more=True))
    await receive()  # the http.request
    NOTED.append((await receive())["type"])


VISITS = {
    # The client sends a body of 12 bytes in three packets. Each waits until the app has got the
    # one before it.
    "in_pieces": ("POST", counts),
    # The same body, in one packet with the head.
    "in_one_packet": ("POST", counts),
    # No body, and no Content-Length.
    "without_a_body": ("GET", counts),
    "one_block": ("GET", one_block),
    "three_blocks": ("GET", three_blocks),
    "fails_early": ("GET", fails_early),
    "fails_late": ("GET", fails_late),
    # A second receive, while the client waits for the answer.
    "asks_again": ("GET", asks_again),
    # A receive after the last message of the response. The client has kept the connection open.
    "asks_later": ("GET", asks_later),
    # The client reads the welcome, and hangs up.
    "is_left_alone": ("GET", is_left_alone),
    # Both clients announce a body of 12 bytes with `Expect: 100-continue`, and wait.
    "invites": ("POST", counts),
    "does_not_invite": ("POST", one_block),
}

PREDICTION = {
    "in_pieces": {"requests": None},
    "in_one_packet": {"requests": None},
    "without_a_body": {"requests": None},
    "one_block": {"framing": None, "chunks": None},
    "three_blocks": {"framing": None, "chunks": None},
    "fails_early": {"status": None, "framing": None},
    "fails_late": {"status": None, "chunks": None, "whole": None},
    "asks_again": {"gives": None},
    "asks_later": {"gives": None},
    "is_left_alone": {"gives": None},
    "invites": {"invitations": None},
    "does_not_invite": {"invitations": None},
}
