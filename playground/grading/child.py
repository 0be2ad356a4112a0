"""The process in which the learner's file runs, and the supervisor that ends it.

The grader starts one interpreter. It splits by fork: one half becomes the **runner**, which loads
the learner's file and does what the grader asks over a socket pair; the other half becomes the
**supervisor**, which never runs a line of the learner's. The supervisor collects what is printed,
keeps the number of processes bounded, adopts every orphan (Linux), and at the end kills whatever
descends from the runner and reports what was left over. When the grader itself disappears, the
supervisor reads end-of-file and does the same.

Standard library only (and psutil, in the supervisor): this is imported for every grading.
"""

from __future__ import annotations

import builtins
import contextlib
import ctypes
import faulthandler
import json
import linecache
import mmap
import os
import resource
import selectors
import shutil
import signal
import socket
import struct
import sys
import threading
import time
import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from playground.grading import confine
from playground.grading.codec import Frames, decode, encode, pack
from playground.grading.confine import DEVICES, MAX_PROCESSES, MAX_THREADS, SHARED

OUTPUT_KEPT = 20_000  # bytes of the learner's output that are kept; the rest is counted
LOOK_S = 0.02  # between two looks at the processes
PLAIN = (bytes, str, int, float, tuple, list, dict)
CHANNEL_LOST = 70  # exit code of a runner that can no longer talk to the grader
NOT_APART = 71  # exit code where namespaces are not to be had
_REAL_TIME: int | None = getattr(signal, "SIGRTMIN", None)  # not on macOS
STACK_SIGNAL = signal.SIGUSR1 if _REAL_TIME is None else _REAL_TIME + 7
LAST_RESORT_SIGNAL = signal.SIGUSR2 if _REAL_TIME is None else _REAL_TIME + 8


@dataclass(frozen=True)
class Limits:
    """What the learner's process may use."""

    cpu_s: int = 20
    memory_bytes: int = 1 << 30
    file_bytes: int = 16 << 20
    open_files: int = 256
    wall_s: float = 600.0  # should the grader hang: what it asks for has its own deadlines


@dataclass(frozen=True)
class Settings:
    """File descriptors and limits that the grader hands to the new interpreter."""

    calls: int  # socket pair: what the grader asks, and what comes back
    control: int  # socket pair: the supervisor's reports
    stacks: int  # pipe: where the code stands, on request
    scratch: str
    limits: Limits
    apart: bool  # try namespaces
    hidden: list[str]  # folders that the learner's code may not read
    visible: str  # the file that it may read wherever it is


def main(text: str) -> NoReturn:
    """Become runner and supervisor; `text` is the JSON of Settings. Never returns."""
    fields = json.loads(text)
    settings = Settings(**{**fields, "limits": Limits(**fields["limits"])})
    output, output_writer = os.pipe()
    place = os.open(os.path.dirname(settings.scratch), os.O_RDONLY)  # while it can be changed
    adopt_orphans()
    if settings.apart:
        try:
            confine.namespaces(settings.scratch)
        except OSError:
            os._exit(NOT_APART)
    pid = os.fork()
    if pid == 0:
        for fd in (output, settings.control, place):
            os.close(fd)
        try:
            run(settings, output_writer)
        finally:
            os._exit(CHANNEL_LOST)
    for fd in (output_writer, settings.calls, settings.stacks):
        os.close(fd)
    try:
        Supervisor(pid, settings, output).run()
        if settings.apart:
            confine.give_back(settings.scratch)
        shutil.rmtree(os.path.basename(settings.scratch), ignore_errors=True, dir_fd=place)
    finally:
        os._exit(0)


# ---- supervisor ------------------------------------------------------------------------------


