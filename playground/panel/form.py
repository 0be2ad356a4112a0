"""The fields of the panel: set-ups one below the other, and what is asked of them."""

import contextlib
import html
from collections.abc import Callable
from pathlib import Path

import ipywidgets
from traitlets import TraitError

from playground.load.arrivals import CLOSED, POISSON, STEADY, TOGETHER
from playground.load.outcome import MOST_TOGETHER
from playground.panel.choices import OWN, Choice, Work, why_no_load, why_not
from playground.setups.catalogue import SETUPS, ServeError
from playground.setups.workloads import FRAMEWORKS, WORKLOADS
from playground.setups.workloads import MOST as MOST_WORK
from playground.views.look import PALETTE

PLAIN = ("no framework", "")
ARRIVALS = {
    "all at once": TOGETHER,
    "steady": STEADY,
    "at random (Poisson)": POISSON,
    "closed loop": CLOSED,
}
MOST = {"n": 10_000, "clients": 1_000, "rounds": 50}
SIZES = {"s": "seconds", "ms": "CPU ms", "n": "events"}  # of a workload, in words

Changed = Callable[[], None]


def field(words: str, widget: ipywidgets.Widget, width: str) -> ipywidgets.Widget:
    """The widget with words before it."""
    widget.description = words
    widget.style.description_width = "initial"
    widget.layout = ipywidgets.Layout(width=width, margin="2px 10px 2px 0")
    return widget


def number(words: str, value: int, most: int, width: str = "10em") -> ipywidgets.Widget:
    """A whole number from 1."""
    return bounded(words, ipywidgets.BoundedIntText(value, min=1, max=most), width)


def bounded(words: str, widget: ipywidgets.Widget, width: str) -> ipywidgets.Widget:
    """A number that says how far it goes: a browser takes the nearest one that can be."""
    widget.tooltip = f"from {widget.min:g} to {widget.max:g}"
    return field(words, widget, width)


def give(widget: ipywidgets.Widget, value: object) -> None:
    """Give a field its value. Raises ``ServeError`` for what it does not take."""
    with contextlib.suppress(TraitError):
        widget.value = value
    if widget.value != value:
        what, can = widget.description, widget.tooltip
        if isinstance(widget, ipywidgets.Dropdown):
            known = (one[1] if isinstance(one, tuple) else one for one in widget.options)
            can = f"as one of {', '.join(known)}"
        raise ServeError(f"The panel takes {what} {can}, not {value!r}.")


def button(words: str, tip: str, style: str = "") -> ipywidgets.Button:
    """A button that is as wide as its words."""
    layout = ipywidgets.Layout(width="auto", margin="2px 8px 2px 0")
    return ipywidgets.Button(description=words, tooltip=tip, button_style=style, layout=layout)


def sentence(words: str) -> str:
    """As HTML, in the colour for what cannot be; "" of nothing."""
    return f'<span class="pgp-why">{html.escape(words)}</span>' if words else ""


class Row(ipywidgets.VBox):
    """One set-up: what it is, its framework and size, a button to run it, and why it cannot be."""

    def __init__(self, choice: Choice, changed: Changed, run: Changed, drop: Changed) -> None:
        frameworks = [PLAIN, *((one.title, one.name) for one in FRAMEWORKS.values() if one.package)]
        known = [value for _, value in frameworks]
        self.badge = ipywidgets.HTML()
        setup = ipywidgets.Dropdown(options=list(SETUPS), value=choice.setup)
        self.setup = field("", setup, "14.2em")
        chosen = choice.framework if choice.framework in known else ""
        framework = ipywidgets.Dropdown(options=frameworks, value=chosen)
        self.framework = field("", framework, "11.5em")
        self.workers = number("workers", choice.workers, 64, "9.2em")
        self.threads = number("threads", choice.threads, 64, "9.2em")
        self.run = button("Run", "Start this one, send the requests, watch it", "primary")
        self.drop = button("Remove", "Take this set-up away")
        self.why = ipywidgets.HTML()
        for one in (self.setup, self.framework, self.workers, self.threads):
            one.observe(lambda _: changed(), "value")
        self.run.on_click(lambda _: run())
        self.drop.on_click(lambda _: drop())
        line = [self.badge, self.setup, self.framework, self.workers, self.threads]
        super().__init__([_line(*line, self.run, self.drop), self.why])

    @property
    def choice(self) -> Choice:
        """What is chosen now."""
        return Choice(
            self.setup.value, self.framework.value, self.workers.value, self.threads.value
        )

    def mark(self, place: int) -> None:
        """Show which one it is, in the colour that it has in charts."""
        colour = PALETTE["light"][place]
        self.badge.value = f'<span class="pgp-badge" style="background:{colour}">{place + 1}</span>'
        for one, what in ((self.setup, "set-up"), (self.framework, "framework")):
            one.tooltip = f"{what} {place + 1}"


