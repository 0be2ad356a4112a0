"""What no request can be made of, told in a sentence before anything is sent."""

import re
import resource
from typing import Any
from urllib.parse import quote

from playground.setups.catalogue import ServeError
from playground.setups.server import Server

MOST = 10_000  # requests, or connections, at once
MOST_PROBES = 20_000  # of one run
LEAST_EVERY_S = 0.001  # from one probe to the next
SPARE_FILES = 256  # that this process may have open besides its connections
SAFE = "/?&=%~!$'()*+,;:@-._"


def check_server(server: Any, verb: str) -> None:
    """Raises ``ServeError`` for what ``serve`` did not return."""
    if not isinstance(server, Server):
        raise ServeError(
            f"{server!r} is not a server: {verb}(server, …) takes what serve(…) returns."
        )


def check_count(n: Any, what: str) -> None:
    """Raises ``ServeError`` for what is no number of requests."""
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= MOST:
        raise ServeError(f"{what} has from 1 to {MOST} requests, not {n!r}.")


def check_whole(name: str, value: Any, least: int, most: int = MOST) -> None:
    """Raises ``ServeError`` for what is no whole number from ``least`` to ``most``."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ServeError(f"{name}= is a whole number from {least} to {most}, not {value!r}.")


def check_seconds(name: str, value: Any, least: float = 0.0) -> None:
    """Raises ``ServeError`` for what is no finite number of seconds above ``least``."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not least < value < float("inf"):
        raise ServeError(f"{name}= is a number of seconds above {least:g}, not {value!r}.")


def check_headers(headers: Any) -> None:
    """Raises ``ServeError`` for what is no dictionary of lines."""
    if not isinstance(headers, dict | None):
        raise ServeError(f"headers= is a dictionary such as {{'Accept': '*/*'}}, not {headers!r}.")
    for part in (part for field in (headers or {}).items() for part in field):
        if not isinstance(part, str) or re.search(r"[\r\n\0]", part):
            raise ServeError(f"The names and values of headers are text in one line, not {part!r}.")


def check_method(method: Any) -> None:
    """Raises ``ServeError`` for what is no method (RFC 9110, section 9.1)."""
    if not isinstance(method, str) or not re.fullmatch(r"[!#$%&'*+.^_`|~\w-]+", method, re.ASCII):
        raise ServeError(f"A method is a word such as 'GET' or 'POST', not {method!r}.")


def check_body(body: Any) -> None:
    """Raises ``ServeError`` for what is neither bytes nor text."""
    if not isinstance(body, bytes | str | None):
        raise ServeError(f"A body is bytes or text, not {type(body).__name__}.")


def check_probe(probe: Any, every: Any, timeout: float, seconds: float = 0.0) -> int:
    """How many probes there can be at once, if one a time is sent each ``every`` seconds.

    Raises ``ServeError`` for what is no probe, and for too many: at once, or in all the ``seconds``
    that the requests beside it are sent.
    """
    if probe is None:
        return 0
    quoted(probe)
    check_seconds("every", every, LEAST_EVERY_S)
    at_once, in_all = (int(length / every) + 1 for length in (timeout, seconds + timeout))
    if at_once > MOST or in_all > MOST_PROBES:
        count, most = (at_once, MOST) if at_once > MOST else (in_all, MOST_PROBES)
        raise ServeError(
            f"A probe each {every:g} s for up to {seconds + timeout:g} s is {count} requests; at"
            f" most {most} are sent: take a longer every=, or a shorter timeout=."
        )
    return at_once


def quoted(path: Any) -> str:
    """The path as it is sent. Raises ``ServeError`` for what is none."""
    if not isinstance(path, str) or not path.startswith("/"):
        raise ServeError(f"A path begins with a slash, such as '/slow?s=0.2', not {path!r}.")
    return quote(path, safe=SAFE)


def make_room(connections: int) -> None:
    """Let this process open so many sockets; raises ``ServeError`` if it must not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        if hard != resource.RLIM_INFINITY and hard < needed:
            most = hard - SPARE_FILES
            raise ServeError(f"This system allows {most} connections at once, not {connections}.")
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
