"""Send many requests at once, watch them, and keep what happened as a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from playground.errors import Interrupted
from playground.load.checks import (
    check_body,
    check_count,
    check_headers,
    check_method,
    check_probe,
    check_seconds,
    check_server,
    make_room,
    quoted,
)
from playground.load.client import Observer, Probe, Reply, Request, Sending, send
from playground.load.display import Show, shown_by
from playground.load.recording import Recording
from playground.load.run import Run
from playground.setups.catalogue import ServeError
from playground.setups.server import Server
from playground.trace.records import UNTRACKED

if TYPE_CHECKING:
    from playground.classroom.live import Live

Mix = Sequence[tuple[str, int]]
Progress = Callable[[float], None]  # is told the part that is done, from 0 to 1


def burst(
    server: Server,
    n: int | Mix = 8,
    path: str = "/",
    *,
    method: str = "GET",
    body: bytes | str | None = None,
    headers: dict[str, str] | None = None,
    keep_alive: bool = False,
    timeout: float = 30,
    probe: str | None = None,
    every: float = 0.05,
    show: Show = True,
    share: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Send ``n`` requests at once, wait for all, and return the run.

    ``n`` may be a mix instead, as in ``[("/slow", 8), ("/health", 1)]``: all of them at once,
    numbered in that order. ``timeout`` seconds is what each may take. While they run, ``show``
    draws them. An interrupt gives up what is open; what had happened until then stays in
    ``server.last_run``.

    ``probe`` is the path of a health check: one GET each ``every`` seconds, at fixed times and on
    connections of their own, until the burst is over. What comes back is in ``run.probe``.

    ``share`` shows it on the classroom's board as well, while it goes on and afterwards, with your
    name. The run does not wait for that.

    ``progress`` is told the part that is done, from 0 to 1, ten times a second; an interrupt that
    it raises ends the burst as any other does.

    Raises ``ClassroomError`` where a run is to be shared and no board was joined, ``ServeError``
    for numbers and paths that make no sense. A request that fails is no
    error: its reply says what went wrong.
    """
    check_server(server, "burst")
    mix = _mix(n, path)
    check_method(method)
    check_body(body)
    check_headers(headers)
    check_seconds("timeout", timeout)
    paths = [place for place, count in mix for _ in range(count)]
    make_room(len(paths) + check_probe(probe, every, timeout))

    def label(number: int) -> str:
        return f"{method} {paths[number - 1]}" if number <= len(paths) else f"probe GET {probe}"

    title = f"{_title(mix, method)}{f', probe {probe}' if probe else ''} on {server.name}"
    recording = Recording(server, title, label)
    request = Request(
        urls=tuple(server.url + quoted(place) for place in paths),
        method=method,
        body=body.encode() if isinstance(body, str) else body,
        headers=dict(headers or {}),
        keep_alive=keep_alive,
        timeout=timeout,
        trace_id=recording.trace_id,
        probe=Probe(server.url + quoted(probe), every) if probe else None,
    )
    started: list[Sending] = []

    def start(observer: Observer) -> Sending:
        started.append(Sending(request, observer))
        return started[0]

    def look() -> None:
        if progress is not None:
            done = sum(number <= len(paths) for number in list(started[0].replies))
            progress(done / len(paths))

    return record(
        server,
        recording,
        start,
        expected=len(paths),
        show=show,
        share=share,
        look=look,
        probe_from=len(paths) + 1 if probe else None,
    )


def get(server: Server, path: str = "/", *, timeout: float = 30) -> Reply:
    """Send one GET request and return its reply. It is recorded as untracked."""
    check_server(server, "get")
    check_seconds("timeout", timeout)
    return send(Request(urls=(server.url + quoted(path),), timeout=timeout))[0]


def record(
    server: Server,
    recording: Recording,
    start: Callable[[Observer], Sending],
    *,
    expected: int,
    show: Show,
    share: bool = False,
    probe_from: int | None = None,
    look: Callable[[], None] = lambda: None,
    **meta: Any,
) -> Run:
    """Send, watch, wait, and join the two sides. ``look`` is called ten times a second."""
    live = _live(recording, expected) if share else None
    recording.begin(probe_from=probe_from, **meta)
    shown = shown_by(show, recording.collector, server, expected, recording.title)
    sending = start(recording.observer())
    try:
        if live is not None:
            live.start()
        sending.wait(look)
        replies = sending.replies
        recording.await_last_words(one for one in replies if replies[one].error is None)
    except KeyboardInterrupt:
        sending.cancel()
        recording.collector.annotate(interrupted=True)
        raise Interrupted("what had happened until then is in server.last_run.") from None
    finally:
        if live is not None:
            live.stop()
        run = server.last_run = _finish(sending, recording, probe_from)
        if shown is not None:
            shown.finish(run)
        if live is not None:
            live.finish(run.trace)
    return run


def _live(recording: Recording, expected: int) -> Live:
    from playground.classroom.live import Live

    return Live(recording.collector, recording.trace_id, expected)


def _finish(sending: Sending, recording: Recording, probe_from: int | None) -> Run:
    numbers = sorted(sending.replies)
    first = probe_from or UNTRACKED
    replies = [sending.replies[number] for number in numbers if number < first]
    probe = [sending.replies[number] for number in numbers if number >= first]
    trace = recording.finish(**sending.punctuality())
    return Run(trace, replies, probe=probe)


def _mix(n: Any, path: str) -> list[tuple[str, int]]:
    """What to send, as paths and how many of each."""
    if not isinstance(n, list | tuple):
        check_count(n, "A burst")
        quoted(path)
        return [(path, n)]
    if path != "/":
        raise ServeError("A mix names its own paths: leave out the path after it.")
    for part in n:
        if not isinstance(part, list | tuple) or len(part) != 2:
            raise ServeError(
                f"A mix is a list of paths and counts such as [('/slow', 8), ('/health', 1)]:"
                f" {part!r} is no such pair."
            )
        quoted(part[0])
        check_count(part[1], "A part of a mix")
    check_count(sum(count for _, count in n), "A mix")
    return [(place, count) for place, count in n]


def _title(mix: list[tuple[str, int]], method: str) -> str:
    return ", ".join(f"{count} × {method} {place}" for place, count in mix)
