"""The panel without a browser: what each button does, two clicks, a stop, and what is left."""

import os
import re
import subprocess
import sys
import threading
import time

import psutil
import pytest

from playground import ServeError, panel
from playground.load import order
from playground.load.interleaved import Comparison
from playground.load.run import Run
from playground.panel import asking, board
from playground.views.widget import Timeline

PATIENCE_S = 60  # only a hang takes longer
pytestmark = pytest.mark.timeout(5 * PATIENCE_S)
FEW = {"workload": "hello", "n": 4, "rounds": 1}


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path, monkeypatch):
    """A workspace of its own, and no process or thread more than before."""
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(tmp_path / "workspace"))
    before = children()
    yield
    assert children() <= before
    assert not board.BUSY.locked()


def children():
    return set(psutil.Process().children(recursive=True))


def until(true, what):
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S} s until {what}"
        time.sleep(0.01)


def press(button, made):
    """Click, and wait for what comes of it."""
    assert not button.disabled
    button.click()
    assert made.join(PATIENCE_S)


def words(made):
    return re.sub("<[^>]*>", "", made.message.value)


def test_every_button_does_what_it_says(tmp_path):
    made = panel("minimal-wsgi", "waitress", **FEW)
    assert made.save_button.disabled
    assert made.export_button.disabled
    assert made.stop_button.disabled
    assert "application/vnd.jupyter.widget-view+json" in made._repr_mimebundle_()

    press(made.form.rows[1].run, made)
    assert isinstance(made.shown, Run)
    assert made.shown.summary()["served"] == 4
    assert made.shown.trace.meta["setup"] == "waitress"
    moving, numbers = made.results.children
    assert isinstance(moving, Timeline)
    assert moving.final  # the whole run is in it
    assert "4 of 4" in numbers.value
    assert made.name.value == "waitress-hello"

    press(made.save_button, made)
    saved = tmp_path / "workspace/runs/waitress-hello.trace"
    assert str(saved) in words(made)
    assert saved.exists()
    assert made.file.options == (saved.name,)

    press(made.compare_button, made)
    assert isinstance(made.shown, Comparison)
    assert made.shown.names == ["minimal-wsgi", "waitress"]
    (told,) = made.results.children
    assert "times minimal-wsgi" in told.value
    assert told.value.count("<svg") == 2  # percentiles and answers a second
    assert made.name.value == "hello-compared"
    press(made.save_button, made)
    assert made.file.value == "hello-compared.compare"

    made.format.value = "csv"
    press(made.export_button, made)
    assert "hello-compared.csv" in words(made)
    assert 'download="hello-compared.csv"' in made.link.value
    press(made.export_button, made)
    assert words(made) == "hello-compared.csv exists already: choose another name."

    made.file.value = saved.name
    press(made.reopen_button, made)
    assert made.shown.summary()["served"] == 4
    assert isinstance(made.results.children[0], Timeline)
    assert made.link.value == ""
    made.file.value = "nothing.trace"
    press(made.reopen_button, made)
    assert "There is no file" in words(made)
    assert made.shown.summary()["served"] == 4  # what was shown is still there


def test_setups_are_added_up_to_four_and_removed():
    made = panel("minimal-wsgi", "uvicorn", framework="django")
    for _ in range(2):
        made.form.add.click()
    assert made.form.add.disabled
    assert [choice.setup for choice in made.form.choices] == ["minimal-wsgi", *3 * ["uvicorn"]]
    made.form.rows[0].drop.click()
    assert [choice.setup for choice in made.form.choices] == 3 * ["uvicorn"]
    assert made.form.choices[0].framework == "django"
    made.choose("waitress")
    assert made.compare_button.disabled  # one cannot be compared
    assert made.form.rows[0].drop.layout.display == "none"


