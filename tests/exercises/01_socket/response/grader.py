"""Grader of http-response: the form of RFC 9112 §4, the bodies that must not be, injection."""

from http import HTTPStatus

from playground.grading import Learner

NAME = "build_response"
TYPE = ("Content-Type", "text/plain")


def check_simple(learner: Learner) -> None:
    """Builds the answer of the example."""
    learner.expect(NAME, 200, [TYPE], b"hello").returns(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello",
        why="RFC 9112 §2.1: start-line CRLF *( field-line CRLF ) CRLF [ message-body ]",
        nudge="Every line ends with CRLF, and an empty one comes before the body.",
    )


def check_length(learner: Learner) -> None:
    """Counts the bytes of the body, and leaves them alone."""
    for body in (b"", "caf\xe9".encode(), b"\x00\r\n\r\n\xff", b"x" * 70_000):
        learner.expect(NAME, 200, [], body).returns(
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body),
            why="RFC 9110 §8.6: Content-Length counts bytes; an empty body has the length 0",
            nudge="The body is bytes already. Never decode it.",
        )


def check_reasons(learner: Learner) -> None:
    """Names the reason of a status, and leaves an unknown one empty."""
    why = "RFC 9112 §4: status-line = HTTP-version SP status-code SP [ reason-phrase ]"
    for status in (200, 201, 303, 404, 405, 418, 500, 503):
        phrase = HTTPStatus(status).phrase.encode()
        learner.expect(NAME, status, [], b"x").returns(
            b"HTTP/1.1 %d %b\r\nContent-Length: 1\r\n\r\nx" % (status, phrase),
            why=why, nudge="http.HTTPStatus(404).phrase",
        )  # fmt: skip
    for status in (299, 499, 599):
        learner.expect(NAME, status, [], b"x").returns(
            b"HTTP/1.1 %d \r\nContent-Length: 1\r\n\r\nx" % status,
            why=why, nudge="HTTPStatus(299) raises. The space after the number stays.",
        )  # fmt: skip


def check_fields(learner: Learner) -> None:
    """Writes the fields as they are, in their order."""
    fields = [("Set-Cookie", "a=1"), ("X-Empty", ""), ("set-cookie", "b=2; Path=/"), TYPE]
    learner.expect(NAME, 200, fields, b"").returns(
        b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX-Empty: \r\nset-cookie: b=2; Path=/\r\n"
        b"Content-Type: text/plain\r\nContent-Length: 0\r\n\r\n",
        why="RFC 9110 §5.3: order and repetition of fields carry meaning, for cookies above all",
        nudge="A dict would lose one. Names keep the case that the app gave them.",
    )
    for value in ("caf\xe9", "a\tb", "\xa0~ \x80\xff", '"quoted", :'):
        learner.expect(NAME, 200, [("X-Tag", value)], b"").returns(
            b"HTTP/1.1 200 OK\r\nX-Tag: " + value.encode("latin-1")
            + b"\r\nContent-Length: 0\r\n\r\n",
            why="RFC 9110 §5.5: a value may have tabs, and bytes from 0x80 on, written as latin-1",
            nudge="Which characters does your check refuse, and how do you encode?",
        )  # fmt: skip
    learner.expect(NAME, 200, [("!#$%&'*+-.^_`|~09azAZ", "v")], b"").returns(
        b"HTTP/1.1 200 OK\r\n!#$%&'*+-.^_`|~09azAZ: v\r\nContent-Length: 0\r\n\r\n",
        why="RFC 9110 §5.6.2: a name is a token, and these characters all belong to tokens",
        nudge="In a regular expression, - and ^ have a meaning of their own inside [ ].",
    )


def check_head(learner: Learner) -> None:
    """Answers HEAD with the head of GET, and without the body."""
    for status, body in ((200, b"hello"), (404, b"not here"), (200, b"")):
        reason = HTTPStatus(status).phrase.encode()
        learner.expect(NAME, status, [TYPE], body, "HEAD").returns(
            b"HTTP/1.1 %d %b\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n"
            % (status, reason, len(body)),
            why="RFC 9110 §9.3.2: the same fields as for GET, but no content; a client that gets"
            " a body all the same takes it for the next response",
            nudge="Only the last step differs: what comes after the empty line.",
        )
    learner.expect(NAME, 200, [], b"hello", "POST").returns(
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        why="RFC 9110 §9.3.2: HEAD is the only method of these whose answer has no content",
        nudge="POST is answered like GET.",
    )


