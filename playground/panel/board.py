"""The panel: choose, run, compare, stop, save, reopen, export.

What takes time happens on a thread of its own, so the buttons stay alive; there is one such piece
of work at a time in a process, whoever began it. A button's callback may come on any thread while a
cell is busy: it starts that thread, or raises a flag for it, and nothing else.
"""

import base64
import html
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import ipywidgets

from playground.errors import Told
from playground.load.grid import grid_html
from playground.load.interleaved import Comparison
from playground.load.outcome import COLUMNS, MOST_TOGETHER, outcome
from playground.load.percentiles import Percentiles
from playground.load.run import Run
from playground.panel import kept
from playground.panel.asking import Stopped, ask_all, ask_one
from playground.panel.choices import Choice, Work, parse
from playground.panel.form import Form, button, field, give
from playground.setups.catalogue import ServeError
from playground.setups.server import Server
from playground.trace.collector import Collector
from playground.views.publisher import hear_at_once

FIRST = ("gunicorn-sync:2", "gunicorn-gthread:1x8")
LINKED = 20_000_000  # bytes of a file up to which there is a link to it
REASON = re.compile(r"^\w[\w.]*(?:Error|Exception)\b.*", re.MULTILINE)  # where a traceback ends
BUSY = threading.Lock()  # held by whoever serves and asks, in this process
HINT = """<p class="pgp-shows"><b>Run</b> starts one server on this machine, sends it the
requests, and shows what becomes of each. <b>Compare</b> puts the same load on all in turn.</p>"""
ELSEWHERE = "Something else is going on: wait for it, or press Stop there."
STYLE = """<style>
.pgp-badge{display:inline-block;width:22px;border-radius:11px;color:#fff;font-weight:700;
 text-align:center;line-height:22px}
.pgp-why{color:#c62828;font-weight:600}.pgp-shows{opacity:.8}
[data-jp-theme-light="false"] .pgp-why{color:#ff8a80}
.pgp .widget-html-content,.pgp .jupyter-widgets.widget-html>.widget-html-content{line-height:1.5;
 white-space:normal}
.pgp a{color:var(--jp-content-link-color,#0072b2);font-weight:700}
.pgp pre{max-height:240px;overflow:auto;margin:4px 0;font-size:12px}
.pgp .jupyter-button:focus-visible{outline:2px solid #3a97d9;outline-offset:1px}
</style>"""

Made = TypeVar("Made")


def panel(*setups: str | Choice, framework: str = "", **work: Any) -> "Panel":
    """The panel with these set-ups (``"gunicorn-gthread:2x8"`` has 2 workers with 8 threads each).

    ``framework`` is that of all of them. ``work`` is what is asked: ``workload``, ``sizes``,
    ``arrivals`` (together, steady, poisson, closed), ``n``, ``rate``, ``clients``, ``rounds``; or
    ``app`` and ``path`` with the workload ``"own app"``. Raises ``ServeError`` for what cannot be.
    """
    choices = [parse(one, framework) for one in setups or FIRST]
    return Panel(choices, _changed(Work(), work))


