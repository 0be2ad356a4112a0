import io
import os
from wsgiref.handlers import SimpleHandler
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import numpy as np
import pytest

from playground.trace.records import Flag, Kind, make_traceparent
from playground.trace.states import State, spans
from playground.trace.wsgi import TracedWSGI
from tests.trace.conftest import TRACE_ID

PLAIN = [("Content-Type", "text/plain")]


def environ_of(request=1, **more):
    environ = {}
    setup_testing_defaults(environ)
    environ["QUERY_STRING"] = ""
    environ["HTTP_TRACEPARENT"] = make_traceparent(TRACE_ID, request)
    return {**environ, **more}


def start_response(status, headers, exc_info=None):
    if exc_info:
        raise exc_info[1]
    return written.append


written: list[bytes] = []


def serve(app, environ=None):
    """What a server does with an app."""
    result = app(environ or environ_of(), start_response)
    try:
        return b"".join(result)
    finally:
        if hasattr(result, "close"):
            result.close()


@pytest.fixture
def ended(collector, until):
    """The trace, once request 1 has ended."""

    def wait(count=1):
        def all_closed():
            records = collector.snapshot().records
            mine = records[records["kind"] == Kind.REQUEST]
            return len(mine) == count and not np.isnan(mine["dur_us"]).any()

        until(all_closed, "the end of the request")
        return collector.snapshot()

    return wait


def hello(environ, start_response):
    start_response("200 OK", PLAIN)
    return [b"hello"]


class Stream:
    """An iterable that counts its ``close()``."""

    def __init__(self, blocks, error=None, close_error=None):
        self.blocks, self.error, self.close_error, self.closed = blocks, error, close_error, 0

    def __call__(self, environ, start_response):
        start_response("200 OK", PLAIN)
        return self

    def __iter__(self):
        yield from self.blocks
        if self.error:
            raise self.error

    def close(self):
        self.closed += 1
        if self.close_error:
            raise self.close_error


def test_a_request_is_open_until_close(collector, sender, until, ended):
    result = TracedWSGI(hello, sender)(environ_of(), start_response)
    until(lambda: len(collector.snapshot().records) == 2, "the open spans")
    records = collector.snapshot().records
    assert np.isnan(records["dur_us"]).all()
    assert sorted(records["kind"]) == [Kind.REQUEST, Kind.WORKER]
    assert list(result) == [b"hello"]
    assert np.isnan(collector.snapshot().records["dur_us"]).all()
    result.close()
    trace = ended()
    assert trace.requests[1].status == 200
    assert (trace.records["request"] == 1).all()


def test_a_list_stays_a_list_with_its_length(sender):
    result = TracedWSGI(hello, sender)(environ_of(), start_response)
    assert len(result) == 1
    result.close()


def test_blocks_are_passed_on_one_by_one(sender, ended):
    asked = []

    def app(environ, start_response):
        start_response("200 OK", PLAIN)
        for block in (b"a", b"b"):
            asked.append(block)
            yield block

    result = TracedWSGI(app, sender)(environ_of(), start_response)
    assert asked == []
    assert next(iter(result)) == b"a"
    assert asked == [b"a"]
    result.close()
    ended()


def test_the_apps_close_is_called_once(sender, ended):
    stream = Stream([b"x"])
    result = TracedWSGI(stream, sender)(environ_of(), start_response)
    assert list(result) == [b"x"]
    result.close()
    result.close()
    assert stream.closed == 1
    ended()


def test_an_error_before_the_response_goes_on_and_is_recorded(sender, ended):
    def app(environ, start_response):
        raise RuntimeError("broken on purpose")

    with pytest.raises(RuntimeError, match="broken on purpose"):
        serve(TracedWSGI(app, sender))
    trace = ended()
    assert trace.requests[1].error == "RuntimeError: broken on purpose"
    assert trace.requests[1].status is None
    assert (trace.records["flags"] == Flag.ERROR).all()


def test_an_error_in_mid_response_goes_on_and_close_is_still_called(sender, ended):
    stream = Stream([b"x"], error=OSError("disk"))
    with pytest.raises(OSError, match="disk"):
        serve(TracedWSGI(stream, sender))
    assert stream.closed == 1
    trace = ended()
    assert (trace.requests[1].status, trace.requests[1].error) == (200, "OSError: disk")


def test_an_error_in_close_goes_on_and_is_recorded(sender, ended):
    with pytest.raises(ValueError, match="late"):
        serve(TracedWSGI(Stream([b"x"], close_error=ValueError("late")), sender))
    assert ended().requests[1].error == "ValueError: late"


