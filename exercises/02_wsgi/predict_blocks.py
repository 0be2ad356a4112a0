r"""Predict: what does the client get from these six apps?

The server is the one of this course. Each line of SERVED is one request: its method, its version,
and the app that answers it. Predict four things for each:

- framing: how the head says where the body ends. "length" (there is a Content-Length), "chunked"
  (there is a Transfer-Encoding: chunked), or "none" (there is neither);
- chunks: how many chunks with data arrive. 0 if the body is not chunked;
- bytes: how many bytes of body arrive, chunk sizes and the like not counted;
- whole: True if the client can *know* that it has the whole response, else False.

Write your predictions first. Then check: the grader starts the server, sends the requests, takes
the bytes apart, and puts what it has measured beside your prediction. It serves the apps as they
are here; changes that you make to them change nothing.

What you need: PEP 3333 (Handling the Content-Length Header; Buffering and Streaming), RFC 9112 §6.3
(how the end of a body is found) and §7.1 (chunks).

For example an app that returns [b"tea"] would be
{"framing": "length", "chunks": 0, "bytes": 3, "whole": True}.
"""

TEXT = [("Content-Type", "text/plain; charset=utf-8")]


def a_list(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"soup", b"", "crème".encode()]


def a_generator(environ, start_response):
    start_response("200 OK", TEXT)
    yield b"soup"
    yield b""
    yield "crème".encode()


def too_much(environ, start_response):
    start_response("200 OK", [*TEXT, ("Content-Length", "6")])
    yield b"soup"
    yield b"salad"


def breaks_off(environ, start_response):
    start_response("200 OK", TEXT)
    yield b"soup"
    raise RuntimeError("no salad")


SERVED = {
    "a_list": ("GET", "HTTP/1.1", a_list),
    "a_generator": ("GET", "HTTP/1.1", a_generator),
    "too_much": ("GET", "HTTP/1.1", too_much),
    "only_the_head": ("HEAD", "HTTP/1.1", a_list),
    "an_old_client": ("GET", "HTTP/1.0", a_generator),
    "breaks_off": ("GET", "HTTP/1.1", breaks_off),
}

PREDICTION = {
    "a_list": {"framing": None, "chunks": None, "bytes": None, "whole": None},
    "a_generator": {"framing": None, "chunks": None, "bytes": None, "whole": None},
    "too_much": {"framing": None, "chunks": None, "bytes": None, "whole": None},
    "only_the_head": {"framing": None, "chunks": None, "bytes": None, "whole": None},
    "an_old_client": {"framing": None, "chunks": None, "bytes": None, "whole": None},
    "breaks_off": {"framing": None, "chunks": None, "bytes": None, "whole": None},
}