def adopt_orphans() -> None:
    """Become the parent of every orphaned descendant (Linux), so that none can slip away."""
    _prctl(36)  # PR_SET_CHILD_SUBREAPER


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent ends (Linux)."""
    _prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _prctl(option: int, value: int = 1) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


class Supervisor:
    """Watch over the runner until the grader says end, or is gone, or time is up."""

    def __init__(self, pid: int, settings: Settings, output: int) -> None:
        self.pid = pid
        self.limits = settings.limits
        self.control = socket.socket(fileno=settings.control)
        self.output = output
        self.kept = bytearray()
        self.printed = 0
        self.deadline = time.monotonic() + settings.limits.wall_s
        self.over = ""
        self.status: int | None = None
        self.known: set[Any] = set()

    def run(self) -> None:
        """Supervise, then end everything and report."""
        with contextlib.suppress(OSError):  # for root only: a bomb must not keep us from running
            os.setpriority(os.PRIO_PROCESS, 0, -10)
        self.send({"pid": self.pid})
        os.set_blocking(self.output, False)
        with selectors.DefaultSelector() as selector:
            selector.register(self.control, selectors.EVENT_READ)
            selector.register(self.output, selectors.EVENT_READ)
            self.watch(selector)
        left = self.end()
        self.drain()
        text = bytes(self.kept).decode("utf-8", "backslashreplace")
        self.send({"end": True, "left": left, "output": text, "printed": self.printed})

    def watch(self, selector: selectors.BaseSelector) -> None:
        """Return when the grader asks for the end, has gone, or something is used up."""
        next_look = time.monotonic() + LOOK_S
        while time.monotonic() < self.deadline:
            for key, _ in selector.select(0.01):
                if key.fileobj is self.control:
                    if not self.served():
                        return
                elif not self.drain():
                    selector.unregister(self.output)
            self.reap()
            if time.monotonic() > next_look:
                self.over = self.excess()
                if self.over:
                    self.send({"over": self.over})
                    return
                next_look = time.monotonic() + LOOK_S

    def served(self) -> bool:
        """Send the grader the sockets it asks for, in the learner's network. False at its end."""
        wanted = self.control.recv(64)
        for _ in range(wanted.count(b"s")):
            with socket.socket() as made, contextlib.suppress(OSError):
                socket.send_fds(self.control, [b'{"socket": true}\n'], [made.fileno()])
        return bool(wanted) and b"e" not in wanted

    def drain(self) -> bool:
        """Read what was printed; keep the beginning, count all. False at end-of-file."""
        with contextlib.suppress(BlockingIOError):
            for _ in range(64):
                data = os.read(self.output, 65_536)
                if not data:
                    return False
                self.printed += len(data)
                self.kept += data[: max(0, OUTPUT_KEPT - len(self.kept))]
        return True

    def reap(self) -> None:
        """Collect every ended child; report the runner's own end at once."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self.pid:
                    self.status = status
                    self.send({"exit": os.waitstatus_to_exitcode(status)})

    def excess(self) -> str:
        """Return which limit all processes together have passed, "" for none."""
        found = self.descendants()
        if len(found) > MAX_PROCESSES:
            return f"more than {MAX_PROCESSES} processes were running"
        if sum(found.values()) > MAX_THREADS:
            return f"more than {MAX_THREADS} threads were running"
        bound = self.limits.memory_bytes * 3 // 2
        if _memory(found, "statm") > bound and _memory(found, "smaps_rollup") > bound:
            return f"all its processes together used more than {bound / (1 << 30):g} GiB of memory"
        return ""

    def descendants(self) -> dict[int, int]:
        """Return the processes that descend from this one, each with its number of threads."""
        if _TREE:
            return _tree(os.getpid())
        import psutil  # after the fork, so that the runner need not wait for it

        self.known.update(psutil.Process().children(recursive=True))
        return {process.pid: 1 for process in self.known if _lives(process)}

    def end(self) -> list[str]:
        """Kill everything below; return the command lines of what outlived the runner's call.

        A process that forks faster than one can look leaves a new one for each that is killed:
        only a loop without a pause catches it.
        """
        before: dict[int, int] = self.descendants()
        left = [] if self.over else [_words(pid) for pid in before if pid != self.pid]
        limit = time.monotonic() + 4.0
        while time.monotonic() < limit:
            for pid in self.descendants():
                _kill(os.kill, pid)
            _kill(os.killpg, self.pid)
            self.reap()
            found = self.descendants()
            if not found and self.status is not None:
                break
            if found == before:  # all of them are dying
                time.sleep(0.001)
            before = found
        return [words for words in left if words]

    def send(self, report: dict[str, Any]) -> None:
        """Tell the grader; it may be gone."""
        with contextlib.suppress(OSError):
            self.control.sendall(json.dumps(report).encode() + b"\n")


_TREE = os.path.exists(f"/proc/self/task/{os.getpid()}/children")  # Linux, nearly always


def _tree(top: int) -> dict[int, int]:
    """Return the processes below `top`, each with its number of threads, zombies included."""
    found: dict[int, int] = {}
    waiting = [top]
    while waiting:
        pid = waiting.pop()
        with contextlib.suppress(OSError):
            threads = os.listdir(f"/proc/{pid}/task")
            found[pid] = len(threads)
            for thread in threads:
                with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                    waiting += map(int, file.read().split())
    found.pop(top, None)
    return found


def _memory(pids: Iterable[int], table: str) -> int:
    """Return the bytes in memory: quickly from statm, or exactly (shared pages once)."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/{table}", "rb") as file:
            text = file.read()
            if table == "statm":
                total += int(text.split()[1]) * resource.getpagesize()
            else:
                total += int(text.partition(b"\nPss:")[2].split()[0]) << 10
    return total


