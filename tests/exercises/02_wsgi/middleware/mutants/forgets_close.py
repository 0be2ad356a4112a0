# Reports, but does not close the app's iterable.
# Message: came back server closes; report
# Message: expected server closes; close; report

"""A middleware: an app to the server, a server to the app."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Report = Callable[[str, str, int, float], None]


def metered(app: App, report: Report, clock: Callable[[], float]) -> App:
    """Return a WSGI app that does what `app` does, adds a header, and measures the body."""

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        meter = Meter(environ, start_response, report, clock)
        meter.iterable = app(environ, meter.start_response)
        return meter

    return application


class Meter:
    """One response on its way: the server iterates over it, the app announces it."""

    iterable: Iterable[bytes]  # the app's, as soon as it has returned

    def __init__(
        self,
        environ: dict[str, Any],
        start_response: Callable[..., Any],
        report: Report,
        clock: Callable[[], float],
    ) -> None:
        self.announce = start_response
        self.report = report
        self.clock = clock
        self.started = clock()
        self.path = environ["PATH_INFO"]
        self.identity = ("X-Request-Id", environ.get("HTTP_X_REQUEST_ID", "none"))
        self.status = ""
        self.size = 0

    def start_response(
        self, status: str, headers: list[tuple[str, str]], *exc_info: Any
    ) -> Callable[[bytes], None]:
        """Hand on to the server, with one header more."""
        self.status = status
        write = self.announce(status, [*headers, self.identity], *exc_info)

        def counting(block: bytes) -> None:
            self.size += len(block)
            write(block)

        return counting

    def __iter__(self) -> Iterator[bytes]:
        """Hand the blocks on, one by one."""
        for block in self.iterable:
            self.size += len(block)
            yield block

    def close(self) -> None:
        """Close the app's iterable, then report."""
        if self.iterable is not None:
            self.report(self.path, self.status, self.size, self.clock() - self.started)
