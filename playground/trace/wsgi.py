"""The WSGI tracer: a middleware that records each request from ``environ`` to ``close()`` (PEP
3333).

It changes nothing that a server or an application could notice: ``write()``, ``exc_info``, lists of
one block (for which servers supply Content-Length) and ``wsgi.file_wrapper`` work as without it.

With ``cpu=True`` each request's processor time is recorded. What a thread does meanwhile is seen
from outside: ``playground.trace.sampler``.
"""

import json
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from playground.trace.frames import hide_own_frames
from playground.trace.records import OPEN, RECORD, Flag, Kind, now_us, parse_traceparent
from playground.trace.sender import Channel, Sender, note

ERROR_TEXT = 300  # characters

WORKER, REQUEST = int(Kind.WORKER), int(Kind.REQUEST)  # plain numbers pack faster
BOTH = struct.Struct("<" + RECORD.format[1:] * 2)  # a WORKER and a REQUEST record

StartResponse = Callable[..., Callable[[bytes], object]]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class TracedWSGI:
    """``app``, each request recorded through ``sender``; with ``cpu`` its processor time too."""

    def __init__(self, app: Application, sender: Sender, cpu: bool = False) -> None:
        self._app = app
        self._sender = sender
        self._cpu = cpu

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        service = Service(self._sender.channel(), environ, self._cpu)

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            write = start_response(status, headers, *exc_info)
            service.status = status
            return write

        try:
            result = self._app(environ, start)
        except BaseException as error:
            service.end(error)
            hide_own_frames(error)
            raise
        return followed(result, service, environ)


class Service:
    """One request in service, from ``environ`` to ``close()``."""

    __slots__ = (
        "_begun",
        "_channel",
        "_cpu_begun_ns",
        "_ended",
        "_lane",
        "_request",
        "_run",
        "_thread",
        "mistake",
        "status",
    )

    def __init__(self, channel: Channel, environ: dict[str, Any], cpu: bool) -> None:
        self._channel = channel
        self._ended = False
        self.status: object = None
        self.mistake = ""  # of the app, for which a server has its own answer
        self._lane = lane = channel.lane()
        notes = b""
        tracked = parse_traceparent(environ.get("HTTP_TRACEPARENT", ""))
        if tracked is None:
            self._run, request = 0, channel.untracked()
            notes = note(request, label=label(environ))
        else:
            self._run, request = tracked
        self._request = request
        self._begun = begun = now_us()
        both = BOTH.pack(
            *(begun, OPEN, request, lane, WORKER, 0),
            *(begun, OPEN, request, lane, REQUEST, 0),
        )
        channel.send(both, self._run, notes)
        self._thread = threading.get_ident() if cpu else None
        self._cpu_begun_ns = time.thread_time_ns() if cpu else 0

    def end(self, error: BaseException | None = None, text: str = "") -> None:
        """The service is over; only the first call counts."""
        if self._ended:
            return
        self._ended = True
        ended = now_us()
        cpu_us = None
        if self._thread == threading.get_ident():  # else what the service used is not known
            cpu_us = (time.thread_time_ns() - self._cpu_begun_ns) / 1000
        text = describe(error) if error is not None else self.mistake or text
        begun, took = self._begun, ended - self._begun
        request, lane, flag = self._request, self._lane, Flag.ERROR if text else 0
        both = BOTH.pack(
            *(begun, took, request, lane, WORKER, flag),
            *(begun, took, request, lane, REQUEST, flag),
        )
        told = (
            f'{{"request":{request},"end":1,"status":{json_number(status_code(self.status))},'
            f'"cpu_us":{json_number(cpu_us)},"error":{json.dumps(text) if text else "null"}}}\n'
        )
        self._channel.send(both, self._run, told.encode())


class Blocks:
    """An application's iterable, followed until ``close()``."""

    def __init__(
        self, result: Iterable[bytes], iterator: Iterator[bytes], service: Service
    ) -> None:
        self._result = result
        self._iterator = iterator
        self._service = service

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            block = next(self._iterator)
        except StopIteration:
            look_at(b"", self._service)
            raise
        except BaseException as error:
            self._service.end(error)
            hide_own_frames(error)
            raise
        look_at(block, self._service)
        return block

    def close(self) -> None:
        """End the record, after the application's own ``close()``; its errors go on."""
        result, self._result = self._result, ()
        try:
            close = getattr(result, "close", None)
            if close is not None:
                close()
        except BaseException as error:
            self._service.end(error)
            hide_own_frames(error)
            raise
        self._service.end()

    def __del__(self) -> None:
        never_closed(self._service)


class BlockList(list[bytes]):
    """A list of blocks with a ``close()``: servers that look at its length still can."""

    service: Service

    def close(self) -> None:
        """End the record."""
        self.service.end()

    def __del__(self) -> None:
        never_closed(self.service)


def followed(result: Iterable[bytes], service: Service, environ: dict[str, Any]) -> Iterable[bytes]:
    """``result`` in a form that ends ``service`` when the server closes it."""
    if type(result) is list or type(result) is tuple:
        blocks = BlockList(result)
        blocks.service = service
        for block in blocks or (b"",):
            look_at(block, service)
        return blocks
    wrapper = environ.get("wsgi.file_wrapper")
    if isinstance(wrapper, type) and isinstance(result, wrapper) and _follow_file(result, service):
        return result
    try:
        iterator = iter(result)
    except TypeError:
        kind = type(result).__name__
        service.end(text=f"the app returned {kind}, not an iterable of bytes (PEP 3333)")
        return result  # the server's own answer to that is what counts
    return Blocks(result, iterator, service)


def look_at(block: object, service: Service) -> None:
    """Note what is wrong with a block, or with an app that has not started its response."""
    if service.status is None:
        service.mistake = "the app did not call start_response before its body (PEP 3333)"
    elif not isinstance(block, bytes):
        kind = type(block).__name__
        service.mistake = f"the app's body consists of {kind}, not of bytes (PEP 3333)"


def _follow_file(result: Any, service: Service) -> bool:
    """Leave the server its own file wrapper, so that it can still use sendfile."""
    inner = getattr(result, "close", None)

    def close() -> None:
        try:
            if inner is not None:
                inner()
        finally:
            service.end()

    try:
        result.close = close
    except AttributeError:
        return False
    return True


def never_closed(service: Service) -> None:
    """The server let go of the iterable: if it has not called ``close()``, it never will."""
    service.end(text="the server did not call close() on the app's iterable (PEP 3333)")


def label(environ: dict[str, Any]) -> str:
    """``GET /slow?s=1``, as far as ``environ`` tells."""
    path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
    query = environ.get("QUERY_STRING")
    return f"{environ.get('REQUEST_METHOD', '?')} {path}{'?' + query if query else ''}"


def describe(error: BaseException) -> str:
    """``RuntimeError: what it says``, shortened."""
    text = str(error)
    name = type(error).__name__
    return (f"{name}: {text}" if text else name)[:ERROR_TEXT]


def status_code(status: object) -> int | None:
    """200 for ``"200 OK"``; None for what is no status line."""
    code = status[:3] if isinstance(status, str) else ""
    return int(code) if len(code) == 3 and code.isascii() and code.isdigit() else None


def json_number(value: float | None) -> str:
    """A number or ``null``; much cheaper than ``json.dumps``."""
    return "null" if value is None else f"{value:.0f}"