def test_what_cannot_be_says_why_at_once_and_cannot_be_pressed():
    made = panel("gunicorn-sync", "waitress")
    first, second = made.form.rows
    first.framework.value = "fastapi"
    assert "speaks WSGI, FastAPI speaks ASGI" in first.why.value
    assert first.run.disabled
    assert made.compare_button.disabled
    assert not second.run.disabled
    first.framework.value = "flask"
    assert first.why.value == ""
    assert not made.compare_button.disabled
    made.form.workload.value = "websocket"
    assert first.run.disabled
    assert second.run.disabled
    made.choose(workload="hello", arrivals="steady", n=10_000, rate=1)
    assert "at most 600 s" in made.form.why.value
    assert second.run.disabled


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ({"n": 20_000}, "takes count from 1 to 10000, not 20000"),
        ({"sizes": {"s": 31}}, "takes seconds from 0 to 30, not 31"),
        ({"sizes": {"q": 1}}, "has no size 'q': it has s, ms, n"),
        ({"workload": "cook"}, "takes workload as one of hello, .*, own app, not 'cook'"),
        ({"arrivals": "never"}, "one of together, steady, poisson, closed, not 'never'"),
    ],
)
def test_what_a_field_does_not_take_is_no_other_number(what, sentence):
    made = panel("uvicorn")
    with pytest.raises(ServeError, match=sentence):
        panel("uvicorn", **what)
    with pytest.raises(ServeError, match=sentence):
        made.choose(**what)


def test_a_sentence_about_another_choice_goes_with_it():
    made = panel("minimal-wsgi", workload="own app", app="no-such-app")
    press(made.form.rows[0].run, made)
    assert "no bundled app" in words(made)
    made.form.app.value = "slow"
    assert words(made) == ""


def test_fields_that_do_not_count_are_not_there():
    form = panel().form

    def shown():
        fields = {"rate": form.rate, "clients": form.clients, **form.sizes, "app": form.app}
        return {name for name, one in fields.items() if one.layout.display != "none"}

    assert shown() == {"s"}
    form.arrivals.value = "poisson"
    form.workload.value = "hybrid"
    assert shown() == {"s", "ms", "rate"}
    assert form.work.sizes == {"s": 0.1, "ms": 20}
    form.arrivals.value = "closed"
    form.workload.value = "own app"
    assert shown() == {"clients", "app"}
    assert form.work.sizes == {}


def test_two_clicks_start_one_run(monkeypatch):
    begun, go_on = [], threading.Event()

    def ask(choice, work, tell, show):
        begun.append(choice)
        assert go_on.wait(PATIENCE_S)
        raise ServeError("enough")

    monkeypatch.setattr(board, "ask_one", ask)
    made, other = panel("minimal-wsgi", "waitress"), panel("uvicorn")
    button = made.form.rows[0].run
    button.click()
    button.click()  # the browser has not heard yet that it is disabled
    made.form.rows[1].run.click()
    made.compare_button.click()
    assert button.disabled
    assert made.compare_button.disabled
    assert not made.stop_button.disabled
    other.form.rows[0].run.click()
    assert words(other).startswith("Something else is going on")
    with pytest.raises(ServeError, match="Something else is going on"):
        other.compare()
    go_on.set()
    assert made.join(PATIENCE_S)
    assert [choice.setup for choice in begun] == ["minimal-wsgi"]
    assert words(made) == "enough"
    assert not button.disabled


def test_stop_in_the_middle_of_a_run_shows_what_there_is():
    made = panel("minimal-wsgi", workload="waiting", arrivals="steady", n=1000, rate=20)
    made.form.rows[0].run.click()
    until(lambda: made.bar.value, "requests are sent")
    assert len(children()) > 0
    assert made.stop_button.disabled is False
    made.stop_button.click()
    assert made.join(PATIENCE_S)
    assert words(made).startswith("Stopped: what had happened until then is shown.")
    assert made.shown.trace.meta["interrupted"]
    assert 0 < len(made.shown.replies) < 1000
    assert made.results.children[0].final


@pytest.mark.parametrize("when", ["Starting", "Round"])
def test_stop_in_the_middle_of_a_comparison_leaves_nothing(when):
    made = panel("minimal-wsgi", "waitress", workload="waiting", sizes={"s": 5.0}, n=2)
    made.compare_button.click()
    until(lambda: made.doing.value.startswith(when), f"it says {when}")
    made.stop_button.click()
    assert made.join(PATIENCE_S)
    assert words(made) == "Stopped. Nothing is left running."
    assert made.shown is None
    assert not made.compare_button.disabled


def test_a_panel_that_is_closed_ends_its_run():
    made = panel("minimal-wsgi", workload="waiting", arrivals="steady", n=1000, rate=20)
    made.form.rows[0].run.click()
    until(lambda: made.bar.value, "requests are sent")
    made.close()
    assert made.join(0)


