"""The WSGI tracer: a middleware that records each request from ``environ`` to ``close()`` (PEP
3333).

It changes nothing that a server or an application could notice: ``write()``, ``exc_info``, lists of
one block (for which servers supply Content-Length) and ``wsgi.file_wrapper`` work as without it.

Running and waiting: with ``cpu=True`` each request's processor time is recorded, and one thread per
process looks every few milliseconds at the processor clocks of the threads that are serving. A
window in which a thread used less than half of the time counts as waiting (AWAIT), else as running
(STEP), both flagged SAMPLED. The thread ends when nothing has been served for a while.
"""

import json
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from playground.trace.records import OPEN, RECORD, Flag, Kind, now_us, parse_traceparent
from playground.trace.sender import Channel, Sender, note

SAMPLE_S = 0.005
LINGER_S = 0.5  # without requests, until the sampling thread ends
NO_SAMPLE_US = SAMPLE_S * 1e6 / 2  # a window shorter than this joins the next
ERROR_TEXT = 300  # characters

WORKER, REQUEST = int(Kind.WORKER), int(Kind.REQUEST)  # plain numbers pack faster
BOTH = struct.Struct("<" + RECORD.format[1:] * 2)  # a WORKER and a REQUEST record

CAN_SAMPLE = hasattr(time, "pthread_getcpuclockid")

StartResponse = Callable[..., Callable[[bytes], object]]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class TracedWSGI:
    """``app``, each request recorded through ``sender``; with ``cpu`` its processor time too."""

    def __init__(self, app: Application, sender: Sender, cpu: bool = False) -> None:
        self._app = app
        self._sender = sender
        self._cpu = cpu
        self._sampler: Sampler | None = None

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        channel = self._sender.channel()
        service = Service(channel, self._sampler_of(channel), environ)

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            write = start_response(status, headers, *exc_info)
            service.status = status
            return write

        try:
            result = self._app(environ, start)
        except BaseException as error:
            service.end(error)
            raise
        return followed(result, service, environ)

    def _sampler_of(self, channel: Channel) -> "Sampler | None":
        if not self._cpu:
            return None
        sampler = self._sampler
        if sampler is None or sampler.channel is not channel:  # the first request, or a fork
            sampler = self._sampler = Sampler(channel)
        return sampler


class Service:
    """One request in service, from ``environ`` to ``close()``."""

    __slots__ = (
        "_begun",
        "_channel",
        "_cpu_begun",
        "_ended",
        "_lane",
        "_request",
        "_run",
        "_sampler",
        "_thread",
        "clock",
        "part",
        "part_us",
        "status",
        "window_cpu",
        "window_us",
    )

    def __init__(
        self, channel: Channel, sampler: "Sampler | None", environ: dict[str, Any]
    ) -> None:
        self._channel = channel
        self._sampler = sampler
        self._ended = False
        self.status: object = None
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
        if sampler is not None:
            self._thread = threading.get_ident()
            sampler.add(self, begun)

    def end(self, error: BaseException | None = None, text: str = "") -> None:
        """The service is over; only the first call counts."""
        if self._ended:
            return
        self._ended = True
        ended = now_us()
        parts, cpu_us = b"", None
        if self._sampler is not None:
            parts, cpu_us = self._sampler.remove(self, ended)
            if threading.get_ident() != self._thread:
                cpu_us = None  # another thread closed it: what this one used is not known
        if error is not None:
            text = describe(error)
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
        self._channel.send(parts + both, self._run, told.encode())

    def begin_sampling(self, begun: float) -> None:
        """Note the clock of the calling thread; the whole service is the first window."""
        self.clock = time.pthread_getcpuclockid(threading.get_ident()) if CAN_SAMPLE else None
        self.part = 0
        self.part_us = self.window_us = begun
        self.window_cpu = self._cpu_begun = self.cpu_us()

    def cpu_us(self) -> float:
        """The processor time of the thread that began the service."""
        if self.clock is None:
            return time.thread_time_ns() / 1000
        return time.clock_gettime_ns(self.clock) / 1000

    def sample(self, now: float) -> bytes:
        """Records for the window that ends now: none if the state has not changed."""
        cpu = self.cpu_us()
        kind = Kind.STEP if (cpu - self.window_cpu) * 2 >= now - self.window_us else Kind.AWAIT
        records = b""
        if kind != self.part:
            if self.part:
                records = self._part(self.window_us)
            self.part, self.part_us = kind, self.window_us
            records += self._part(None)
        self.window_us, self.window_cpu = now, cpu
        return records

    def finish_sampling(self, now: float) -> tuple[bytes, float]:
        """The last window, the end of the last part, and the processor time in microseconds."""
        if self.clock is None:
            return b"", self.cpu_us() - self._cpu_begun
        records = self.sample(now) if now > self.window_us else b""
        return records + self._part(now), self.window_cpu - self._cpu_begun

    def publish(self, records: bytes) -> None:
        """Send records of this request from another thread."""
        self._channel.send(records, self._run)

    def _part(self, end: float | None) -> bytes:
        length = OPEN if end is None else end - self.part_us
        return RECORD.pack(self.part_us, length, self._request, self._lane, self.part, Flag.SAMPLED)


class Sampler:
    """The one thread of a process that tells running from waiting while requests are in service."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self._lock = threading.Lock()
        self._busy: set[Service] = set()
        self._thread: threading.Thread | None = None

    def add(self, service: Service, begun: float) -> None:
        """Watch a service that the calling thread begins."""
        service.begin_sampling(begun)
        if not CAN_SAMPLE:
            return
        with self._lock:
            self._busy.add(service)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="cpu-sampler", daemon=True)
                self._thread.start()

    def remove(self, service: Service, now: float) -> tuple[bytes, float | None]:
        """Stop watching: the last records, and the processor time (None if its thread is gone)."""
        with self._lock:
            self._busy.discard(service)
            try:
                return service.finish_sampling(now)
            except OSError:
                return b"", None

    @property
    def awake(self) -> bool:
        """Whether the thread runs."""
        return self._thread is not None

    def _run(self) -> None:
        idle_since = time.monotonic()
        while True:
            time.sleep(SAMPLE_S)
            with self._lock:
                if self._busy:
                    idle_since = time.monotonic()
                    self._look()
                elif time.monotonic() - idle_since > LINGER_S:
                    self._thread = None
                    return

    def _look(self) -> None:
        for service in list(self._busy):
            now = now_us()
            if now - service.window_us < NO_SAMPLE_US:
                continue
            try:
                records = service.sample(now)
            except OSError:  # its thread has ended without close()
                self._busy.discard(service)
                continue
            if records:
                service.publish(records)


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
            return next(self._iterator)
        except StopIteration:
            raise
        except BaseException as error:
            self._service.end(error)
            raise

    def close(self) -> None:
        """End the record, after the application's own ``close()``."""
        close_result(self._result, self._service)
        self._result = ()

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


def close_result(result: Iterable[bytes], service: Service) -> None:
    """Call the application's ``close()`` if it has one; its errors are recorded and go on."""
    try:
        close = getattr(result, "close", None)
        if close is not None:
            close()
    except BaseException as error:
        service.end(error)
        raise
    service.end()


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