def check_no_body(learner: Learner) -> None:
    """Sends neither body nor Content-Length with 204 and 304."""
    for status, reason in ((204, b"No Content"), (304, b"Not Modified")):
        for method in ("GET", "HEAD", "POST"):
            for body in (b"", b"hello"):
                learner.expect(NAME, status, [("ETag", '"1"')], body, method).returns(
                    b'HTTP/1.1 %d %b\r\nETag: "1"\r\n\r\n' % (status, reason),
                    why="RFC 9112 §6.3 and RFC 9110 §8.6: these end with their head, and a"
                    " Content-Length of 0 would be wrong: 204 must not have one, 304 would describe"
                    " what the client has",
                    nudge="Whether there is a body depends on the status first.",
                )
    for status, reason in ((205, b"Reset Content"), (203, b"Non-Authoritative Information"),
                           (303, b"See Other"), (305, b"Use Proxy")):  # fmt: skip
        learner.expect(NAME, status, [], b"").returns(
            b"HTTP/1.1 %d %b\r\nContent-Length: 0\r\n\r\n" % (status, reason),
            why="RFC 9112 §6.3: all other responses need a length, if only 0",
            nudge="204 and 304 are the exceptions, not 2xx or 3xx.",
        )


def check_splitting(learner: Learner) -> None:
    """Refuses a value that would begin another line."""
    for value in (
        "/a\r\nSet-Cookie: admin=1", "/a\r\n\r\n<script>", "a\nb: c", "a\rb: c", "a\n", "a\r",
        "\r\nb: c", "a\r\n", "\n",
    ):  # fmt: skip
        for method in ("GET", "HEAD"):
            learner.expect(NAME, 302, [("Location", value)], b"", method).raises(
                "ValueError",
                why="RFC 9110 §5.5: CR and LF in a value let a stranger write fields, or a whole"
                " second response (response splitting)",
                nudge="One CR or one LF is enough, at the end too. List what is allowed.",
            )


def check_values(learner: Learner) -> None:
    """Refuses the other control characters, and what latin-1 does not have."""
    characters = [*map(chr, [0, 1, 8, 11, 12, 14, 27, 31, 127]), "\u0100", "\u20ac", "\u2028"]
    for character in characters:
        for value in (f"a{character}b", character):
            learner.expect(NAME, 200, [TYPE, ("X-Tag", value)], b"").raises(
                "ValueError",
                why="RFC 9110 §5.5: field values are visible characters, spaces and tabs; what is"
                " not in latin-1 has no place in a field",
                nudge="str.isprintable() knows other rules. A range of characters is exact.",
            )


def check_names(learner: Learner) -> None:
    """Refuses a name that is no token."""
    for name in (
        "", "a b", "a:", "a\r\nb", "a\n", "a ", " a", "caf\xe9", "a(b", "\u212a", "a\x00", "a/b",
        "a[", "a@", "a,b",
    ):  # fmt: skip
        learner.expect(NAME, 200, [(name, "v")], b"").raises(
            "ValueError",
            why="RFC 9110 §5.1: field-name = token, one character at least",
            nudge="Names deserve the same care as values. str.isalnum() is true for far too much.",
        )


def check_framing(learner: Learner) -> None:
    """Refuses fields that say where the body ends."""
    for name in ("Content-Length", "content-length", "CONTENT-LENGTH", "Transfer-Encoding",
                 "transfer-encoding", "tRANSFER-eNCODING"):  # fmt: skip
        for status in (200, 204):
            learner.expect(NAME, status, [TYPE, (name, "5")], b"hello").raises(
                "ValueError",
                why="RFC 9112 §6.2: two lengths, or a length and a coding, and the client cannot"
                " tell where the body ends",
                nudge="Compare names in lower case.",
            )


def check_status(learner: Learner) -> None:
    """Refuses a status that is not final."""
    for status in (100, 101, 199, 600, 999, 0, -200, 99, 1000, 20):
        learner.expect(NAME, status, [], b"").raises(
            "ValueError",
            why="RFC 9110 §15: 1xx is interim, another response follows; 599 is the end",
            nudge="HTTPStatus(100) is a status, but not one that ends an exchange.",
        )