def test_a_process_that_ends_ends_its_run(tmp_path):
    code = """if True:
        import time
        from playground import panel
        made = panel("minimal-wsgi", workload="waiting", arrivals="steady", n=5000, rate=20)
        made.form.rows[0].run.click()
        while not made.bar.value:
            time.sleep(0.01)
        print(made.doing.value)
    """
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True
    )
    assert (done.stdout, done.stderr) == ("Asking minimal-wsgi …\n", "")
    ours = str(tmp_path / "workspace")
    environs = (one.info["environ"] or {} for one in psutil.process_iter(["environ"]))
    assert [one for one in environs if one.get("PLAYGROUND_WORKSPACE") == ours] == []


def test_from_a_cell_it_waits_and_gives_the_run(tmp_path):
    made = panel("minimal-asgi").choose(**FEW, arrivals="closed", clients=2)
    assert made.run().summary()["served"] == 4
    assert "closed loop" in made.results.children[1].value
    path = made.save("mine")
    assert path == tmp_path / "workspace/runs/mine.trace"
    assert made.export("csv").name == "mine.csv"
    assert made.export("csv").name == "mine-2.csv"  # each time the cell is run
    assert made.save().name == "mine-2.trace"
    assert made.reopen("mine.trace").summary()["served"] == 4
    assert made.export("svg", "mine").name == "mine.svg"
    with pytest.raises(ServeError, match="as one of html, png, svg, json, csv, not 'doc'"):
        made.export("doc")
    made.choose(workload="streaming").choose(workload="waiting")
    assert made.form.work.sizes == {"s": 0.1}
    with pytest.raises(ServeError, match="takes two set-ups at least"):
        made.compare()
    with pytest.raises(ServeError, match="There is no set-up 2"):
        made.run(2)
    with pytest.raises(ServeError, match="has no colour="):
        made.choose(colour="red")
    with pytest.raises(ServeError, match="From 1 to 4 set-ups"):
        panel(*5 * ["uvicorn"])


def test_an_app_that_fails_is_a_sentence_with_its_own_lines(tmp_path, monkeypatch):
    (tmp_path / "broken_menu.py").write_text("def app(e, s):\n    pass\n\nraise ValueError('x')\n")
    monkeypatch.syspath_prepend(tmp_path)
    made = panel("minimal-wsgi", workload="own app", app="broken_menu:app")
    press(made.form.rows[0].run, made)
    first, _, rest = made.message.value.partition("<details>")
    assert "broken_menu:app failed when minimal-wsgi imported it" in first
    assert "imported it: ValueError: x" in first
    assert "ValueError: x" in rest
    assert "playground/" not in rest


def test_answers_that_are_wrong_are_told():
    made = panel("minimal-wsgi", workload="own app", app="crash", n=3)
    press(made.form.rows[0].run, made)
    assert words(made).startswith("3 of 3 answers of minimal-wsgi were wrong: status 500")
    assert made.shown.summary()["statuses"] == {500: 3}


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ModuleNotFoundError("no", name="anywidget"), "This needs anywidget, which is not"),
        (OSError(28, os.strerror(28), "a.svg"), "a.svg: No space left on device."),
        (ZeroDivisionError("oh"), "That went wrong in the playground itself: ZeroDivisionError"),
    ],
)
def test_no_error_is_a_traceback(monkeypatch, error, sentence):
    def fail(*_):
        raise error

    monkeypatch.setattr(board, "ask_one", fail)
    made = panel("minimal-wsgi")
    press(made.form.rows[0].run, made)
    assert words(made).startswith(sentence)
    assert "Traceback" not in made.message.value
    assert not made.form.rows[0].run.disabled


def test_words_of_others_are_no_markup(monkeypatch):
    def fail(*_):
        raise ServeError("<b>bold</b>\n<i>more</i>")

    monkeypatch.setattr(board, "ask_one", fail)
    made = panel("minimal-wsgi")
    press(made.form.rows[0].run, made)
    assert "&lt;b&gt;bold" in made.message.value
    assert "&lt;i&gt;more" in made.message.value


def test_a_cell_that_is_stopped_before_there_is_anything_is_told_so(monkeypatch):
    def starting(setup, *_, look, **__):
        made.stop_button.click()
        look()

    monkeypatch.setattr(order.Order, "serve", starting)
    made = panel("minimal-wsgi")
    with pytest.raises(asking.Stopped) as stopped:
        made.run()
    assert words(made) == "Stopped. Nothing is left running."
    assert stopped.value._render_traceback_() == ["Stopped: nothing is left running."]


def test_an_interrupt_of_a_cell_is_passed_on(monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(asking, "load", interrupted)
    made = panel("minimal-wsgi")
    with pytest.raises(KeyboardInterrupt):
        made.run()
    assert words(made) == "Stopped. Nothing is left running."
