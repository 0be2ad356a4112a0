"""Calling the learner's code from outside: values, references, steps, callbacks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.grading import Blocks, Body, Failed, Learner, Raised, Recorder, Remote, environ

SOURCE = """
import collections, enum, http
Point = collections.namedtuple("Point", "x y")
log = []

def echo(value): return value
def status(): return http.HTTPStatus.NOT_FOUND
def point(): return Point(1, b"y")
def count():
    for n in range(3):
        log.append(n)
        yield n
def seen(): return list(log)
class Counter:
    start = 5
    def __init__(self, start): self.value = start
    def add(self, n): self.value += n; return self.value
def call(function, *args): return function(*args)
def read_all(file): return [file.read(2), file.readline(), list(file)]
def fail(): raise KeyError("x")
def catch(function):
    try:
        function()
    except ValueError as error:
        return f"caught {error}"
def run_app(app, env):
    said = []
    def start_response(status, headers, exc_info=None):
        if exc_info:
            raise exc_info[1].with_traceback(exc_info[2])
        if said:
            raise AssertionError("start_response was called twice")
        said.append((status, headers))
        return said.append
    blocks = app(env, start_response)
    try:
        return [*said, *blocks]
    finally:
        if hasattr(blocks, "close"):
            blocks.close()
def lazy_app(env, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield env["wsgi.input"].read(3)
    yield b"!"
"""


@pytest.fixture(scope="module")
def learner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Learner]:
    path: Path = tmp_path_factory.mktemp("learner") / "work.py"
    path.write_text(SOURCE)
    with Learner(path, deadline_s=10) as running:
        yield running


PLAIN = [
    None, True, 0, -(10**40), 1.5, float("inf"), "", "é\ud800", b"\x00\xff", bytearray(b"a"),
    (), (1,), [b"a", [2]],
    {b"a": 1, (1, 2): [None]}, {1, 2}, frozenset({b"x"}),
]  # fmt: skip


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_plain_values_go_there_and_back(learner: Learner, value: object) -> None:
    back = learner.call("echo", value)
    assert back == value
    assert type(back) is type(value)


def test_enumerations_and_named_tuples_are_what_is_inside(learner: Learner) -> None:
    assert learner.call("status") == 404
    assert type(learner.call("status")) is int
    assert learner.call("point") == (1, b"y")
    assert type(learner.call("point")) is tuple


def test_types_count_all_the_way_down(learner: Learner) -> None:
    learner.expect("echo", [1, (b"a",)]).returns([1, (b"a",)])
    for wrong in ([True, (b"a",)], [1, [b"a"]], [1, (bytearray(b"a"),)], [1.0, (b"a",)]):
        with pytest.raises(Failed):
            learner.expect("echo", wrong).returns([1, (b"a",)])


def test_a_generator_is_stepped_one_item_at_a_time(learner: Learner) -> None:
    generator = learner.obtain("count")
    assert isinstance(generator, Remote)
    assert generator.type_name == "generator"
    steps = iter(generator)
    before = len(learner.call("seen"))
    assert next(steps) == 0
    assert len(learner.call("seen")) == before + 1
    assert list(steps) == [1, 2]


def test_objects_have_methods_and_attributes(learner: Learner) -> None:
    counter = learner.obtain("Counter", 3)
    assert counter.call("add", 4) == 7
    assert counter.get("value") == 7
    assert counter.has("add")
    assert not counter.has("close")
    with pytest.raises(Raised) as raised:
        counter.call("add", "x")
    assert raised.value.type_name == "TypeError"


def test_an_object_where_a_value_was_expected_is_a_message(learner: Learner) -> None:
    with pytest.raises(Failed) as failed:
        learner.call("Counter", 3)
    assert failed.value.message.got == "returned a work.Counter"
    with pytest.raises(Failed) as failed:
        learner.call("echo", [learner.name("fail")])
    assert "with a function in it" in failed.value.message.got


def test_functions_of_the_grader_are_called_here(learner: Learner) -> None:
    calls = []

    def here(*args: object) -> str:
        calls.append(args)
        return "from here"

    assert learner.call("call", here, b"a", [1]) == "from here"
    assert calls == [(b"a", [1])]


def test_files_of_the_grader_are_read_from_there(learner: Learner) -> None:
    assert learner.call("read_all", Body(b"abcd\nef\ng")) == [b"ab", b"cd\n", [b"ef\n", b"g"]]


def test_exceptions_cross_in_both_directions(learner: Learner) -> None:
    def bad() -> None:
        raise ValueError("from the grader")

    assert learner.call("catch", bad) == "caught from the grader"
    error = learner.expect("call", learner.name("fail")).raises("LookupError")
    assert error.sentence() == "KeyError: 'x'"
    assert [line.function for line in error.lines] == ["call", "fail"]


def test_an_exception_of_a_false_name_is_not_the_real_one(tmp_path: Path) -> None:
    path = tmp_path / "false.py"
    path.write_text("class ValueError(Exception): pass\ndef f(): raise ValueError")
    with Learner(path) as learner, pytest.raises(Failed):
        learner.expect("f").raises("ValueError")


def test_a_server_side_of_pep_3333_is_judged_with_an_app_from_here(learner: Learner) -> None:
    events: list[str] = []
    blocks = Blocks([b"a", b"b"], events=events)

    def app(env: dict[str, object], start_response: Remote) -> Blocks:
        start_response("200 OK", [("A", "b")])
        events.append(f"read {env['wsgi.input'].read(2)!r}")  # type: ignore[attr-defined]
        return blocks

    result = learner.call("run_app", app, environ(body=b"hello"))
    assert result == [("200 OK", [("A", "b")]), b"a", b"b"]
    assert events == ["read b'he'", "next 0", "next 1", "end", "close"]
    assert blocks.closed == 1


def test_exc_info_and_a_second_start_response_raise_through_the_app(learner: Learner) -> None:
    def late(env: object, start_response: Remote) -> list[bytes]:
        try:
            raise KeyError("boom")
        except KeyError:
            start_response("500 Oops", [], sys.exc_info())
        return []

    def again(env: object, start_response: Remote) -> list[bytes]:
        start_response("200 OK", [])
        start_response("200 OK", [])
        return []

    learner.expect("run_app", late, environ()).raises("KeyError")
    learner.expect("run_app", again, environ()).raises("AssertionError")


def test_an_app_of_the_learners_is_judged_lazily(learner: Learner) -> None:
    start_response, body = Recorder(), Body(b"hello", blocks=True)
    blocks = iter(learner.obtain("lazy_app", environ(body=body), start_response))
    assert (start_response.calls, body.reads) == ([], [])
    assert next(blocks) == b"hel"
    assert start_response.status == "200 OK"
    assert body.reads == [("read", 3)]


def test_reading_past_the_end_of_a_body_fails_the_check(learner: Learner) -> None:
    body = Body(b"he", blocks=True)
    with pytest.raises(Failed) as failed:
        list(learner.obtain("lazy_app", environ(body=body), Recorder()))
    assert "only 2 of 2 bytes" in failed.value.message.got


def test_source_of_the_graders_runs_there(learner: Learner) -> None:
    twice = learner.define("def twice(x): return x * 2", "twice")
    assert learner.call("call", twice, b"a") == b"aa"


@pytest.mark.parametrize(
    ("source", "nudge"),
    [
        ("async def f(): pass\ndef g(): return list(f())", "await it, or write `def`"),
        ("def f(): pass\ndef g(): return f()[0]", "is a `return` missing"),
        ("def g(): return (5).x", "what the object in that line really is"),
    ],
)
def test_the_wrong_object_has_a_nudge(learner: Learner, source: str, nudge: str) -> None:
    with pytest.raises(Raised) as raised:
        learner.define(source, "g")()
    assert nudge in raised.value.message().nudge


def test_an_object_of_an_inner_class_is_called_by_its_short_name(learner: Learner) -> None:
    source = "def make():\n    class Inner:\n        pass\n    return Inner()"
    made = learner.define(source, "make")()
    with pytest.raises(Raised) as raised:
        made.call("close")
    assert raised.value.called == "<Inner>.close()"


def test_a_callback_of_another_name_cannot_be_reached(tmp_path: Path) -> None:
    path = tmp_path / "reach.py"
    path.write_text(
        "def f(app):\n"
        "    ask = type(app).__call__.__closure__\n"
        "    runner = next(c.cell_contents for c in ask if hasattr(c.cell_contents, 'ask'))\n"
        "    return runner.ask(app._number, '__init_subclass__', (), {})\n"
    )
    with Learner(path) as learner, pytest.raises(Failed) as failed:
        learner.call("f", lambda: None)
    assert "something other than an answer" in failed.value.message.got
