"""What the kernel holds the learner's process to, each layer where the system has it (Linux).

- **namespaces** (root, or unprivileged user namespaces): a network with nothing but loopback, all
  files read-only, a scratch folder and /dev/shm that live in memory and vanish, System V IPC apart.
- **Landlock** (Linux 5.13, no privilege needed): writes below the scratch folder only, solutions
  and graders unreadable; since Linux 6.12 no signal to a process outside the exercise.
- **no privileges**: for root, no capability but reading and writing what the above allows.

Sources: unshare(2), mount_setattr(2), Landlock (docs.kernel.org/userspace-api/landlock.html),
capabilities(7). Where a layer is missing, the audit hook of `child.Guard` still refuses the same
things with the same words, to code that goes through Python. `playground doctor` tells which is in
force.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import resource
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

MAX_PROCESSES = 64
MAX_THREADS = 512  # of all processes of an exercise together
SCRATCH_BYTES = 256 << 20
SHARED = "/dev/shm"  # where POSIX semaphores and shared memory live
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/tty")  # these may be written

_NEWNS, _NEWIPC, _NEWUSER, _NEWNET = 0x0002_0000, 0x0800_0000, 0x1000_0000, 0x4000_0000
_NOSUID, _NODEV, _REC, _PRIVATE = 2, 4, 0x4000, 1 << 18
_DETACH = 2
_SYS_MOUNT_SETATTR = 442  # these numbers are the same on every architecture since Linux 5.1
_SYS_LANDLOCK = (444, 445, 446)  # create_ruleset, add_rule, restrict_self
_AT_FDCWD, _AT_RECURSIVE, _ATTR_RDONLY = -100, 0x8000, 1
_SIOCSIFFLAGS, _IFF_UP_RUNNING = 0x8914, 0x41
_NO_NEW_PRIVS = 38

# Landlock: bits of access to files, and the version of the interface that brought them
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_ALL_FILES = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF}  # later ones add device ioctls: left alone
_TRUNCATE = 1 << 14
_SCOPED = 3  # abstract Unix sockets and signals, version 6

_DAC_OVERRIDE, _DAC_READ_SEARCH = 1 << 1, 1 << 2


def namespaces(scratch: str) -> None:
    """Leave the machine's network, mounts and IPC for ones of our own; raises OSError.

    What failed half-way cannot be undone: the process should end then.
    """
    if sys.platform != "linux":
        raise OSError("only Linux has namespaces")
    uid, gid = os.geteuid(), os.getegid()
    _call("unshare", _NEWNET | _NEWNS | _NEWIPC | (0 if uid == 0 else _NEWUSER))
    if uid != 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    with socket.socket() as any_socket:
        flags = struct.pack("16sh22x", b"lo", _IFF_UP_RUNNING)
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, flags)
    _mount(None, "/", None, _REC | _PRIVATE)
    _set_read_only()
    _mount_memory(scratch, SCRATCH_BYTES)
    if os.path.isdir(SHARED):
        _mount_memory(SHARED, SCRATCH_BYTES)


def give_back(scratch: str) -> None:
    """Take the memory away from the scratch folder, so that the folder can be removed."""
    with contextlib.suppress(OSError):
        _call("umount2", os.fsencode(scratch), _DETACH)


def landlock_version() -> int:
    """Return the version of Landlock's interface, 0 where there is none."""
    if sys.platform != "linux":
        return 0
    return max(0, int(ctypes.CDLL(None).syscall(_SYS_LANDLOCK[0], None, ctypes.c_size_t(0), 1)))


def landlock(scratch: str, hidden: list[str], visible: str) -> None:
    """Write below `scratch` only, and do not read below `hidden` except the file `visible`."""
    version = landlock_version()
    if version == 0:
        return
    create, _, restrict = _SYS_LANDLOCK
    libc = ctypes.CDLL(None)
    libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    handled = _ALL_FILES[min(version, 3)]
    attributes = struct.pack("QQQ", handled, 0, _SCOPED if version >= 6 else 0)
    ruleset = libc.syscall(create, attributes, ctypes.c_size_t(len(attributes)), 0)
    if ruleset < 0:
        return
    try:
        _allow(ruleset, "/", _EXECUTE | _READ_DIR)
        for path in _open_paths(hidden):
            _allow(ruleset, path, _READ_FILE)
        _allow(ruleset, visible, _READ_FILE)
        for device in DEVICES:
            _allow(ruleset, device, handled & (_READ_FILE | _WRITE_FILE | _TRUNCATE))
        for folder in (scratch, SHARED):
            _allow(ruleset, folder, handled)
        libc.syscall(restrict, ruleset, 0)
    finally:
        os.close(ruleset)


def drop_privileges() -> None:
    """Give up every capability but that of root to read and write files (Linux)."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = struct.pack("Ii", 0x2008_0522, 0)
    held = ctypes.create_string_buffer(24)  # twice: effective, permitted, inheritable
    if libc.capget(header, held) == 0:
        kept = struct.unpack("6I", held.raw)[1] & (_DAC_OVERRIDE | _DAC_READ_SEARCH)
        libc.capset(header, struct.pack("6I", kept, kept, 0, 0, 0, 0))


def bound_threads(*, apart: bool) -> None:
    """Let the kernel refuse a fork bomb: RLIMIT_NPROC, which counts threads, and not for root.

    It counts all that the user runs on this machine, unless the process is in a user namespace of
    its own (`apart`).
    """
    if sys.platform != "linux" or os.geteuid() == 0:
        return
    bound = 2 * MAX_THREADS + (0 if apart else _threads_of_user())  # the supervisor comes first
    hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    if hard == resource.RLIM_INFINITY or bound < hard:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NPROC, (bound, bound))


def _call(name: str, *args: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*args) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _mount(
    source: bytes | None, target: str, kind: bytes | None, flags: int, data: str = ""
) -> None:
    _call("mount", source, os.fsencode(target), kind, ctypes.c_ulong(flags), data.encode() or None)


def _mount_memory(folder: str, size: int) -> None:
    options = f"size={size},nr_inodes=20000,mode=700"
    _mount(b"exercise", folder, b"tmpfs", _NOSUID | _NODEV, options)


def _set_read_only() -> None:
    attributes = struct.pack("QQQQ", _ATTR_RDONLY, 0, 0, 0)
    size = ctypes.c_size_t(len(attributes))
    _call("syscall", _SYS_MOUNT_SETATTR, _AT_FDCWD, b"/", _AT_RECURSIVE, attributes, size)


def _allow(ruleset: int, path: str, access: int) -> None:
    """Add a rule; what is not there needs none."""
    with contextlib.suppress(OSError):
        fd = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            rule = struct.pack("=Qi", access, fd)  # packed, as the kernel has it
            ctypes.CDLL(None).syscall(_SYS_LANDLOCK[1], ruleset, 1, rule, 0)
        finally:
            os.close(fd)


def _open_paths(hidden: list[str]) -> Iterator[str]:
    """Yield paths that together hold everything but `hidden`: siblings on the way to each."""
    closed = {os.path.realpath(path) for path in hidden}
    ways = {str(parent) for path in closed for parent in Path(path).parents}
    for way in ways:
        with contextlib.suppress(OSError), os.scandir(way) as entries:
            for entry in entries:
                if entry.path not in closed and entry.path not in ways and not entry.is_symlink():
                    yield entry.path


def _threads_of_user() -> int:
    own, count = os.getuid(), 0
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if name.isdigit() and os.stat(f"/proc/{name}").st_uid == own:
                count += os.stat(f"/proc/{name}/task").st_nlink - 2
    return count
