"""What is chosen, and why it cannot be."""

import pytest

from playground import ServeError
from playground.panel.choices import OWN, Choice, Work, order, parse, why_no_load, why_not


def test_a_setup_with_its_size_is_written_as_on_the_command_line():
    assert parse("uvicorn") == Choice("uvicorn")
    assert parse("gunicorn-gthread:2x8", "flask") == Choice("gunicorn-gthread", "flask", 2, 8)
    for text in ("uvicorn", "gunicorn-sync:4", "gunicorn-gthread:1x8", "gunicorn-gthread:2x8"):
        assert parse(text).title == text
    assert parse("uvicorn", "fastapi").title == "uvicorn, FastAPI"


@pytest.mark.parametrize(
    ("text", "words"),
    [("uvicorm", "Did you mean 'uvicorn'"), ("uvicorn:many", "is no set-up with a size")],
)
def test_what_is_no_setup_is_refused(text, words):
    with pytest.raises(ServeError, match=words):
        parse(text)


@pytest.mark.parametrize(
    ("choice", "work", "words"),
    [
        (Choice("gunicorn-sync", "fastapi"), Work(), "speaks WSGI, FastAPI speaks ASGI"),
        (Choice("uvicorn", "flask"), Work(), "answers 500 to everything"),
        (Choice("flask-dev", "django"), Work(), "is part of Flask"),
        (Choice("gunicorn-sync", "", 1, 4), Work(), "takes threads=1 only, not 4"),
        (Choice("uvicorn-workers"), Work(), "takes workers from 2 to 64, not 1"),
        (Choice("uvicorn"), Work("websocket"), "is a conversation and no request"),
        (Choice("uvicorn"), Work(OWN, app=" "), "Name your app"),
    ],
)
def test_what_cannot_be_says_why_in_one_sentence(choice, work, words):
    why = why_not(choice, work)
    assert words in why
    assert "\n" not in why


def test_a_package_that_is_missing_is_named(monkeypatch):
    from playground.setups import workloads

    monkeypatch.setattr(workloads, "_installed", lambda name: name != "django")
    why = why_not(Choice("gunicorn-sync", "django"), Work())
    assert why.startswith("Django needs django, which is not installed here: run `pip install")


def test_what_can_be_is_an_order():
    assert why_not(Choice("django-dev"), Work("database")) == ""
    assert order(Choice("uvicorn"), Work(sizes={"s": 0.3})).path == "/waiting?s=0.3"
    own = order(Choice("waitress"), Work(OWN, app="mine:app", path="/x"))
    assert (own.target, own.path, own.workload) == ("mine:app", "/x", "")


def test_a_load_that_cannot_be_says_why():
    assert why_no_load(Work()) == ""
    assert "at most 600 s" in why_no_load(Work(arrivals="steady", n=10_000, rate=1))