def _kill(kill: Callable[[int, int], None], pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        kill(pid, signal.SIGKILL)


def _words(pid: int) -> str:
    """Return the beginning of a process's command line, "" when it has ended."""
    import psutil

    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE:
            return " ".join(process.cmdline()[:3]) or process.name()
    return ""


def _lives(process: Any) -> bool:
    """Tell whether a process (psutil.Process) has not ended; it may do so at any moment."""
    import psutil

    with contextlib.suppress(psutil.Error):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


# ---- runner ----------------------------------------------------------------------------------


def run(settings: Settings, output: int) -> None:
    """Set the limits and serve the grader's requests until it closes the channel."""
    os.setsid()
    die_with_parent()
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.close(null)
    os.close(output)
    os.chdir(settings.scratch)
    sys.argv = ["exercise"]
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", 1, "utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, "utf-8", closefd=False)
    set_limits(settings.limits)
    runner = Runner(settings)
    signal.signal(STACK_SIGNAL, runner.on_stack_signal)
    faulthandler.register(LAST_RESORT_SIGNAL, file=settings.stacks, all_threads=True)
    faulthandler.enable(file=2)
    confine.bound_threads(apart=settings.apart)
    confine.landlock(settings.scratch, settings.hidden, settings.visible)
    confine.drop_privileges()
    sys.addaudithook(Guard(settings).hook)
    runner.serve()


def set_limits(limits: Limits) -> None:
    """Apply `limits` to this process; its children inherit them."""
    wanted = {
        "RLIMIT_CPU": limits.cpu_s,
        "RLIMIT_DATA": limits.memory_bytes,
        "RLIMIT_FSIZE": limits.file_bytes,
        "RLIMIT_NOFILE": limits.open_files,
        "RLIMIT_CORE": 0,
    }
    for name, value in wanted.items():
        kind = getattr(resource, name, None)
        if kind is not None:
            hard = resource.getrlimit(kind)[1]
            bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(kind, (bound, bound))


class NotAllowed(RuntimeError):
    """The exercise tried something that is refused here; the message says what and why.

    Not an OSError: code that expects those must not swallow it.
    """