def test_exc_info_reaches_the_server(sender, ended):
    def app(environ, start_response):
        start_response("200 OK", PLAIN)
        try:
            raise KeyError("k")
        except KeyError as error:
            start_response("500 Oops", PLAIN, (KeyError, error, error.__traceback__))
        return [b""]

    with pytest.raises(KeyError):
        serve(TracedWSGI(app, sender))
    assert ended().requests[1].error == "KeyError: 'k'"


def test_a_server_that_forgets_close_is_told_on(sender, ended):
    for request, app in enumerate((Stream([b"x"]), hello), 1):
        list(TracedWSGI(app, sender)(environ_of(request), start_response))
        assert "did not call close()" in ended(request).requests[request].error


def test_what_is_no_iterable_is_left_to_the_server(sender, ended):
    assert TracedWSGI(lambda environ, start: None, sender)(environ_of(), start_response) is None
    assert "returned NoneType" in ended().requests[1].error


def test_write_still_works(sender, ended):
    def app(environ, start_response):
        start_response("200 OK", PLAIN)(b"written")
        return []

    written.clear()
    serve(TracedWSGI(app, sender))
    assert written == [b"written"]
    assert ended().requests[1].error is None


def test_the_servers_file_wrapper_stays_what_it_was(sender, ended):
    class Opened(io.BytesIO):
        closings = 0

        def close(self):
            Opened.closings += 1
            super().close()

    def app(environ, start_response):
        start_response("200 OK", PLAIN)
        return environ["wsgi.file_wrapper"](Opened(b"file"))

    environ = environ_of(**{"wsgi.file_wrapper": FileWrapper})
    result = TracedWSGI(app, sender)(environ, start_response)
    assert isinstance(result, FileWrapper)
    assert b"".join(result) == b"file"
    result.close()
    assert Opened.closings == 1
    ended()


@pytest.mark.parametrize("cpu", [False, True])
@pytest.mark.parametrize("app", [hello, Stream([b"a", b"b"])])
def test_clean_to_the_validator_on_both_sides(sender, ended, app, cpu):
    out, errors = io.BytesIO(), io.StringIO()
    environ = environ_of(REQUEST_METHOD="GET", **{"wsgi.errors": errors})
    stack = validator(TracedWSGI(validator(app), sender, cpu))
    SimpleHandler(io.BytesIO(), out, errors, environ).run(stack)
    assert out.getvalue().endswith((b"hello", b"ab"))
    assert errors.getvalue() == ""
    assert ended().requests[1].error is None


def test_a_request_without_traceparent_is_untracked_and_labelled(sender, ended):
    environ = environ_of(PATH_INFO="/slow", QUERY_STRING="s=1")
    del environ["HTTP_TRACEPARENT"]
    serve(TracedWSGI(hello, sender), environ)
    trace = ended()
    assert [info.label for info in trace.requests.values()] == ["GET /slow?s=1"]
    assert (trace.records["request"] >= 0x8000_0000).all()


def test_each_forked_worker_has_a_lane(sender, ended):
    app = TracedWSGI(hello, sender, cpu=True)
    serve(app)
    children = []
    for request in (2, 3):
        pid = os.fork()
        if pid == 0:
            serve(app, environ_of(request))
            os._exit(0)
        os.waitpid(pid, 0)
        children.append(pid)
    trace = ended(3)
    assert [lane.pid for lane in trace.lanes[1:]] == [os.getpid(), *children]
    assert trace.meta["dropped"] == 0


def test_without_the_sampler_nothing_is_claimed(sender, ended):
    serve(TracedWSGI(hello, sender, cpu=False))
    trace = ended()
    assert spans(trace)["kind"].tolist() == [State.SERVED]
    assert trace.requests[1].cpu_us is None


class Lazy:
    """Blocks that come one by one."""

    def __init__(self, *blocks):
        self._blocks = iter(blocks)

    def __iter__(self):
        return self._blocks


@pytest.mark.parametrize("kind", [lambda *blocks: list(blocks), Lazy])
@pytest.mark.parametrize(
    ("starts", "blocks", "words"),
    [
        (True, (b"a", "b"), "the app's body consists of str, not of bytes (PEP 3333)"),
        (False, (b"a",), "the app did not call start_response before its body (PEP 3333)"),
        (False, (), "the app did not call start_response before its body (PEP 3333)"),
        (True, (), None),
        (True, (b"a",), None),
    ],
)
def test_what_the_app_did_wrong_is_recorded_and_goes_on_to_the_server(
    sender, ended, kind, starts, blocks, words
):
    def app(environ, start_response):
        if starts:
            start_response("200 OK", PLAIN)
        return kind(*blocks)

    result = TracedWSGI(app, sender)(environ_of(), start_response)
    assert list(result) == list(blocks)
    result.close()
    assert ended().requests[1].error == words
