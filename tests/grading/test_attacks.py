"""Hostile and unlucky files: the right verdict, a clear sentence, no harm, nothing left behind.

`test_cheats` asks whether anything turns into a pass; this asks what else a file could do: to the
machine, to the course's own files, to the grader that reads what it sends. Every bomb here is
bounded by itself, so that a failing test is no harm either.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from playground import doctor
from playground.grading import Failed, Learner, Raised, Status, Verdict, exercise, grade, render
from playground.grading.child import Limits
from playground.grading.confine import landlock_version

RIGHT = "def double(d): return d + d\n"
IN_C = "import ctypes, os, time\nlibc = ctypes.CDLL(None, use_errno=True)\n"


@pytest.fixture(autouse=True)
def nothing_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail when a process, a file or an open descriptor is still there after the test."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    before = _descriptors()
    yield
    assert list(place.iterdir()) == []
    assert _processes_of(place) == []
    new = _descriptors() - before
    assert not new, [str(one) for one in new]


def _descriptors() -> Counter[str]:
    """What this process has open, and how often; fewer are there after rubbish was collected."""
    gc.collect()
    found: Counter[str] = Counter()
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # that of the listing itself
            found[re.sub(r"\d+", "N", os.readlink(link))] += 1
    return found


def _processes_of(place: Path) -> list[str]:
    """Return what runs with the scratch folder in its command line or its environment."""
    found = []
    for process in psutil.process_iter():
        try:
            words = [*process.cmdline(), *process.environ().values()]
        except psutil.Error:
            continue
        if any(str(place) in word for word in words):
            found.append(f"{process.pid} {process.status()}")
    return found


def wrong(verdict: Verdict, sentence: str) -> None:
    """The verdict is a failure of the file, and says this; it shows as one line after the other."""
    assert verdict.status is Status.FAILED, verdict
    assert verdict.message is not None
    assert sentence in verdict.message.got
    assert verdict.message.nudge or verdict.message.where
    shown = render.text(verdict)
    assert "Traceback" not in shown
    assert shown.isprintable() or all(c.isprintable() or c in "\n\t" for c in shown)


# ---- too much of something -------------------------------------------------------------------

BOMBS = {
    "forks-in-c": (
        IN_C + "def double(d):\n    for _ in range(8): libc.fork()\n    time.sleep(20)",
        "more than 64 processes were running",
    ),
    "forks-in-c-each-in-a-session": (
        IN_C + "def double(d):\n    for _ in range(8):\n"
        "        libc.fork()\n        libc.setsid()\n    time.sleep(20)",
        "more than 64 processes were running",
    ),
    "forks-and-leaves": (  # always one process, never the same, never in the same session
        IN_C + "def double(d):\n    for _ in range(9000):\n"
        "        if libc.fork(): os._exit(0)\n        libc.setsid()\n    os._exit(0)",
        "the process exited by itself with code 0",
    ),
    "a-shell-full": (
        "import subprocess\ndef double(d):\n    subprocess.run(['sh', '-c',"
        " 'i=0; while [ $i -lt 200 ]; do sleep 20 & i=$((i+1)); done; wait'])",
        "more than 64 processes were running",
    ),
    "threads": (
        "import threading, time\nthreading.stack_size(65536)\ndef double(d):\n"
        "    for _ in range(600): threading.Thread(target=time.sleep, args=(20,)).start()\n"
        "    time.sleep(20)",
        "more than 512 threads were running",
    ),
    "starts-in-python": (
        "import os\ndef double(d):\n    for _ in range(99):\n"
        "        if os.fork() == 0: os._exit(0)\n        os.wait()\n    return d + d",
        "refused: 64 processes were started already",
    ),
    "raises-its-limits": (
        "import resource\ndef double(d):\n"
        "    resource.setrlimit(resource.RLIMIT_DATA, (1 << 40, 1 << 40))\n    return d + d",
        "not allowed to raise maximum limit",
    ),
    "c-loop": (
        "import itertools\ndef double(d): return sum(itertools.repeat(0))",
        "no answer within 1.5 s",
    ),
    "stops-itself": (
        "import os, signal\ndef double(d): os.kill(os.getpid(), signal.SIGSTOP)",
        "no answer within 1.5 s",
    ),
    "recursion-in-c": (
        "import ctypes\ndef double(d):\n"
        "    kind = ctypes.CFUNCTYPE(None)\n    again = kind(lambda: again())\n    again()",
        "",  # a RecursionError or the end of the stack
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_defused(judge, name: str) -> None:
    source, sentence = BOMBS[name]
    wrong(judge(source, deadline_s=1.5 if "1.5 s" in sentence else 10.0), sentence)


MEMORY = {
    "one-list": (
        "def f():\n    x = []\n    for _ in range(900): x.append(bytearray(1 << 20))",
        "raised MemoryError",
    ),
    "shared-pages": (  # which RLIMIT_DATA does not count
        "import mmap, time\ndef f():\n    x = mmap.mmap(-1, 700 << 20)\n"
        "    for at in range(0, len(x), 4096): x[at] = 1\n    time.sleep(20)",
        "used more than 0.375 GiB of memory",
    ),
    "many-processes": (
        "import os, time\ndef f():\n    for _ in range(6):\n"
        "        if os.fork() == 0:\n            x = bytearray(os.urandom(1 << 20)) * 120\n"
        "            time.sleep(20)\n    time.sleep(20)",
        "used more than 0.375 GiB of memory",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MEMORY)
def test_memory_is_bounded_for_all_processes_together(tmp_path: Path, name: str) -> None:
    source, sentence = MEMORY[name]
    (tmp_path / "f.py").write_text(source)
    limits = Limits(memory_bytes=256 << 20)
    learner = Learner(tmp_path / "f.py", limits=limits, deadline_s=15.0)
    with learner, pytest.raises((Failed, Raised)) as caught:
        learner.call("f")
    error = caught.value
    message = error.message() if isinstance(error, Raised) else error.message
    assert sentence in message.got


def test_a_gigabyte_of_output_is_counted_and_not_kept(judge) -> None:
    verdict = judge(
        "import os\nline = b'PASSED\\n' * (1 << 17)\n"
        "left = 10**9\nwhile left > 0: left -= os.write(1, line[:left])\n" + RIGHT,
        deadline_s=60.0,
    )
    assert verdict.passed, verdict
    assert len(verdict.output) <= 20_000
    assert any("1,000,000,000 bytes" in note for note in verdict.notes)


def test_callbacks_without_end_are_a_hang(tmp_path: Path) -> None:
    (tmp_path / "f.py").write_text("def f(numbers):\n    for number in numbers: pass\n")
    with Learner(tmp_path / "f.py", deadline_s=0.3) as learner, pytest.raises(Failed) as failed:
        learner.call("f", itertools.count())
    assert "no answer within 0.3 s" in failed.value.message.got


# ---- files that are not its own --------------------------------------------------------------

# what each does to the path {victim}; the second is what it says where it goes through Python
WRITES = {
    "overwrites": ("open({victim}, 'w').write('')", "refused to change"),
    "appends": ("open({victim}, 'a').write('x')", "refused to change"),
    "removes": ("os.remove({victim})", "refused to change"),
    "removes-the-tree": ("shutil.rmtree(os.path.dirname({victim}))", "refused to change"),
    "renames": ("os.rename({victim}, 'mine')", "refused to change"),
    "replaces": ("open('mine', 'w').close(); os.replace('mine', {victim})", "refused to change"),
    "truncates": ("os.truncate({victim}, 0)", "refused to change"),
    "closes-it-to-all": ("os.chmod({victim}, 0)", "refused to change"),
    "through-a-link": ("os.symlink({victim}, 'l'); open('l', 'w').close()", "refused to change"),
    "swallows-the-refusal": (
        "try: open({victim}, 'w')\n    except OSError: pass",
        "refused to change",
    ),
    "in-c": ("say(libc.open({victim}.encode(), os.O_WRONLY | os.O_TRUNC))", ""),
    "unlinks-in-c": ("say(libc.unlink({victim}.encode()))", ""),
    "renames-in-c": ("say(libc.rename({victim}.encode(), b'mine'))", ""),
    "in-a-shell": ("subprocess.run(['sh', '-c', 'rm ' + {victim}], check=True)", "raised Called"),
    "relative-to-an-open-folder": (
        "os.unlink({victim}[1:], dir_fd=os.open('/', os.O_RDONLY))",
        "",
    ),
}  # fmt: skip
SAY = (
    "import ctypes, os, shutil, subprocess\nlibc = ctypes.CDLL(None, use_errno=True)\n"
    "def say(result):\n    if result < 0: raise OSError(ctypes.get_errno(), 'no')\n"
)
COURSE = (
    "tests/exercises/01_socket/double/grader.py",
    "solutions/01_socket/double.py",
    "exercises/01_socket/double.py",
)


@pytest.mark.parametrize("name", WRITES)
def test_nothing_outside_its_folder_changes(judge, course: Path, name: str) -> None:
    statement, sentence = WRITES[name]
    if "refused" not in sentence and not (landlock_version() or Learner.apart):
        statement, sentence = "raise OSError", "raised OSError"  # said by doctor
    victims = [course / path for path in COURSE]
    before = [(path.read_bytes(), path.stat().st_mode) for path in victims]
    for victim in victims if name == "overwrites" else victims[:1]:
        source = f"{SAY}def double(d):\n    {statement.format(victim=repr(str(victim)))}\n"
        wrong(judge(source + "    return d + d\n"), sentence or "Error")
    assert [(path.read_bytes(), path.stat().st_mode) for path in victims] == before


READS = {
    "open": ("open({secret}).read()", "refused to read"),
    "import": (
        "__import__('importlib.machinery').machinery"
        ".SourceFileLoader('s', {secret}).load_module()",
        "refused to read",
    ),
    "through-a-link": ("os.symlink({secret}, 'l'); open('l').read()", "refused to read"),
    "through-proc": ("open('/proc/self/root' + {secret}).read()", "refused to read"),
    "in-c": ("say(libc.open({secret}.encode(), 0))", "raised PermissionError"),
    "cat": ("subprocess.run(['cat', {secret}], check=True)", "raised CalledProcessError"),
    "relative-to-an-open-folder": (
        "os.open({secret}[1:], 0, dir_fd=os.open('/', os.O_PATH))",
        "raised PermissionError",
    ),
    "hard-link": ("say(libc.link({secret}.encode(), b'mine'))", "raised "),
    "memory-of-the-supervisor": (
        "say(libc.open(f'/proc/{{os.getppid()}}/mem'.encode(), 0))",
        "raised PermissionError",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", READS)
def test_solutions_and_graders_are_closed_to_it(judge, course: Path, name: str) -> None:
    statement, sentence = READS[name]
    if "refused" not in sentence and not landlock_version():
        statement, sentence = "raise OSError", "raised OSError"  # said by doctor
    for secret in COURSE[:1] if name == "memory-of-the-supervisor" else COURSE[:2]:
        code = statement.format(secret=repr(str(course / secret)))
        wrong(judge(f"{SAY}def double(d):\n    {code}\n    return d + d\n"), sentence)


def test_its_own_files_are_its_own(judge, course: Path) -> None:
    verdict = judge(
        "import multiprocessing, os, shutil, tempfile\n"
        "def double(d):\n"
        "    stub = open(__file__).read(), open(os.__file__).read()\n"
        "    with tempfile.NamedTemporaryFile() as file: file.write(d)\n"
        "    os.makedirs('a/b', exist_ok=True)\n"
        "    open('a/b/c', 'w').close(); os.rename('a/b/c', 'a/d'); os.chmod('a/d', 0o600)\n"
        "    shutil.rmtree('a')\n"
        "    open('/dev/null', 'w').write('x')\n"
        "    multiprocessing.Lock()\n"
        "    return d + d\n"
    )
    assert verdict.passed, verdict


def test_many_files_end_at_the_size_of_its_folder(judge) -> None:
    verdict = judge(
        "def double(d):\n    for n in range(21_000): open(f'{n}', 'w').close()\n    return d + d\n",
        deadline_s=30.0,
    )
    if Learner.apart:
        wrong(verdict, "No space left on device")
    assert verdict.status in (Status.FAILED, Status.PASSED)


@pytest.mark.parametrize("apart", [True, False])
def test_links_in_its_folder_lead_the_cleaning_nowhere(
    judge, course: Path, monkeypatch: pytest.MonkeyPatch, apart: bool
) -> None:
    monkeypatch.setattr(Learner, "apart", Learner.apart and apart)
    verdict = judge(
        f"import os\nos.symlink({str(course)!r}, 'course')\nos.mkdir('closed')\n"
        "open('closed/x', 'w').close()\nos.chmod('closed', 0)\n" + RIGHT
    )
    assert verdict.passed, verdict
    assert (course / COURSE[0]).exists()


# ---- processes and networks that are not its own ---------------------------------------------


def test_a_signal_in_c_reaches_nobody_else(judge) -> None:
    verdict = judge(f"{SAY}def double(d):\n    say(libc.kill(os.getppid(), 9))\n    return d + d\n")
    wrong(verdict, "raised PermissionError" if landlock_version() >= 6 else "")


def test_our_own_services_are_out_of_its_reach(judge) -> None:
    """Where it has a network of its own, even loopback is another one; nobody hears of it."""
    with socket.create_server(("127.0.0.1", 0)) as ours:
        address = ours.getsockname()
        verdict = judge(
            f"import socket\ndef double(d):\n    socket.create_connection({address})\n"
            "    return d + d\n"
        )
        if Learner.apart:
            wrong(verdict, "raised ConnectionRefusedError")
        else:
            assert verdict.passed


@pytest.mark.parametrize("call", ["connect", "bind"])
def test_other_machines_are_out_of_its_reach_in_c(judge, call: str) -> None:
    address = "b'\\x02\\x00\\x00\\x50\\xc0\\x00\\x02\\x01' + bytes(8)"  # 192.0.2.1, port 80
    statement = f"say(libc.{call}(socket.socket().fileno(), {address}, 16))"
    if not Learner.apart:
        statement = "raise OSError"  # said by doctor
    wrong(judge(f"{SAY}import socket\ndef double(d):\n    {statement}\n"), "raised OSError")


def test_what_ignores_every_signal_is_ended(judge) -> None:
    verdict = judge(
        "import os, signal, socket, threading, time\n"
        "def double(d):\n"
        "    listener = socket.create_server(('127.0.0.1', 0))\n"
        "    threading.Thread(target=listener.accept).start()\n"
        "    if os.fork() == 0:\n"
        "        for n in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT): signal.signal(n, 1)\n"
        "        while True: time.sleep(20)\n"
        "    return d + d\n"
    )
    assert verdict.passed, verdict
    (note,) = verdict.notes
    assert "2 processes were still running" in note


LOST = """
import sys, tempfile
from pathlib import Path
from playground.grading import Learner
tempfile.tempdir = sys.argv[1]
learner = Learner(Path(sys.argv[2]), deadline_s=60.0)
learner.load()
learner.call("double", b"ab")
"""


def test_a_grader_that_is_killed_leaves_nothing(tmp_path: Path) -> None:
    """The file says on a socket of ours that it runs: its processes close it when they end."""
    place, file = tempfile.gettempdir(), tmp_path / "double.py"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        file.write_text(
            "import os, socket, time\ndef double(d):\n    ours = socket.socket(socket.AF_UNIX)\n"
            f"    ours.connect({str(tmp_path / 's')!r})\n    open('mine', 'w').close()\n"
            "    if os.fork() == 0: os.setsid()\n    ours.send(b'!')\n    time.sleep(60)\n"
        )
        grader = subprocess.Popen([sys.executable, "-c", LOST, place, str(file)])
        listener.settimeout(30)
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(30)
            assert connection.recv(1) == b"!"
            grader.kill()
            grader.wait()
            while connection.recv(9):
                pass
    limit = time.monotonic() + 30
    while list(Path(place).iterdir()) and time.monotonic() < limit:
        time.sleep(0.01)


def test_memory_that_outlives_processes_is_gone(judge, tmp_path: Path) -> None:
    name, key = f"exercise-{tmp_path.name}-{os.getpid()}", 0x45 << 24 | os.getpid()
    verdict = judge(
        f"{SAY}def double(d):\n"
        f"    open('/dev/shm/{name}', 'w').close()\n"
        f"    say(libc.shmget({key}, 4096, 0o1666))\n    return d + d\n"
    )
    assert verdict.passed, verdict
    table = Path("/proc/sysvipc/shm")
    if Learner.apart:
        assert not Path(f"/dev/shm/{name}").exists()
        assert str(key) not in table.read_text().split()
    else:
        Path(f"/dev/shm/{name}").unlink(missing_ok=True)


# ---- what it says ----------------------------------------------------------------------------

EXCEPTIONS = {
    "no-repr": (
        "class E(Exception):\n    def __repr__(self): raise SystemExit\n    __str__ = __repr__"
    ),
    "text-that-is-no-text": (
        "class S(str):\n    def __getitem__(self, at): return object()\n"
        "class E(Exception):\n    def __str__(self): return S('x')"
    ),
    "endless-text": "class E(Exception):\n    def __str__(self): return 'x' * (64 << 20)",
    "a-class-that-lies": (
        "class M(type):\n    __name__ = property(lambda c: 1 / 0)\n"
        "    __mro__ = property(lambda c: [])\n    __module__ = 7\n"
        "class E(Exception, metaclass=M): pass"
    ),
    "a-syntax-error-that-lies": (
        "class E(SyntaxError):\n    filename = __file__\n    msg = lineno = text = object()"
    ),
    "no-class": "class E(Exception):\n    __class__ = property(lambda s: 1 / 0)",
    "control-sequences": (
        "E = type('E\\x1b[2J', (Exception,), {'__str__': lambda s: '\\x1b]0;p\\7'})"
    ),
    "half-a-character": "class E(Exception):\n    def __str__(self): return '\\udcff\\u202e'",
    "in-another": (
        "def E():\n    error = Exception()\n    for _ in range(9000):\n"
        "        error = ExceptionGroup('x', [error])\n    return error"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_a_hostile_exception_is_an_exception(judge, name: str) -> None:
    verdict = judge(f"{EXCEPTIONS[name]}\ndef double(d): raise E()")
    wrong(verdict, "raised ")
    assert verdict.message is not None
    assert len(verdict.message.got) < 500


VALUES = {
    "nested": (
        "def double(d):\n    x = d\n    for _ in range(400): x = [x]\n    return x",
        "nested more than 100 levels deep",
    ),
    "a-number-without-end": (
        "import sys\nsys.set_int_max_str_digits(0)\ndef double(d): return 10 ** 9999",
        "",
    ),
    "not-a-number": ("def double(d): return float('nan')", "returned nan"),
    "a-class": (
        "class M(type):\n    __name__ = __qualname__ = __module__ = property(lambda c: object())\n"
        "class Y(metaclass=M): pass\ndef double(d): return Y()",
        "",
    ),
    "lies-about-its-class": (
        "class Y:\n    __class__ = bytes\n    __eq__ = lambda s, o: True\n    __hash__ = None\n"
        "def double(d): return Y()",
        "returned a double.Y",
    ),
    "a-key": (
        "class Y:\n    __hash__ = lambda s: 0\n    __eq__ = lambda s, o: True\n"
        "def double(d): return {Y(): d + d}",
        "returned {<double.Y>: b'abab'}",
    ),
    "control-sequences": (
        "import threading\nthreading.current_thread().name = '\\x1b[2J'\n"
        "print('\\x1b[2J\\x1b]0;owned\\x07')\ndef double(d): return '\\x1b[2J\\u202e\\udcff'",
        "returned '\\x1b[2J",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", VALUES)
def test_a_hostile_value_is_shown(judge, name: str) -> None:
    source, sentence = VALUES[name]
    wrong(judge(source), sentence)


ME = (  # finds the runner, and sends what it likes as the answer to request 2, the first call
    "import gc, struct, time\n"
    "from playground.grading import child\n"
    "runner = next(o for o in gc.get_objects() if isinstance(o, child.Runner))\n"
    "def double(d):\n    body = BODY\n"
    "    runner.channel.sendall(struct.pack('!I', len(body)) + body)\n    time.sleep(20)\n"
)
FORGED = {
    "no-answer": '{"id": 2}',
    "unhashable": '{"id": 2, "ok": {"s": [{"l": []}]}}',
    "two-tags": '{"id": 2, "ok": {"t": [], "l": []}}',
    "no-such-tag": '{"id": 2, "ok": {"z": 1}}',
    "bytes-that-are-none": '{"id": 2, "ok": {"b": "\\u4444"}}',
    "no-object": '{"id": 2, "ok": {"o": {"number": "x"}}}',
    "an-object-of-the-grader": '{"id": 2, "ok": {"o": {"grader": 1}}}',
    "no-exception": '{"id": 2, "error": 7}',
    "half-an-exception": '{"id": 2, "error": {"type": [], "mro": 3}}',
    "id-that-is-no-number": '{"id": [], "ok": 1}',
    "asks-nothing": '{"ask": [], "method": {}}',
    "asks-everything": '{"ask": 1, "method": "__class__"}',
    "a-list": "[2]",
    "deep": '{"id": 2, "ok": ' + "[" * 90_000,
    "nested": '{"id": 2, "ok": ' + '{"l": [' * 300 + "]}" * 300 + "}",
    "not-json": "\x00\x01",
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_answer_is_none(judge, name: str) -> None:
    verdict = judge(ME.replace("BODY", repr(FORGED[name].encode())))
    wrong(verdict, "something other than an answer came through the grader's own connection")


def test_a_forged_length_is_no_reason_to_wait(judge) -> None:
    verdict = judge(ME.replace("len(body)", "0xffffffff").replace("BODY", "b''"))
    wrong(verdict, "something other than an answer")


FLOODS = {  # through which descriptor, what first, and then what without end
    "of-old-answers": ("channel.fileno()", b"", b'\0\0\0\x08{"id":1}' * 900),
    "that-never-becomes-one": ("channel.fileno()", b"\x01\0\0\0", b"x"),
    "of-stacks": ("stacks", b"", b"no stack"),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_is_a_hang(judge, name: str) -> None:
    """Bytes that come for ever, a few at a time, through what belongs to the grader."""
    descriptor, first, more = FLOODS[name]
    verdict = judge(
        "import gc, os, time\nfrom playground.grading import child\n"
        "runner = next(o for o in gc.get_objects() if isinstance(o, child.Runner))\n"
        f"def double(d):\n    fd = runner.{descriptor}\n    os.write(fd, {first})\n"
        f"    for _ in range(20_000): os.write(fd, {more}); time.sleep(0.001)\n",
        deadline_s=0.5,
    )
    wrong(verdict, "no answer within 0.5 s")


def test_descriptors_that_lead_elsewhere_are_a_lost_connection(judge) -> None:
    verdict = judge(
        "import os\nnull = os.open(os.devnull, os.O_RDWR)\ndef double(d):\n"
        "    for fd in range(3, 64):\n        if fd != null: os.dup2(null, fd)\n    return d + d\n"
    )
    wrong(verdict, "the connection to the grader was closed from inside")


# ---- what it is written in -------------------------------------------------------------------

SOURCES = {
    "ten-megabytes": (b"x = 1\n" * ((10 << 20) // 6), "has 10,485,756 bytes"),
    "ten-megabytes-in-a-line": (b"x = '" + b"x" * (10 << 20) + b"'\n", "has 10,485,767 bytes"),
    "many-small-lines": (b"x = 1\n" * 33_000, "there is no double in double.py"),
    "deep": (b"x = " + b"(" * 90_000 + b")" * 90_000, ""),
    "deep-signs": (b"x = " + b"-" * 90_000 + b"1", ""),
    "no-such-encoding": (b"# coding: nonsense\n" + RIGHT.encode(), "SyntaxError"),
    "no-text-encoding": (b"# coding: rot13\n" + RIGHT.encode(), "SyntaxError"),
    "not-what-it-says": (b"# coding: utf-8\nx = '\xe9'\n" + RIGHT.encode(), "SyntaxError"),
    "two-encodings": (b"\xef\xbb\xbf# coding: latin-1\n" + RIGHT.encode(), "SyntaxError"),
    "utf-16": (RIGHT.encode("utf-16"), "SyntaxError"),
    "not-python": (bytes(range(256)) * 99, ""),
    "empty": (b"", "there is no double"),
    "missing-package": (b"import nonesuch.deeper", "No module named 'nonesuch'"),
}


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_that_is_none_gets_its_sentence(judge, name: str) -> None:
    source, sentence = SOURCES[name]
    wrong(judge(source, deadline_s=30.0), sentence)


READABLE = {
    "latin-1": b"# coding: latin-1\nx = '\xe9'\n" + RIGHT.encode(),
    "byte-order-mark": b"\xef\xbb\xbf" + RIGHT.encode(),
    "carriage-returns": RIGHT.encode().replace(b"\n", b"\r\n"),
    "end-of-input": b"import sys\nassert sys.stdin.read() == ''\n" + RIGHT.encode(),
    "no-terminal": (
        b"import os\ntry: os.open('/dev/tty', os.O_RDWR)\nexcept OSError: pass\n"
        b"else: raise SystemExit\n" + RIGHT.encode()
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", READABLE)
def test_a_right_answer_may_be_written_like_this(judge, name: str) -> None:
    verdict = judge(READABLE[name])
    assert verdict.passed, verdict


# ---- servers ---------------------------------------------------------------------------------

OK = 'b"HTTP/1.1 200 OK\\r\\nContent-Length: 12\\r\\n\\r\\nGET /menu 0\\n"'
SERVERS = {
    "answers-without-reading": (
        "http-bug-hunt",
        "def serve(listener):\n    while True:\n        connection, _ = listener.accept()\n"
        f"        with connection: connection.sendall({OK})\n",
        "",
    ),
    "reads-and-never-answers": (
        "http-bug-hunt",
        "def serve(listener):\n    while True:\n        connection, _ = listener.accept()\n"
        "        while connection.recv(1000): pass\n",
        "no bytes, then nothing for 1 s",
    ),
    "answers-in-order-only": (
        "restaurant-threads",
        "import select\ndef serve(listener, handle, threads, stop):\n"
        "    while stop not in (ready := select.select([listener, stop], [], [])[0]):\n"
        "        connection, _ = listener.accept()\n"
        "        with connection: handle(connection)\n",
        "1 at the same time inside your server",
    ),
    "a-body-without-end": (
        "http-bug-hunt",
        "def serve(listener):\n    connection, _ = listener.accept()\n"
        "    connection.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 99999999999\\r\\n\\r\\n')\n"
        "    while True: connection.sendall(bytes(1 << 20))\n",
        "bytes, and no end of them",
    ),
    "bit-by-bit-without-end": (
        "http-bug-hunt",
        "import time\ndef serve(listener):\n    connection, _ = listener.accept()\n"
        "    connection.sendall(b'HTTP/1.1 200 OK\\r\\nX: ')\n"
        "    while True: connection.sendall(b'x'); time.sleep(0.05)\n",
        "bytes, and no end of them",
    ),
    "writes-without-end": (
        "http-bug-hunt",
        "def serve(listener):\n    connection, _ = listener.accept()\n"
        "    while True: connection.sendall(bytes(65536))\n",
        "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_that_is_none_gets_its_sentence(tmp_path: Path, name: str) -> None:
    number, source, sentence = SERVERS[name]
    (tmp_path / "server.py").write_text(source)
    wrong(grade(exercise.find(number), tmp_path / "server.py", deadline_s=1.0), sentence)


# ---- what is not held here -------------------------------------------------------------------


REFUSED = """
import sys, ctypes, tempfile
from pathlib import Path
from playground.grading import Learner, confine
tempfile.tempdir = sys.argv[1]
ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)
confine.drop_privileges()
for _ in range(2):
    with Learner(Path(sys.argv[1], "double.py")) as learner:
        print(learner.call("double", b"ab"), Learner.apart)
"""


def test_where_namespaces_are_refused_it_works_without(tmp_path: Path) -> None:
    """Root without its capabilities is refused; others may still have user namespaces."""
    (tmp_path / "double.py").write_text(RIGHT)
    done = subprocess.run(
        [sys.executable, "-c", REFUSED, str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    apart = Learner.apart and os.geteuid() != 0
    assert done.stdout.splitlines() == [f"b'abab' {apart}"] * 2, done.stderr
    assert list(tmp_path.glob("exercise-*")) == []


def test_doctor_says_what_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    finding = doctor.confinement()
    held = Learner.apart and landlock_version() >= 6
    assert finding.state == ("ok" if held else "note")
    monkeypatch.setattr(Learner, "apart", False)
    finding = doctor.confinement()
    assert finding.state == "note"
    assert "network" in finding.detail
    assert finding.remedy
