"""Who was woken by a timer or by another thread, and since when that was due.

While a server is traced, ``call_at`` (or ``call_later``, through which uvloop's ``call_at`` goes)
and ``call_soon_threadsafe`` of its loop are watched. Of who sleeps it is known when that is over.
Any other callback of a timer, and what a thread hands over, is enclosed by two marks: a loop of
asyncio's family calls in the order of its queue, so whatever steps run between the marks are those
that the callback woke, such as the end of a timeout or of work in a pool thread.

Ready "since it was due" is claimed only as far back as the loop was surely busy: on asyncio since
the selector last waited, on uvloop for what came due before the end of the last long step. Else it
is the moment of the callback.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from playground.trace.records import now_us
from playground.trace.steps import LoopTrace

END_OF_SLEEP = getattr(asyncio.futures, "_set_result_unless_cancelled", None)
SAME_CLOCK_US = 1e6  # the loop's clock may be as old as its turn, but is it the tracer's?


class Waking:
    """A callback whom ``since`` (CLOCK_MONOTONIC, µs) has made due."""

    __slots__ = ("_callback", "_trace", "since")

    def __init__(self, trace: LoopTrace, callback: Callable[..., object], since: float) -> None:
        self._trace, self._callback, self.since = trace, callback, since

    def __call__(self, *arguments: Any) -> None:
        trace = self._trace
        if not trace.tasks:
            self._callback(*arguments)
            return
        trace.in_order(self._set_woken, trace.busy_since(self.since) or now_us())
        try:
            self._callback(*arguments)
        finally:
            trace.in_order(self._set_woken, 0.0)

    def _set_woken(self, since: float) -> None:
        self._trace.woken = since


def watch_waking(loop: asyncio.AbstractEventLoop, trace: LoopTrace) -> Callable[[], None]:
    """Install it on ``loop``. What takes it away again."""
    own = asyncio.BaseEventLoop
    timer = "call_at" if isinstance(loop, own) else "call_later"
    names = ["call_soon_threadsafe"]
    if abs(loop.time() * 1e6 - now_us()) < SAME_CLOCK_US:
        names.append(timer)
    installed = {
        name: (_thread if name == "call_soon_threadsafe" else _timer)(getattr(loop, name), trace)
        for name in names
    }
    vars(loop).update(installed)

    def unwatch() -> None:
        for name, function in installed.items():
            if vars(loop).get(name) is function:
                del vars(loop)[name]

    return unwatch


def _timer(original: Callable[..., Any], trace: LoopTrace) -> Callable[..., Any]:
    def timer(time: float, callback: Callable[..., object], *args: Any, **named: Any) -> Any:
        steps = trace.running
        if steps is None:
            return original(time, callback, *args, **named)
        if callback is END_OF_SLEEP:
            handle = original(time, callback, *args, **named)
            steps.sleep = args[0], handle.when() * 1e6
            return handle
        waking = Waking(trace, callback, 0.0)
        handle = original(time, waking, *args, **named)
        waking.since = handle.when() * 1e6
        return handle

    return timer


def _thread(original: Callable[..., Any], trace: LoopTrace) -> Callable[..., Any]:
    def call_soon_threadsafe(callback: Callable[..., object], *args: Any, **named: Any) -> Any:
        if not trace.tasks:
            return original(callback, *args, **named)
        return original(Waking(trace, callback, now_us()), *args, **named)

    return call_soon_threadsafe
