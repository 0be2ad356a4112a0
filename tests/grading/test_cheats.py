"""Nothing that a learner's file does changes the verdict to a pass, and each gets one sentence."""

from __future__ import annotations

import pytest

from playground.grading import Status, Verdict, render

# name: (the file, what the message must say)
CHEATS = {
    "print": ("print('PASSED'); print('1 passed in 0.01s')", "there is no double in double.py"),
    "exit-at-import": ("import sys; sys.exit(0)", "raised SystemExit: 0"),
    "exit-in-call": ("import sys\ndef double(d): sys.exit(0)", "raised SystemExit: 0"),
    "os-exit-at-import": ("import os; os._exit(0)", "exited by itself with code 0"),
    "os-exit-in-call": ("import os\ndef double(d): os._exit(0)", "exited by itself with code 0"),
    "atexit": (
        "import atexit, os\natexit.register(os._exit, 0)\ndef double(d): return d",
        "returned b'ab'",
    ),
    "equals-everything": (
        "class Yes:\n    def __eq__(self, other): return True\n    __hash__ = None\n"
        "def double(d): return Yes()",
        "returned a double.Yes",
    ),
    "bytes-subclass": (
        "class B(bytes):\n    def __eq__(self, other): return True\n    __hash__ = bytes.__hash__\n"
        "def double(d): return B(d)",
        "returned a double.B (a subclass of bytes)",
    ),
    "right-bytes-in-a-subclass": (
        "class B(bytes): pass\ndef double(d): return B(d + d)",
        "returned a double.B (a subclass of bytes)",
    ),
    "str-subclass": (
        "class S(str):\n    def __eq__(self, other): return True\n    __hash__ = str.__hash__\n"
        "def double(d): return S('x')",
        "returned a double.S (a subclass of str)",
    ),
    "bytearray": ("def double(d): return bytearray(d + d)", "returned bytearray(b'abab')"),
    "generator": ("def double(d):\n    yield d + d", "returned a generator"),
    "patched-pytest": (
        "import sys, types\nsys.modules['pytest'] = types.ModuleType('pytest')\n"
        "import playground.grading.codec as c, playground.grading.child as r\n"
        "c.encode = r.encode = lambda value, export: True\ndef double(d): return d",
        "returned True",
    ),
    "patched-builtins": (
        "import builtins\nbuiltins.type = lambda *a: bytes\nbuiltins.isinstance = lambda *a: True\n"
        "def double(d): return d",
        "",
    ),
    "closed-descriptors": (
        "import os\ndef double(d):\n    os.closerange(0, 256)\n    return d + d",
        "the connection to the grader was closed from inside",
    ),
    "writes-everywhere": (
        "import os\ndef double(d):\n"
        "    for fd in range(1, 64):\n"
        "        try: os.write(fd, b'\\x00\\x00\\x00\\x0e{\"verdict\":\"ok\"}')\n"
        "        except OSError: pass\n"
        "    return d",
        "something other than an answer",
    ),
    "forged-answer": (
        "import os\ndef double(d):\n"
        "    body = b'{\"id\":99,\"ok\":true}'\n"
        "    for fd in range(3, 64):\n"
        "        try: os.write(fd, len(body).to_bytes(4, 'big') + body)\n"
        "        except OSError: pass\n"
        "    return d",
        "something other than an answer",
    ),
    "recursion": ("def double(d): return double(d)", "raised RecursionError"),
    "recursion-without-limit": (
        "import sys\nsys.setrecursionlimit(10**9)\n"
        "class A:\n    def __getattr__(self, name): return getattr(self, name + 'x')\n"
        "def double(d): return A().x",
        "",
    ),
    "memory": ("def double(d): return bytes(8 << 30)", "raised MemoryError"),
    "too-much": ("def double(d): return bytes(40 << 20)", "too large to look at"),
    "endless-list": ("def double(d):\n    x = []\n    x.append(x)\n    return x", "RecursionError"),
    "syntax-error": ("def double(d:\n    return d", "SyntaxError in line 1"),
    "bad-indent": ("def double(d):\n    x = 1\n  return d", "IndentationError in line 3"),
    "null-byte": (b"def double(d):\0 return d", "cannot contain null bytes"),
    "not-utf-8": (b"def double(d): return 'caf\xe9'", "SyntaxError"),
    "no-such-module": ("import nonesuch", "ModuleNotFoundError: No module named 'nonesuch'"),
    "raises-at-import": ("1 / 0", "raised ZeroDivisionError"),
    "not-a-function": ("double = 3", "raised TypeError: 'int' object is not callable"),
    "wrong-signature": ("def double(): return b''", "takes 0 positional arguments but 1 was given"),
    "input": ("def double(d): return input().encode()", "raised EOFError"),
    "keyboard-interrupt": ("def double(d): raise KeyboardInterrupt", "raised KeyboardInterrupt"),
    "hostile-exception": (
        "class E(Exception):\n    def __str__(self): raise SystemExit\n"
        "def double(d): raise E",
        "raised E",
    ),
    "signals-its-parent": (  # signal 0 does no harm if the guard ever fails
        "import os\ndef double(d):\n    os.kill(os.getppid(), 0)\n    return d + d",
        "refused to signal process",
    ),
    "signals-everybody": (
        "import os\ndef double(d): os.kill(-1, 0)",
        "refused to signal process -1",
    ),
    "signals-everybody-as-a-group": (
        "import os\ndef double(d): os.killpg(1, 0)",
        "refused to signal process -1",
    ),
    "kills-itself": (
        "import os, signal\ndef double(d): os.kill(os.getpid(), signal.SIGKILL)",
        "the process was ended by SIGKILL",
    ),
    "kills-the-supervisor-in-c": (
        "import os, ctypes, time\ndef double(d):\n"
        "    parent = os.getppid()\n"
        "    if b'playground.grading' in open(f'/proc/{parent}/cmdline', 'rb').read():\n"
        "        ctypes.CDLL(None).kill(parent, 9)\n"
        "    time.sleep(9)\n    return d",
        "",
    ),
    "fork-returns-twice": (
        "import os\ndef double(d):\n    if os.fork(): os.wait()\n    return d + d",
        "two processes returned from it",
    ),
    "fork-bomb": (
        "import os, time\ndef double(d):\n"
        "    for _ in range(8): os.fork()\n"
        "    time.sleep(1)\n    return d + d",
        "",
    ),
    "talks-to-others": (
        "import socket\ndef double(d): socket.socket().connect(('192.0.2.1', 80))",
        "refused to connect to '192.0.2.1'",
    ),
    "looks-up-names": (
        "import socket\ndef double(d): socket.getaddrinfo('example.com', 80)",
        "refused to look up 'example.com'",
    ),
    "listens-to-the-world": (
        "import socket\ndef double(d): socket.create_server(('0.0.0.0', 0))",
        "refused to bind '0.0.0.0'",
    ),
    "fills-the-disk": (
        "def double(d):\n    with open('big', 'wb') as f:\n"
        "        for _ in range(99): f.write(bytes(1 << 20))",
        "File too large",
    ),
    "too-many-files": (
        "files = []\ndef double(d):\n    for _ in range(999): files.append(open('x', 'w'))",
        "Too many open files",
    ),
}  # fmt: skip


