"""What is asked of a server: workloads, and whether an answer is right."""

import pytest

from playground import ServeError, load
from playground.load.client import Reply
from playground.load.order import Order, of_workload


def test_a_workload_without_a_framework_is_the_plain_app_of_the_interface():
    assert of_workload("waitress", "cpu").target == "wsgi"
    assert of_workload("uvicorn", "cpu").target == "asgi"
    assert of_workload("django-dev", "cpu").target == "django"
    assert of_workload("uvicorn", "cpu", "fastapi").target == "fastapi"
    assert of_workload("uvicorn", "waiting", s=0.25).path == "/waiting?s=0.25"


def test_a_body_goes_with_the_workload_that_needs_one():
    order = of_workload("waitress", "model")
    assert order.how["method"] == "POST"
    assert order.how["body"]
    assert of_workload("waitress", "hello").how["body"] is None


def test_answers_are_checked():
    def reply(body, status=200, error=None):
        return Reply(status, {}, body, 0.1, error)

    order = of_workload("waitress", "waiting")
    right, wrong = reply(b"slept\n"), reply(b"asleep\n")
    broken, none = reply(b"slept\n", 500), reply(b"", None, "refused")
    assert order.wrong([right, wrong, broken, none]) == [wrong, broken]
    assert Order("slow", "/").wrong([right, wrong, broken, none]) == [broken]


def test_an_order_is_served_and_right():
    order = of_workload("minimal-wsgi", "cpu", ms=1)
    with order.serve("minimal-wsgi") as server:
        run = load(server, order.path, arrivals="steady", rate=50, n=3, show=False, **order.how)
    assert run.summary()["served"] == 3
    assert order.wrong(run.replies) == []


@pytest.mark.parametrize(
    ("asked", "more", "words"),
    [
        (("waitres", "cpu"), {}, "Did you mean 'waitress'"),
        (("waitress", "cpus"), {}, "Did you mean 'cpu'"),
        (("waitress", "cpu"), {"s": 1.0}, "has no size 's'"),
        (("uvicorn", "websocket"), {}, "is a conversation and no request"),
    ],
)
def test_what_cannot_be_asked_is_refused(asked, more, words):
    with pytest.raises(ServeError, match=words):
        of_workload(*asked, **more)
