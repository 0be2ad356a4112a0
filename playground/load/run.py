"""A run: what was sent, what came back, and the trace of what happened in between."""

import json
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playground.load.client import Reply
from playground.load.files import write_whole
from playground.load.ranks import percentile
from playground.trace.trace import Trace

LATE_NOTE = (
    "which shows in these percentiles: they tell about it, or about a busy machine, and not about"
    " the server alone."
)
CLOSED_NOTE = (
    "A closed loop: each client sends again when it is answered, so a slow server is asked less"
    " often; what would have waited meanwhile is in no latency."
)


@dataclass
class Run:
    """One burst or load: ``trace`` and ``replies``, in the order in which the requests were
    numbered.

    ``probe`` has the replies of the health check that went on beside it, if one did.
    """

    trace: Trace
    replies: list[Reply] = field(default_factory=list)
    key: str = ""  # of the moving picture that showed it, if one did
    probe: list[Reply] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """Counts, seconds and requests per second.

        ``served`` had a complete answer (``statuses`` counts them by code), ``failed`` had none.
        Latencies are those of the served, from the intended send; None if there are none.
        ``wall_s`` is from the first intended send to the last end. ``sender_late_ms`` is how late
        the client was itself at worst, ``bottleneck`` whether that is what the numbers show.
        ``note`` says in words what to know before one believes them; it is empty if that is
        nothing.

        A probe is counted apart: ``probe_served``, ``probe_failed``, and of the served
        ``probe_p50_s`` and ``probe_max_s``. These are there only if the burst had one.
        """
        served = sorted(reply.latency_s for reply in self.replies if reply.error is None)
        wall = self._wall_s()
        statuses = Counter(reply.status for reply in self.replies if reply.error is None)
        return {
            "served": len(served),
            "failed": len(self.replies) - len(served),
            "wall_s": wall,
            "p50_s": percentile(served, 50),
            "p90_s": percentile(served, 90),
            "p95_s": percentile(served, 95),
            "p99_s": percentile(served, 99),
            "max_s": served[-1] if served else None,
            "throughput_rps": len(served) / wall if wall else 0.0,
            "dropped": self.trace.meta.get("dropped", 0),
            "statuses": dict(statuses),
            "arrivals": self.arrivals,
            "sender_late_ms": self.trace.meta.get("client_lag_us", 0.0) / 1000,
            "bottleneck": bool(self.trace.meta.get("client_bottleneck")),
            "note": self.note,
            **self._probe_summary(),
        }

    def _wall_s(self) -> float:
        if not self.replies:
            return 0.0
        begun = min(reply.intended_s for reply in self.replies)
        return max(reply.intended_s + reply.latency_s for reply in self.replies) - begun

    @property
    def arrivals(self) -> str:
        """When requests were sent: ``together``, ``steady``, ``poisson`` or ``closed``."""
        return str((self.trace.meta.get("arrivals") or {}).get("arrivals", "together"))

    def _probe_summary(self) -> dict[str, Any]:
        if self.trace.meta.get("probe_from") is None:
            return {}
        served = sorted(reply.latency_s for reply in self.probe if reply.error is None)
        return {
            "probe_served": len(served),
            "probe_failed": len(self.probe) - len(served),
            "probe_p50_s": percentile(served, 50),
            "probe_max_s": served[-1] if served else None,
        }

    @property
    def note(self) -> str:
        """What to know before one believes the numbers, in a sentence or two; else empty.

        That the load generator was the bottleneck; and that it was a closed loop.
        """
        meta, told = self.trace.meta, []
        if meta.get("client_bottleneck"):
            late = f"The client itself was up to {meta.get('client_lag_us', 0) / 1000:.0f} ms late"
            told.append(
                f"{late}, {LATE_NOTE}"
                if meta.get("arrivals")
                else f"{late}: these numbers tell more about it, or about a busy machine, than"
                " about the server."
            )
        if self.arrivals == "closed":
            told.append(CLOSED_NOTE)
        return " ".join(told)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the trace to a file; ``Trace.load(path)`` reads it."""
        return self.trace.save(path)

    def to_svg(self, theme: str = "auto") -> str:
        """The picture as SVG: ``theme`` is light, dark or auto."""
        from playground.views import svg

        return svg.render(self.trace, theme=theme)

    def to_html(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture as one self-contained page. Raises ``ServeError`` if it cannot."""
        from playground.views import html

        return write_whole(path, html.page(self.trace).encode())

    def to_perfetto(self, path: str | os.PathLike[str]) -> Path:
        """Write the trace in the Chrome trace format, which ui.perfetto.dev opens.

        Raises ``ServeError`` if it cannot.
        """
        from playground.views import perfetto

        return write_whole(path, json.dumps(perfetto.export(self.trace)).encode())

    def to_text(self) -> str:
        """The picture as plain text."""
        from playground.views import static

        return "\n".join(filter(None, [static.text([self.trace]), self.note]))

    def __repr__(self) -> str:
        told = self.summary()
        title = self.trace.meta.get("title", "run")
        times = "" if told["p50_s"] is None else f", median {told['p50_s']:.3f} s"
        late = f". {self.note}" if self.note else ""
        probed = ""
        if self.probe:
            worst = told["probe_max_s"]
            within = "" if worst is None else f" within {worst:.3f} s"
            probed = f"; {told['probe_served']} of {len(self.probe)} probes answered{within}"
        counts = f"{told['served']} served, {told['failed']} failed"
        return f"<{title}: {counts}{times}{probed}{late}>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        from playground.views import static

        return static.bundle([self.trace], key=self.key, note=self.note or None)

    def __rich_console__(self, console: Any, options: Any) -> Any:
        from playground.views import terminal

        yield terminal.render(self.trace)
        if self.note:
            yield self.note
