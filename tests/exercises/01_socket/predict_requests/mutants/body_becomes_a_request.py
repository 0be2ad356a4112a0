# Takes the body for a request, because it looks like one.
# Message: came back predicted (2, 1)
# Message: expected measured (1, 1)
# Message: the app read b'GET /2 HTTP/1.1\r\nHost: a\r\n\r\n'

PREDICTION = {  # name: (requests that reach the app, 1 if the connection stays open or 0)
    # Pipelining: the second request waits in the buffer until the first one is answered.
    "two_at_once": (2, 1),
    # 28 bytes of body are body, whatever they look like.
    "letter_in_a_letter": (2, 1),
    # HTTP/1.0 closes after the response unless the client asks for keep-alive.
    "old_and_new": (1, 0),
    # The request that says close is still answered. What comes after it is not even read.
    "close_in_the_middle": (2, 0),
    # The body is b"helloGET /". What is left begins with b"2 HTTP/1.1", and that is refused.
    "length_too_large": (1, 0),
    # Two lengths: refused before the app hears of it, and the connection cannot be trusted.
    "two_lengths": (0, 0),
}