@pytest.mark.usefixtures("no_new_processes")
@pytest.mark.parametrize("name", CHEATS)
def test_never_passes_and_says_why(judge, name: str) -> None:
    source, sentence = CHEATS[name]
    verdict: Verdict = judge(source)
    assert verdict.status is Status.FAILED, verdict
    assert verdict.message is not None
    assert sentence in verdict.message.got
    assert "Traceback" not in render.text(verdict)


HANGS = {
    "loop": ("def double(d):\n    while True:\n        pass", ", in double:  "),
    "loop-at-import": ("while True:\n    pass", "line "),
    "sleep": ("import time\ndef double(d):\n    time.sleep(99)", "time.sleep(99)"),
    "swallows-everything": (
        "def double(d):\n    while True:\n        try:\n            x = 1\n"
        "        except BaseException:\n            pass",
        "in double",
    ),
    "ignores-signals": (
        "import signal\n"
        "for n in range(1, 65):\n"
        "    try: signal.signal(n, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\n"
        "def double(d):\n    while True: pass",
        "",
    ),
    "stuck-in-c": (
        "def double(d):\n    return str(7 ** (7 ** 9))",
        "line 2, in double",
    ),
    "waits-for-a-thread": (
        "import threading\n"
        "def wait():\n    threading.Event().wait()\n"
        "def double(d):\n    t = threading.Thread(target=wait, name='waiter')\n"
        "    t.start()\n    t.join()",
        "thread waiter",
    ),
    "waits-in-a-task": (
        "import asyncio\n"
        "async def never():\n    await asyncio.Event().wait()\n"
        "async def main():\n    t = asyncio.create_task(never(), name='patient')\n    await t\n"
        "def double(d):\n    asyncio.run(main())",
        "task patient",
    ),
    "prints-for-ever": (
        "def double(d):\n    while True:\n        print('PASSED ' * 999)",
        "in double",
    ),
}  # fmt: skip


