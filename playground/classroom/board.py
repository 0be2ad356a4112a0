"""`playground classroom`: the board's server, and what it says in the terminal."""

from __future__ import annotations

import errno
import ipaddress
import os
import shutil
import socket
import time
from pathlib import Path

import psutil
import uvicorn

from playground import workspace
from playground.classroom import room
from playground.classroom.app import Board
from playground.classroom.store import FILE, Store
from playground.errors import Told
from playground.grading import exercise

HERE = "127.0.0.1"
MARGIN = " " * 18  # before the second line of what is said
CONNECTIONS = 2000  # at a time; more are told that the board is busy


class BoardError(Told):
    """The board cannot start; the message is a sentence that says what to do."""


def run(host: str, port: int, folder: Path | None = None, *, new_link: bool = False) -> None:
    """Serve the board until Ctrl-C, or until the instructor ends it.

    Raises BoardError when it cannot listen there, StoreError when it cannot keep anything.
    """
    place = folder or workspace.root() / "board"
    listener = _listen(host, port)
    with listener:
        store = open_store(place)
        try:
            token = store.do(room.open_room).result()
            if new_link:
                token = store.do(room.new_instructor).result()
            code = store.do(lambda db: room.setting(db, "code")).result()
            addresses = reachable(*listener.getsockname()[:2])
            print(_told(addresses, code, token, place), flush=True)
            _serve(store, addresses, listener)
            ended = store.do(lambda db: room.setting(db, "ended")).result()
        finally:
            store.close()
    if ended:
        print(f"The board has ended. What it held moves to {_put_away(place)}")


def _serve(store: Store, addresses: list[str], listener: socket.socket) -> None:
    def end() -> None:
        server.should_exit = True

    board = Board(store, exercise.load(), addresses, end)
    config = uvicorn.Config(
        board.app,
        log_level="error",
        access_log=False,
        proxy_headers=False,  # an address is where a connection comes from, not what it claims
        server_header=False,
        limit_concurrency=CONNECTIONS,
        ws_max_size=4096,  # pages say one short sentence
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    server.run([listener])


def open_store(place: Path) -> Store:
    """The store of that folder; one of a board that was ended is put away first."""
    store = Store(place)
    if store.do(lambda db: room.setting(db, "ended")).result():
        store.close()
        _put_away(place)
        store = Store(place)
    return store


def _put_away(place: Path) -> Path:
    """Move the file of a board that has ended beside the one of the next; nothing is deleted."""
    base = place / FILE
    stamp = time.strftime("%Y-%m-%d_%H-%M-%S")
    suffixes = ("", *(f"-{number}" for number in range(2, 100)))
    target = next(
        path for suffix in suffixes if not (path := place / f"{stamp}{suffix}.sqlite3").exists()
    )
    if base.exists():
        shutil.move(base, target)
    return target


# ---- where it is -----------------------------------------------------------------------------


def _listen(host: str, port: int) -> socket.socket:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise BoardError(
            f"{host!r} is no address of a machine: give numbers, such as --host"
            f" {(own_addresses() or ['192.168.0.10'])[0]}."
        ) from None
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except PermissionError:
        raise BoardError(f"Port {port} needs rights that you do not have: take another.") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise BoardError(
                f"Port {port} is taken: end what uses it (a board that still runs?), or choose"
                " another with --port."
            ) from None
        known = ", ".join(own_addresses()) or "none but 127.0.0.1"
        raise BoardError(
            f"Cannot listen at {host} ({error.strerror}): this machine's addresses are {known}."
        ) from None


def reachable(host: str, port: int) -> list[str]:
    """Return the addresses under which a browser reaches it, the best for a room first."""
    address = ipaddress.ip_address(host)
    hosts = own_addresses(address.version) or [HERE] if address.is_unspecified else [host]
    return [f"http://{f'[{each}]' if ':' in each else each}:{port}" for each in hosts]


def own_addresses(version: int = 4) -> list[str]:
    """Return this machine's addresses in its networks, those of private networks first."""
    family = socket.AF_INET6 if version == 6 else socket.AF_INET
    up = {name for name, each in psutil.net_if_stats().items() if each.isup}
    found = [
        ipaddress.ip_address(each.address.partition("%")[0])
        for name, several in psutil.net_if_addrs().items()
        for each in several
        if name in up and each.family == family
    ]
    useful = [each for each in found if not each.is_loopback and not each.is_link_local]
    return [str(each) for each in sorted(useful, key=lambda each: not each.is_private)]


# ---- what is said ----------------------------------------------------------------------------


def _told(addresses: list[str], code: str, token: str, place: Path) -> str:
    first = addresses[0]
    if token:
        about = "Open this on the projector. It is your link, shown this once: who has it may act."
        link = f"{first}/#instructor={token}"
    else:
        about = "It goes on. To act, open the link of its first start; --new-link makes another."
        link = f"{first}/#code={code}"
    lines = [
        "",
        f"  {about}",
        f"    {link}",
        "",
        f"  Learners type   playground join {first.removeprefix('http://')} {code} --name NAME",
        f"  Reached by      {_who(addresses)}",
        f"  Kept in         {_short(place)}",
        "",
        "  Ctrl-C stops it; the same command goes on from there.",
        "",
    ]
    return "\n".join(lines)


def _who(addresses: list[str]) -> str:
    hosts = [each.removeprefix("http://").rpartition(":")[0].strip("[]") for each in addresses]
    if ipaddress.ip_address(hosts[0]).is_loopback:
        own = own_addresses()
        others = f"\n{MARGIN}(--host {own[0]} lets in the network of that address)" if own else ""
        return f"this machine only{others}"
    return (
        f"everybody whose network leads to {', '.join(hosts)}\n"
        f"{MARGIN}Nothing is encrypted: for a room's own network, not for the internet."
    )


def _short(place: Path) -> str:
    return os.path.relpath(place) if place.is_relative_to(Path.cwd()) else str(place)
