# The name of __init__ has one underscore on each side.
# Message: called Future(call_soon)
# Message: raised TypeError: Future() takes no arguments
# Message: nudge A name with two underscores on each side

"""A future: a result that is not there yet, and a list of those who want to hear of it."""

from collections.abc import Callable, Generator
from typing import Any


class Cancelled(BaseException):
    """The result is not wanted any more. No Exception: `except Exception` must not swallow it."""


class InvalidState(Exception):
    """There is no result yet, or there is one already."""


class Future:
    """Pending first; then, for ever, with a result, with an exception, or cancelled."""

    def _init_(self, call_soon: Callable[..., object]) -> None:
        """Pending."""
        self.call_soon = call_soon
        self.callbacks: list[Callable[[Future], object]] = []
        self.finished = False
        self.value: Any = None
        self.error: BaseException | None = None

    def done(self) -> bool:
        """True unless it is pending."""
        return self.finished

    def cancelled(self) -> bool:
        """True if it was cancelled."""
        return isinstance(self.error, Cancelled)

    def result(self) -> Any:
        """Return the result, or raise what is there instead."""
        error = self.exception()
        if error is not None:
            raise error
        return self.value

    def exception(self) -> BaseException | None:
        """Return the exception that was set, or None; raises Cancelled and InvalidState."""
        if not self.finished:
            raise InvalidState("there is no result yet")
        if isinstance(self.error, Cancelled):
            raise self.error
        return self.error

    def set_result(self, value: Any) -> None:
        """Set the result."""
        self.finish(value, None)

    def set_exception(self, error: Exception) -> None:
        """Set the exception."""
        self.finish(None, error)

    def cancel(self) -> bool:
        """Cancel it, unless it is done already."""
        if self.finished:
            return False
        self.finish(None, Cancelled())
        return True

    def finish(self, value: Any, error: BaseException | None) -> None:
        """Pending no longer."""
        if self.finished:
            raise InvalidState("there is a result already")
        self.finished, self.value, self.error = True, value, error
        for callback in self.callbacks:
            self.call_soon(callback, self)

    def add_done_callback(self, callback: Callable[["Future"], object]) -> None:
        """Have callback(self) called once when it is done."""
        if self.finished:
            self.call_soon(callback, self)
        else:
            self.callbacks.append(callback)

    def __await__(self) -> Generator["Future", None, Any]:
        """Make `await future` work (PEP 492)."""
        if not self.finished:
            yield self
        return self.result()
