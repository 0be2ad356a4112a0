"""What a picture tells of the server's processes: who came, who ended, and which signals were sent.

Static pictures and the terminal show it where something happened; the widget always does.
"""

import math
from dataclasses import dataclass

import numpy as np

from playground.trace.records import Kind
from playground.views.look import seconds
from playground.views.summary import Picture

SAMPLE_S = 0.1  # a sample tells of so much time before it
MOST = 12  # processes that are drawn
SIGNAL, BEGAN, ENDED = "signal", "began", "ended"


@dataclass(frozen=True)
class Life:
    """One process. Times in seconds from the picture's zero; ``ended_s`` is infinite while it
    lives. ``why`` is the signal that was sent to it, if one was.
    """

    pid: int
    name: str
    began_s: float
    ended_s: float
    why: str


@dataclass(frozen=True)
class Mark:
    """A moment: a signal to a process (``name``), or that it began or ended."""

    at_s: float
    what: str
    name: str
    pid: int

    @property
    def kills(self) -> bool:
        """Whether no process could have seen it coming."""
        return self.name.startswith("kill")


def happened(shown: Picture) -> bool:
    """Whether a process came or ended during the run, or got a signal."""
    return bool(marks(shown))


def marks(shown: Picture) -> list[Mark]:
    """All of the run until the picture's end, in their order."""
    told = shown.trace.meta.get("marks", [])
    found = [Mark(_at(shown, one["t_us"]), one["what"], one["name"], one["pid"]) for one in told]
    return [mark for mark in found if mark.at_s <= shown.end_s]


def signals(shown: Picture) -> list[Mark]:
    """The marks of signals."""
    return [mark for mark in marks(shown) if mark.what == SIGNAL]


def lives(shown: Picture) -> list[Life]:
    """The processes as they came; of many the first and the last."""
    lanes = {lane.pid: lane.name.partition(",")[0] for lane in reversed(shown.lanes)}
    kills = {mark.pid: mark.name for mark in signals(shown) if mark.kills}
    found = []
    for row in shown.trace.meta.get("processes", []):
        began, pid = _at(shown, row["began_us"]), row["pid"]
        ended = math.inf if row["ended_us"] is None else _at(shown, row["ended_us"])
        if began <= shown.end_s:
            name = f"{lanes.get(pid, row['role'])} · {pid}"
            why = kills.get(pid, "")
            found.append(Life(pid, name, began, ended if ended <= shown.end_s else math.inf, why))
    return found if len(found) <= MOST else [found[0], *found[1 - MOST :]]


def samples(shown: Picture, pid: int, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Times in seconds and values of a gauge of a process, until the picture's end."""
    ids = [lane.id for lane in shown.trace.lanes if lane.pid == pid and lane.name == name]
    records = shown.trace.records
    mine = records[(records["kind"] == Kind.GAUGE) & np.isin(records["lane"], ids)]
    at = (mine["t_us"] - shown.zero_us) / 1e6
    return at[at <= shown.end_s], mine["dur_us"][at <= shown.end_s]


def says(shown: Picture, life: Life) -> str:
    """What stands beside a process: ``"12 % CPU · 31 MiB"``, ``"ended: kill -9"``."""
    if math.isfinite(life.ended_s):
        return f"ended: {life.why}" if life.why else "ended"
    words = []
    for name, unit in (("CPU %", "% CPU"), ("PSS MiB", "MiB")):
        _, values = samples(shown, life.pid, name)
        if len(values):
            words.append(f"{values[-1]:.0f} {unit}")
    _, again = samples(shown, life.pid, "restarts")
    if len(again) and again[-1] > 0:
        words.append(f"{again[-1]:.0f} restart{'s' * int(again[-1] != 1)}")
    return " · ".join(words)


def sentences(shown: Picture) -> list[str]:
    """Each mark in words: ``"482 ms: kill -9 to worker 1 · 18718"``."""
    names = {life.pid: life.name for life in lives(shown)}
    told = []
    for mark in marks(shown):
        who = names.get(mark.pid, f"process {mark.pid}")
        what = f"{mark.name} to {who}" if mark.what == SIGNAL else f"{who} {mark.what}"
        told.append(f"{seconds(mark.at_s)}: {what}")
    return told


def _at(shown: Picture, t_us: float) -> float:
    return (float(t_us) - shown.zero_us) / 1e6
