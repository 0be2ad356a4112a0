r"""Predict: how many requests does a strict server see in these bytes?

Six times somebody connects and sends all the bytes at once. Predict two numbers for each:
- how many requests reach the app. One that is refused with 400 does not;
- 1 if the connection is still open for another request afterwards, 0 if the server closes it.

Write your numbers first. Then check: the grader starts the server of this course and sends the very
bytes. Then it asks `still open?` on the same connection; that request is not counted. It puts what
it has measured beside your prediction.

What you need: a connection persists in HTTP/1.1 unless somebody says `close` (RFC 9112 §9.3), a
body has exactly the length that the fields say (§6.3), and requests may be sent one after the other
without a pause (§9.3.2). What could be read in two ways is refused, and that ends the connection.

For example b"GET / HTTP/1.1\r\n\r\n" would be (0, 0): without Host it is refused with 400.
"""

SENT = {
    "two_at_once": b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
    "letter_in_a_letter": (
        b"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 28\r\n\r\n"
        b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"  # 28 bytes
    ),
    "old_and_new": b"GET /1 HTTP/1.0\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
    "close_in_the_middle": (
        b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
        b"GET /2 HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n"
        b"GET /3 HTTP/1.1\r\nHost: a\r\n\r\n"
    ),
    "length_too_large": (
        b"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello"
        b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"
    ),
    "two_lengths": (
        b"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"
    ),
}

PREDICTION = {  # name: (requests that reach the app, 1 if the connection stays open or 0)
    "two_at_once": (None, None),
    "letter_in_a_letter": (None, None),
    "old_and_new": (None, None),
    "close_in_the_middle": (None, None),
    "length_too_large": (None, None),
    "two_lengths": (None, None),
}