class Guard:
    """An audit hook: loopback only, own processes and files only, bounded forks.

    The kernel holds most of this as well (playground.grading.confine); here it gets its sentence.
    """

    def __init__(self, settings: Settings) -> None:
        self.starts = mmap.mmap(-1, 8)  # shared with every fork
        self.hidden = tuple(os.path.realpath(path) + os.sep for path in settings.hidden)
        self.visible = os.path.realpath(settings.visible)
        self.own = tuple(os.path.realpath(path) + os.sep for path in (settings.scratch, SHARED))
        self.checks = {
            "socket.connect": lambda args: self.address(args[1], "connect to"),
            "socket.bind": lambda args: self.address(args[1], "bind"),
            "socket.sendto": lambda args: self.address(args[1], "send to"),
            "socket.getaddrinfo": lambda args: self.host(args[0], "look up"),
            "socket.gethostbyname": lambda args: self.host(args[0], "look up"),
            "os.kill": lambda args: self.target(args[0]),
            "os.killpg": lambda args: self.target(-args[0]),
            "os.fork": lambda args: self.start(),
            "os.forkpty": lambda args: self.start(),
            "os.posix_spawn": lambda args: self.start(),
            "subprocess.Popen": lambda args: self.start(),
            "open": lambda args: self.opened(args[0], args[2]),
            "os.rename": lambda args: self.changed(args[0], args[1], places=args[2:]),
            "os.link": lambda args: self.changed(args[1], places=args[3:]),
            "os.symlink": lambda args: self.changed(args[1], places=args[2:]),
        }
        for name in ("remove", "rmdir", "mkdir", "chmod", "chown", "utime"):
            self.checks[f"os.{name}"] = lambda args: self.changed(args[0], places=args[-1:])
        for name in ("os.truncate", "shutil.rmtree"):
            self.checks[name] = lambda args: self.changed(args[0])

    def hook(self, event: str, args: tuple[Any, ...]) -> None:
        """Refuse by raising NotAllowed."""
        check = self.checks.get(event)
        if check is not None:
            check(args)

    def address(self, address: Any, verb: str) -> None:
        """Refuse an IP address that is not this machine's own."""
        if isinstance(address, tuple) and address:
            self.host(address[0], verb)

    def host(self, host: Any, verb: str) -> None:
        """Refuse a host that is not loopback."""
        name = bytes(host).decode("ascii", "replace") if isinstance(host, bytes) else host
        if name is None or name in ("localhost", "::1") or str(name).startswith("127."):
            return
        raise NotAllowed(
            f"exercises talk to this machine only: refused to {verb} {name!r}; use '127.0.0.1'"
        )

    def opened(self, path: Any, flags: int) -> None:
        """Refuse to open what is not the exercise's to read or to write."""
        if isinstance(path, int):
            return
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
            self.changed(path)
            return
        real = _real(path)
        if real.startswith(self.hidden) and real != self.visible:
            raise NotAllowed(f"refused to read {real}: it is closed while a file is graded")

    def changed(self, *paths: Any, places: tuple[Any, ...] = ()) -> None:
        """Refuse to change a file outside the scratch folder.

        A path relative to an open folder (`places`) is left to the kernel.
        """
        if any(place not in (-1, None) for place in places):
            return
        for path in paths:
            real = "" if isinstance(path, int) else _real(path)
            if real and real not in DEVICES and not (real + os.sep).startswith(self.own):
                raise NotAllowed(
                    f"refused to change {real}: exercises write below their own folder only,"
                    " which is the current one at the start"
                )

    def target(self, pid: int) -> None:
        """Refuse to signal a process outside the exercise."""
        if pid not in (0, os.getpid()) and not _is_ours(pid):
            raise NotAllowed(
                f"refused to signal process {pid}: it was not started by this exercise"
            )

    def start(self) -> None:
        """Refuse to start more than MAX_PROCESSES processes."""
        (count,) = struct.unpack("q", self.starts[:8])
        if count >= MAX_PROCESSES:
            raise NotAllowed(f"refused: {MAX_PROCESSES} processes were started already")
        self.starts[:8] = struct.pack("q", count + 1)


def _real(path: Any) -> str:
    return os.path.realpath(os.fsdecode(path))


def _is_ours(pid: int) -> bool:
    """Tell whether a process, or the group -pid, belongs to the exercise; a doubt is a no.

    subtle: -1 is everybody, and so is the group 1.
    """
    if abs(pid) <= 1:
        return False
    import psutil

    own = os.getsid(0)
    try:
        chain = [psutil.Process(abs(pid)), *psutil.Process(abs(pid)).parents()]
        return any(os.getsid(process.pid) == own for process in chain)
    except (psutil.NoSuchProcess, ProcessLookupError):
        return pid > 0  # nobody there: let the kernel say so
    except (psutil.Error, OSError):
        return False