class Panel:
    """What is chosen and what came of it, as a ``widget``; ``shown`` is the latter.

    ``run()`` and ``compare()`` do what the buttons do, wait for it, and return it.
    """

    def __init__(self, choices: list[Choice], work: Work) -> None:
        self.shown: Run | Comparison | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._working = False  # it holds BUSY
        self._can_compare = False
        self._make_buttons()
        self.results = ipywidgets.VBox([ipywidgets.HTML(HINT)])
        self.form = Form(choices, work, self._refresh, lambda place: self._begin(self._run(place)))
        layout = ipywidgets.Layout(flex_flow="row wrap", align_items="center")
        apart = ipywidgets.Layout(margin="0 16px 0 0")
        self.widget = ipywidgets.VBox(
            [
                ipywidgets.HTML(STYLE),
                self.form,
                ipywidgets.HBox(
                    [self.compare_button, self.stop_button, self.form.add, self.bar, self.doing],
                    layout=layout,
                ),
                self.message,
                ipywidgets.HBox(
                    [
                        ipywidgets.HBox([self.name, self.save_button], layout=apart),
                        ipywidgets.HBox([self.format, self.export_button], layout=apart),
                        ipywidgets.HBox([self.file, self.reopen_button], layout=apart),
                        self.link,
                    ],
                    layout=layout,
                ),
                self.results,
            ]
        )
        self.widget.add_class("pgp")
        self._refresh()
        self._list_files()

    def _make_buttons(self) -> None:
        self.compare_button = button("Compare", "", "primary")
        self.stop_button = button("Stop", "End it; nothing is left behind", "warning")
        self.save_button = button("Save", "Keep what is shown below, to reopen it")
        self.reopen_button = button("Reopen", "Show a saved run or comparison")
        self.export_button = button("Export", "Write what is shown below as a file")
        self.bar = ipywidgets.FloatProgress(
            0, min=0, max=1, layout={"width": "200px", "display": "none"}
        )
        self.doing, self.message = ipywidgets.HTML(), ipywidgets.HTML()
        self.link = ipywidgets.HTML()
        self.name = field("name", ipywidgets.Text("", placeholder="monday-2"), "18em")
        self.file = field("saved", ipywidgets.Combobox(placeholder="choose, or a path"), "18em")
        formats = [(words, ending) for ending, words in kept.FORMATS.items()]
        self.format = field("format", ipywidgets.Dropdown(options=formats), "14.5em")
        self.compare_button.on_click(lambda _: self._begin(self._compare))
        self.stop_button.on_click(lambda _: self.stop())
        self.save_button.on_click(lambda _: self._begin(self._save))
        self.reopen_button.on_click(lambda _: self._begin(self._reopen))
        self.export_button.on_click(lambda _: self._begin(self._export))

    def choose(self, *setups: str | Choice, framework: str = "", **work: Any) -> "Panel":
        """Change the choices: the set-ups if some are named, and what is asked.

        Another workload comes with its own sizes. Raises ``ServeError`` as ``panel`` does.
        """
        if "workload" in work:
            work = {"sizes": {}, **work}
        changed = _changed(self.form.work, work)
        if setups:
            self.form.put([parse(one, framework) for one in setups])
        self.form.set(changed)
        return self

    def run(self, which: int = 1) -> Run:
        """Run the set-up of that number, and wait for it.

        Raises ``ServeError`` for what cannot be, and while something else goes on.
        """
        if not 1 <= which <= len(self.form.rows):
            raise ServeError(f"There is no set-up {which}: the panel shows {len(self.form.rows)}.")
        return self._wait(self._run(which - 1))

    def compare(self) -> Comparison:
        """Compare all that are chosen, and wait for it. Raises ``ServeError`` as ``run`` does."""
        return self._wait(self._compare)

    def save(self, name: str = "") -> Path:
        """Keep what is shown. Raises ``ServeError``."""
        self.name.value = name or kept.free(self.name.value, kept.TRACE, kept.COMPARISON)
        return self._wait(self._save)

    def reopen(self, name: str) -> Run | Comparison:
        """Show a saved run or comparison. Raises ``ServeError``."""
        self.file.value = name
        return self._wait(self._reopen)

    def export(self, ending: str, name: str = "") -> Path:
        """Write what is shown as html, png, svg, json or csv. Raises ``ServeError``."""
        self.name.value = name or kept.free(self.name.value, f".{ending}")
        give(self.format, ending)
        return self._wait(self._export)

    def stop(self) -> None:
        """End what goes on; returns at once."""
        self._stop.set()

    def join(self, seconds: float | None = None) -> bool:
        """Wait for what a button began; whether it is over."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)
        return thread is None or not thread.is_alive()

    def close(self) -> None:
        """End what goes on, and take the widgets away."""
        self.stop()
        self.join()
        self.widget.close()

    # ---- one piece of work at a time

    def _begin(self, work: Callable[[], object]) -> None:
        """A button was pressed."""
        if not BUSY.acquire(blocking=False):
            if not self._working:  # else it is the second click of two
                self._tell(_alarm(ELSEWHERE))
            return
        self._working = True
        self._stop.clear()
        self._enable()

        def go() -> None:
            try:
                work()
            except BaseException as error:  # nobody reads a thread's traceback
                self._tell(_told(error))
            finally:
                self._end()

        # no daemon: a process that ends waits for it, and it ends then (see _progress)
        self._thread = threading.Thread(target=go, name="panel", daemon=False)
        self._thread.start()

    def _wait(self, work: Callable[[], Made]) -> Made:
        """The same from a cell."""
        if not BUSY.acquire(blocking=False):
            raise ServeError(ELSEWHERE)
        self._working = True
        self._stop.clear()
        self._enable()
        try:
            return work()
        except BaseException as error:
            self._tell(_told(error))
            raise
        finally:
            self._end()

    def _end(self) -> None:
        self._working = False
        BUSY.release()
        self.bar.value, self.doing.value = 0, ""
        self.bar.layout.display = "none"
        self._enable()

    def _progress(self, words: str, part: float | None) -> None:
        """What goes on, ten times a second; here a wish to stop is heard."""
        if self._stop.is_set() or not threading.main_thread().is_alive():
            raise Stopped("nothing is left running.")
        self.doing.value = html.escape(words)
        self.bar.value = part or 0
        self.bar.layout.display = "none" if part is None else ""

    def _tell(self, words: str) -> None:
        self.message.value = words

    def _refresh(self) -> None:
        """Something was chosen."""
        refused = [row.why.value for row in self.form.rows]
        self._can_compare = len(refused) > 1 and not any(refused)
        self.compare_button.tooltip = (
            "All of them, in rounds that take turns"
            if len(refused) > 1
            else "To compare takes two set-ups: add another one"
        )
        if self.shown is None and not self._working:
            self._tell("")  # it was about another choice
        self._enable()

    def _enable(self) -> None:
        """What can be pressed now."""
        busy, fine = BUSY.locked(), not self.form.why.value
        for row in self.form.rows:
            row.run.disabled = busy or not fine or bool(row.why.value)
            row.drop.disabled = busy
        self.compare_button.disabled = busy or not fine or not self._can_compare
        self.stop_button.disabled = not self._working
        hear_at_once(self.stop_button)
        self.form.add.disabled = busy or len(self.form.rows) == MOST_TOGETHER
        nothing = busy or self.shown is None
        self.save_button.disabled = self.export_button.disabled = nothing
        self.reopen_button.disabled = busy

    # ---- what the buttons do

    def _run(self, place: int) -> Callable[[], Run]:
        def work() -> Run:
            self._clear()
            choice = self.form.choices[place]
            run, wrong = ask_one(choice, self.form.work, self._progress, self._follow)
            stopped = "Stopped: what had happened until then is shown."
            self._tell(_alarm(wrong) or (stopped if run.trace.meta.get("interrupted") else ""))
            self._show_run(run, self.results.children[:1])
            self._propose(f"{choice.setup}-{self.form.work.workload}")
            return run

        return work

    def _compare(self) -> Comparison:
        self._clear()
        found, wrong = ask_all(self.form.choices, self.form.work, self._progress)
        self._tell(_alarm(wrong))
        self._show_comparison(found)
        self._propose(f"{self.form.work.workload}-compared")
        return found

    def _save(self) -> Path:
        self._progress("Saving …", None)
        path = kept.save(self._result(), self.name.value)
        self._list_files()
        self.file.value = path.name
        words = f"Saved as <b>{html.escape(str(path))}</b>."
        if isinstance(self.shown, Run):
            words += " In a terminal: <code>playground show FILE</code>."
        self._tell(words)
        return path

    def _reopen(self) -> Run | Comparison:
        self.link.value = ""
        self._progress("Reading …", None)
        result, note = kept.open_again(self.file.value)
        self._clear()
        if isinstance(result, Run):
            from playground.views.widget import Timeline

            self._show_run(result, (Timeline(result.trace),))
        else:
            self._show_comparison(result)
        self._tell(_alarm(note) or f"This is <b>{html.escape(Path(self.file.value).name)}</b>.")
        self.name.value = Path(self.file.value).stem
        return result

    def _export(self) -> Path:
        self.link.value = ""
        self._progress(f"Writing {kept.FORMATS[self.format.value]} …", None)
        path = kept.export(self._result(), self.format.value, self.name.value)
        self._tell(f"Written: <b>{html.escape(str(path))}</b>.")
        self.link.value = _download(path)
        return path

    # ---- what is seen

    def _follow(self, collector: Collector, server: Server, expected: int, title: str) -> Any:
        """The moving picture of a run that begins."""
        from playground.views.publisher import Moving

        moving = Moving(collector, server, expected, title)
        self.results.children = (moving.widget,)
        moving.begin()
        return moving

    def _clear(self) -> None:
        self.shown = None
        self.results.children = ()
        self.link.value = ""
        self._tell("")

    def _show_run(self, run: Run, pictures: tuple[ipywidgets.Widget, ...]) -> None:
        self.shown = run
        one = outcome(run, str(run.trace.meta.get("setup", "run")))
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in one.notes)
        numbers = grid_html(["", *COLUMNS], [[one.name, *one.cells()]]) + notes
        if run.trace.meta.get("arrivals") and one.latencies:
            numbers = Percentiles([one]).html()
        self.results.children = (*pictures, ipywidgets.HTML(numbers))

    def _show_comparison(self, found: Comparison) -> None:
        self.shown = found
        self.results.children = (ipywidgets.HTML(found.html()),)

    def _result(self) -> Run | Comparison:
        if self.shown is None:
            raise ServeError("There is nothing to keep yet: press Run, Compare or Reopen.")
        return self.shown

    def _propose(self, name: str) -> None:
        self.name.value = kept.free(name.replace(" ", "-"))

    def _list_files(self) -> None:
        self.file.options = kept.names()

    def _repr_mimebundle_(self, **more: Any) -> Any:
        shown = self.widget._repr_mimebundle_(**more)
        return {**shown, "text/plain": "The panel of the playground: run the cell to see it."}


def _changed(work: Work, changes: dict[str, Any]) -> Work:
    try:
        return replace(work, **changes)
    except TypeError:
        known = ", ".join(Work.__dataclass_fields__)
        unknown = next(name for name in changes if name not in Work.__dataclass_fields__)
        raise ServeError(f"The panel has no {unknown}=. It has: {known}.") from None


def _alarm(words: str) -> str:
    return f'<span class="pgp-why">{html.escape(words)}</span>' if words else ""


def _told(error: BaseException) -> str:
    """What went wrong in a sentence, as HTML; what more there is to read is folded."""
    if isinstance(error, KeyboardInterrupt):
        return "Stopped. Nothing is left running."
    if isinstance(error, Told):
        first, _, more = str(error).partition("\n")
        folded = f"<details><summary>all of it</summary><pre>{html.escape(more)}</pre></details>"
        reasons = REASON.findall(more) if first.endswith(":") else []
        first += f" {reasons[-1]}" if reasons else ""
        return _alarm(first) + (folded if more else "")
    if isinstance(error, ImportError):
        return _alarm(f"This needs {error.name}, which is not installed here: run `make lab` once.")
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return _alarm(f"{where}{error.strerror or error}.")
    return _alarm(f"That went wrong in the playground itself: {type(error).__name__}: {error}.")


def _download(path: Path) -> str:
    """A link that holds the file itself, unless it is too large for a page."""
    name = html.escape(path.name)
    if path.stat().st_size > LINKED:
        return f"{name} is too large for a link: it is in the folder above."
    data = base64.b64encode(path.read_bytes()).decode()
    return (
        f'<a download="{name}" href="data:application/octet-stream;base64,{data}">'
        f"Download {name}</a>"
    )