@pytest.mark.usefixtures("no_new_processes")
@pytest.mark.parametrize("name", HANGS)
def test_a_hang_is_ended_and_shows_where_it_stood(judge, name: str) -> None:
    source, where = HANGS[name]
    verdict: Verdict = judge(source, deadline_s=0.7)
    assert verdict.status is Status.FAILED
    assert verdict.message is not None
    assert "no answer within 0.7 s" in verdict.message.got
    assert verdict.message.called in ("import double", "double(b'ab')")
    assert where in render.text(verdict)


RIGHT = {
    "plain": "def double(d): return d + d",
    "prints": "def double(d):\n    print('looking at', d)\n    return d + d",
    "threads-left": (
        "import threading, time\n"
        "def double(d):\n    threading.Thread(target=time.sleep, args=(99,)).start()\n"
        "    return d + d"
    ),
    "main-block": "def double(d): return d + d\nif __name__ == '__main__': raise SystemExit(1)",
    "atexit-hang": (
        "import atexit, time\natexit.register(time.sleep, 99)\ndef double(d): return d * 2"
    ),
    "dataclass": (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass D:\n    d: bytes\ndef double(d): return D(d * 2).d"
    ),
}


@pytest.mark.usefixtures("no_new_processes")
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_answer_passes_whatever_else_it_does(judge, name: str) -> None:
    verdict = judge(RIGHT[name])
    assert verdict.passed, verdict


@pytest.mark.usefixtures("no_new_processes")
def test_processes_that_run_on_are_ended_and_reported(judge) -> None:
    verdict = judge(
        "import os, subprocess, sys\n"
        "def double(d):\n"
        "    subprocess.Popen(['sleep', '1234'], start_new_session=True)\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        if os.fork() == 0:\n"
        "            os.execvp('sleep', ['sleep', '1235'])\n"
        "        os._exit(0)\n"
        "    os.wait()\n"
        "    return d + d\n"
    )
    assert verdict.passed
    (note,) = verdict.notes
    assert "4 processes were still running" in note
    assert "sleep 1234" in note
    assert "sleep 1235" in note


def test_output_is_shown_and_bounded(judge) -> None:
    verdict = judge("def double(d):\n    print('x' * 9_000_000)\n    return d + d")
    assert verdict.passed
    assert len(verdict.output) <= 50_000
    assert any("18,000,002 bytes" in note for note in verdict.notes)


def test_the_untouched_stub_is_not_solved_yet(judge, twice) -> None:
    source = "# a comment of mine\n" + twice.stub.read_text()
    assert judge(source).status is Status.NOT_SOLVED


def test_a_bug_of_the_grader_is_not_the_learners(judge, twice) -> None:
    twice.grader.write_text("def check_it(learner):\n    learner.nonesuch\n")
    verdict = judge("def double(d): return d + d")
    assert verdict.status is Status.BROKEN
    assert "not your fault" in render.text(verdict)


def test_a_grader_without_checks_passes_nobody(judge, twice) -> None:
    twice.grader.write_text("\n")
    assert judge("def double(d): return d + d").status is Status.BROKEN