class Runner:
    """Do what the grader asks; hand back plain values, references and exceptions as data."""

    def __init__(self, settings: Settings) -> None:
        self.channel = socket.socket(fileno=settings.calls)
        self.stacks = settings.stacks
        self.frames = Frames()
        self.lock = threading.RLock()
        self.pid = os.getpid()
        self.objects: list[Any] = []
        self.proxies: dict[int, Any] = {}
        self.path = ""
        self.module = types.ModuleType("exercise")

    def serve(self) -> None:
        """Answer until end-of-file."""
        while True:
            self.handle(self.receive())

    def receive(self) -> dict[str, Any]:
        """Wait for the next message; end the process when the grader has gone."""
        while True:
            message = self.frames.next()
            if message is not None:
                return message
            data = self.channel.recv(65_536)
            if not data:
                os._exit(0)
            self.frames.feed(data)

    def handle(self, message: dict[str, Any]) -> None:
        """Perform one request and answer it."""
        try:
            value = getattr(self, "do_" + message["op"])(message)
            answer = {"ok": self.encode(value)}
        except BaseException as error:  # whatever the learner's code raises is data here
            answer = {"error": self.describe(error)}
        if os.getpid() != self.pid:
            self.channel.sendall(pack({"stray": True}))
            os._exit(0)
        try:
            frame = pack({"id": message["id"], **answer})
        except (ValueError, TypeError, RecursionError) as error:
            frame = pack({"id": message["id"], "error": self.describe(error)})
        self.channel.sendall(frame)

    # requests

    def do_load(self, message: dict[str, Any]) -> None:
        """Run the learner's file as a module."""
        self.path = message["path"]
        with open(self.path, "rb") as file:
            source = file.read()
        self.module = types.ModuleType(message["name"])
        self.module.__file__ = self.path
        sys.modules[message["name"]] = self.module
        code = compile(source, self.path, "exec", dont_inherit=True)
        exec(code, self.module.__dict__)

    def do_define(self, message: dict[str, Any]) -> Any:
        """Run a piece of the grader's source and return one name from it."""
        filename = f"<grader:{message['name']}>"
        source = message["source"]
        linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
        space: dict[str, Any] = {"__name__": "grader"}
        exec(compile(source, filename, "exec", dont_inherit=True), space)
        return space[message["name"]]

    def do_name(self, message: dict[str, Any]) -> Any:
        """Return the learner's function or class as a reference."""
        return getattr(self.module, message["name"])

    def do_names(self, message: dict[str, Any]) -> list[str]:
        """Return the names that the learner's file defines."""
        return [str(name) for name in self.module.__dict__ if not str(name).startswith("__")]

    def do_call(self, message: dict[str, Any]) -> Any:
        """Call a function by name, or a referenced object, or its method."""
        if "target" not in message:
            function = getattr(self.module, message["name"])
        elif "name" in message:
            function = getattr(self.objects[message["target"]], message["name"])
        else:
            function = self.objects[message["target"]]
        args = self.decode(message["args"])
        return function(*args, **self.decode(message["kwargs"]))

    def do_get(self, message: dict[str, Any]) -> Any:
        """Return an attribute of a referenced object."""
        return getattr(self.objects[message["target"]], message["name"])

    def do_has(self, message: dict[str, Any]) -> bool:
        """Tell whether a referenced object has an attribute."""
        return hasattr(self.objects[message["target"]], message["name"])

    def do_iter(self, message: dict[str, Any]) -> Any:
        """Return an iterator over a referenced object."""
        return iter(self.objects[message["target"]])

    def do_next(self, message: dict[str, Any]) -> list[Any]:
        """Return [item], or [] at the end of a referenced iterator."""
        try:
            return [next(self.objects[message["target"]])]
        except StopIteration:
            return []

    def do_listen(self, message: dict[str, Any]) -> tuple[Any, int]:
        """Return a listening socket on a free loopback port, and the port."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=message["backlog"])
        return listener, listener.getsockname()[1]

    # values and references

    def encode(self, value: Any) -> Any:
        """Return the JSON form of a value of this process."""
        return encode(value, self.export)

    def decode(self, data: Any) -> Any:
        """Return the value that the grader sent."""
        return decode(data, self.resolve)

    def export(self, value: Any) -> Any:
        """Return a reference to an object of this process."""
        if isinstance(value, GraderObject):
            return {"grader": object.__getattribute__(value, "_number")}
        number = next((n for n, known in enumerate(self.objects) if known is value), -1)
        if number < 0:
            number = len(self.objects)
            self.objects.append(value)
        kind = type(value)
        module = getattr(kind, "__module__", "")
        name = getattr(kind, "__qualname__", "object")
        plain = [base.__name__ for base in kind.__mro__[1:] if base in PLAIN]
        return {
            "number": number,
            "type": name if module in ("builtins", None) else f"{module}.{name}",
            "plain": plain[:1],
            "name": str(getattr(value, "__name__", ""))[:80],
        }  # fmt: skip

    def resolve(self, body: Any) -> Any:
        """Turn a reference of the grader's into an object."""
        if "mine" in body:
            return self.objects[body["mine"]]
        if "exception" in body:
            return self.exception(body["exception"])
        if "none" in body:
            return None
        if "type" in body:
            return getattr(builtins, body["type"])
        number = body["grader"]
        if number not in self.proxies:
            self.proxies[number] = proxy(self, number, body["name"], body["methods"])
        return self.proxies[number]

    def ask(self, number: int, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call an object that lives in the grader, serving its own requests meanwhile."""
        with self.lock:
            request = {"ask": number, "method": method}
            request["args"] = self.encode(args)
            request["kwargs"] = self.encode(kwargs)
            self.channel.sendall(pack(request))
            while True:
                message = self.receive()
                if "answer" in message:
                    return self.decode(message["answer"])
                if "raise" in message:
                    raise self.exception(message["raise"])
                self.handle(message)

    def exception(self, data: dict[str, Any]) -> BaseException:
        """Return an exception of the grader's, or one of this process that went through it."""
        if "mine" in data:
            return self.objects[data["mine"]]
        kind = getattr(builtins, data["type"], RuntimeError)
        return kind(*self.decode(data["args"]))

    def describe(self, error: BaseException) -> dict[str, Any]:
        """Return an exception as data, or what can be said of one that cannot be looked at."""
        try:
            data = self.details(error)
            json.dumps(data)
        except BaseException:  # its own methods, or those of its class, are the learner's
            lines = list(self.lines(_walk(error.__traceback__)))[-8:]
            text = "(an exception that cannot be looked at)"
            return {"type": "Exception", "mro": [], "text": text, "frames": lines, "number": 0}
        return data

    def details(self, error: BaseException) -> dict[str, Any]:
        """Return an exception's type, message and the learner's own lines."""
        kind = type(error)
        try:
            text = str(error)[:2000]
        except BaseException:  # a broken __str__ is the learner's
            text = ""
        data: dict[str, Any] = {
            "type": kind.__name__,
            "mro": [_class_name(base) for base in kind.__mro__],
            "text": text,
            "frames": list(self.lines(_walk(error.__traceback__)))[-8:],
            "number": self.export(error)["number"],
        }
        if isinstance(error, SyntaxError) and error.filename == self.path:
            data["text"] = str(error.msg)
            line = (error.text or "").rstrip("\n")
            data["syntax"] = [error.lineno or 0, error.offset or 0, line]
        return data

    def lines(self, frames: Iterator[tuple[types.FrameType, int]]) -> Iterator[list[Any]]:
        """Yield [line number, function, source line] for the frames in the learner's file."""
        for frame, line in frames:
            if frame.f_code.co_filename == self.path:
                text = linecache.getline(self.path, line).strip()
                yield [line, frame.f_code.co_name, text]

    def on_stack_signal(self, signum: int, frame: types.FrameType | None) -> None:
        """Write where every thread and task stands; runs in the main thread."""
        report = {"threads": self.threads(frame), "tasks": self.tasks()}
        os.write(self.stacks, json.dumps(report).encode()[:60_000] + b"\n")

    def threads(self, frame: types.FrameType | None) -> list[Any]:
        """Return [thread name, [learner's lines]] for every thread."""
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        current = dict(sys._current_frames())
        if frame is not None:
            current[threading.main_thread().ident or 0] = frame
        return [
            [names.get(ident, "thread"), list(self.lines(_up(top)))[::-1][-8:]]
            for ident, top in current.items()
        ]

    def tasks(self) -> list[Any]:
        """Return [task name, [learner's lines]] for every asyncio task of the running loop."""
        if "asyncio" not in sys.modules:
            return []
        import asyncio

        try:
            tasks = asyncio.all_tasks()
        except RuntimeError:
            return []
        return [
            [task.get_name(), list(self.lines((f, f.f_lineno) for f in task.get_stack()))]
            for task in tasks
        ]


class GraderObject:
    """Stands, in the learner's process, for an object that lives in the grader."""


def proxy(runner: Runner, number: int, name: str, methods: list[str]) -> GraderObject:
    """Return an object with exactly `methods`, each of which asks the grader."""

    def method(called: str) -> Any:
        def ask(self: GraderObject, *args: Any, **kwargs: Any) -> Any:
            answer = runner.ask(number, called, args, kwargs)
            if called == "__next__":
                if not answer:
                    raise StopIteration
                return answer[0]
            return answer

        ask.__name__ = called
        return ask

    body: dict[str, Any] = {called: method(called) for called in methods}
    result: GraderObject = type(name, (GraderObject,), body)()
    object.__setattr__(result, "_number", number)
    object.__setattr__(result, "__name__", name)
    return result


def _class_name(kind: type) -> str:
    """Return the bare name only for a class that really is the built-in one."""
    if getattr(builtins, kind.__name__, None) is kind:
        return kind.__name__
    return f"{kind.__module__}.{kind.__qualname__}"


def _walk(traceback: types.TracebackType | None) -> Iterator[tuple[types.FrameType, int]]:
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next


def _up(frame: types.FrameType | None) -> Iterator[tuple[types.FrameType, int]]:
    while frame is not None:
        yield frame, frame.f_lineno
        frame = frame.f_back