class Form(ipywidgets.VBox):
    """All choices. ``changed()`` is called when one changes, ``run(place)`` by a row's button."""

    def __init__(
        self, choices: list[Choice], work: Work, changed: Changed, run: Callable[[int], None]
    ) -> None:
        self._changed: Changed = lambda: None  # nobody is told before all is there
        self._run = run
        self._settling = False
        self.rows: list[Row] = []
        workloads = [*WORKLOADS, OWN]
        self.workload = field("workload", ipywidgets.Dropdown(options=workloads), "16em")
        self.sizes = {
            name: bounded(
                words, ipywidgets.BoundedFloatText(0, min=0, max=MOST_WORK[name]), "10.8em"
            )
            for name, words in SIZES.items()
        }
        self.app = field("app", ipywidgets.Text(placeholder="module:attribute"), "15.4em")
        self.path = field("path", ipywidgets.Text(), "13.8em")
        self.shows = ipywidgets.HTML()
        arrivals = ipywidgets.Dropdown(options=list(ARRIVALS.items()))
        self.arrivals = field("requests", arrivals, "17.7em")
        self.n = number("count", 1, MOST["n"])
        rate = ipywidgets.BoundedFloatText(1, min=0.1, max=10_000)
        self.rate = bounded("rate (per s)", rate, "12.5em")
        self.clients = number("clients", 1, MOST["clients"])
        self.rounds = number("rounds to compare", 1, MOST["rounds"], "16em")
        self.add = button("Add a set-up", "Up to four can be compared")
        self.add.on_click(lambda _: self.put([*self.choices, self.choices[-1]]))
        self.why = ipywidgets.HTML()
        self.list = ipywidgets.VBox()
        self.workload.observe(lambda _: self._offer(), "value")
        self.arrivals.observe(lambda _: self._offer(), "value")
        for one in (*self.sizes.values(), self.app, self.path, self.n, self.rate, self.clients):
            one.observe(lambda _: self._look(), "value")
        what = _line(self.workload, *self.sizes.values(), self.app, self.path, self.shows)
        when = _line(self.arrivals, self.n, self.rate, self.clients, self.rounds, self.why)
        super().__init__([self.list, what, when])
        self.put(choices)
        self.set(work)
        self._changed = changed

    @property
    def choices(self) -> list[Choice]:
        """The set-ups, from the top."""
        return [row.choice for row in self.rows]

    @property
    def work(self) -> Work:
        """What is asked of them."""
        chosen = WORKLOADS.get(self.workload.value)
        return Work(
            workload=self.workload.value,
            sizes={name: self.sizes[name].value for name in (chosen.sizes if chosen else ())},
            app=self.app.value,
            path=self.path.value,
            arrivals=self.arrivals.value,
            n=self.n.value,
            rate=self.rate.value,
            clients=self.clients.value,
            rounds=self.rounds.value,
        )

    def put(self, choices: list[Choice]) -> None:
        """Show these set-ups. Raises ``ServeError`` for none or too many."""
        if not 1 <= len(choices) <= MOST_TOGETHER:
            raise ServeError(
                f"From 1 to {MOST_TOGETHER} set-ups can be chosen, not {len(choices)}."
            )
        self.rows = [self._row(choice) for choice in choices]
        self._show_rows()

    def set(self, work: Work) -> None:
        """Show this work. Raises ``ServeError`` for what a field does not take."""
        self._settling = True
        try:
            for name in ("workload", "app", "path", "arrivals", "n", "rate", "clients", "rounds"):
                give(getattr(self, name), getattr(work, name))
        finally:
            self._settling = False
            self._offer()
        for name, value in work.sizes.items():
            if name not in self.sizes:
                raise ServeError(f"The panel has no size {name!r}: it has {', '.join(self.sizes)}.")
            give(self.sizes[name], value)

    def refusals(self) -> list[str]:
        """Why each set-up cannot be asked, from the top; "" for those that can."""
        return [why_not(row.choice, self.work) for row in self.rows]

    def _row(self, choice: Choice) -> Row:
        row = Row(
            choice,
            changed=self._look,
            run=lambda: self._run(self.rows.index(row)),
            drop=lambda: self._drop(row),
        )
        return row

    def _drop(self, row: Row) -> None:
        self.rows = [one for one in self.rows if one is not row]
        self._show_rows()

    def _show_rows(self) -> None:
        for place, row in enumerate(self.rows):
            row.mark(place)
            row.drop.layout.display = "none" if len(self.rows) == 1 else ""
        self.list.children = self.rows
        self._look()

    def _offer(self) -> None:
        """Show the fields that count for this workload and these arrivals."""
        if self._settling:
            return
        self._settling = True
        chosen = WORKLOADS.get(self.workload.value)
        for name, size in self.sizes.items():
            has = chosen is not None and name in chosen.sizes
            size.layout.display = "" if has else "none"
            if chosen is not None and has:
                size.value = chosen.sizes[name]
        for own in (self.app, self.path):
            own.layout.display = "" if chosen is None else "none"
        yours = f"an app of yours in {Path.cwd()}, or a bundled one such as slow"
        shown = chosen.shows if chosen else yours
        self.shows.value = f'<span class="pgp-shows">{html.escape(shown)}</span>'
        when = self.arrivals.value
        self.rate.layout.display = "" if when in (STEADY, POISSON) else "none"
        self.clients.layout.display = "" if when == CLOSED else "none"
        self._settling = False
        self._look()

    def _look(self) -> None:
        """Say why it cannot be, at once."""
        if self._settling or not self.rows:
            return
        for row, why in zip(self.rows, self.refusals(), strict=True):
            row.why.value = sentence(why)
        self.why.value = sentence(why_no_load(self.work))
        self._changed()


def _line(*widgets: ipywidgets.Widget) -> ipywidgets.HBox:
    """Widgets side by side, which go on below where there is no room."""
    layout = ipywidgets.Layout(flex_flow="row wrap", align_items="center")
    return ipywidgets.HBox(widgets, layout=layout)
