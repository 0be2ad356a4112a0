"""What the processes of a server use: memory, threads, connections."""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

MIB = 1 << 20


@dataclass(frozen=True)
class Usage:
    """What all processes of a server use together at one moment.

    ``memory_mib`` is their proportional set size (PSS): what processes share counts once. Where the
    system does not tell (macOS) it is what belongs to each alone (USS). ``threads`` are the
    system's. ``connections`` are TCP connections that a process has accepted and not closed; what
    still waits in the kernel's queue is not among them.
    """

    memory_mib: float
    threads: int
    processes: int
    connections: int

    def __str__(self) -> str:
        counts = (
            (self.threads, "thread"),
            (self.processes, "process"),
            (self.connections, "open connection"),
        )
        told = [_count(number, what) for number, what in counts]
        return f"{self.memory_mib:.1f} MiB of memory, {', '.join(told)}"

    __repr__ = __str__


def usage_of(pids: Iterable[int], port: int) -> Usage:
    """Add up what the processes use; one that ends meanwhile counts for what was seen of it."""
    memory, threads, processes = 0, 0, 0
    peers = set()
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            process = psutil.Process(pid)
            held = process.memory_full_info()
            memory += getattr(held, "pss", held.uss)
            threads += process.num_threads()
            processes += 1
            for connection in process.net_connections("tcp"):
                if connection.raddr and connection.laddr.port == port:
                    peers.add(connection.raddr)
    return Usage(memory / MIB, threads, processes, len(peers))


def _count(number: int, what: str) -> str:
    plural = f"{what}es" if what.endswith("ss") else f"{what}s"
    return f"{number} {what if number == 1 else plural}"
