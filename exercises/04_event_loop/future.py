"""A future: a result that is not there yet, and a list of those who want to hear of it.

This is what `await` comes down to, wherever it is: somebody waits for a future, somebody else sets
its result later. The names and rules are those of asyncio.Future; the loop is somebody else's.
"""

from collections.abc import Callable, Generator
from typing import Any


class Cancelled(BaseException):
    """The result is not wanted any more. No Exception: `except Exception` must not swallow it."""


class InvalidState(Exception):
    """There is no result yet, or there is one already."""


class Future:
    """Pending first; then, for ever, with a result, with an exception, or cancelled.

    tea = Future(loop.call_soon)
    tea.add_done_callback(print)
    tea.set_result("hot")           # call_soon(print, tea): the loop will print, a moment later
    tea.result()                    # "hot"
    tea.set_result("cold")          # InvalidState
    """

    def __init__(self, call_soon: Callable[..., object]) -> None:
        """Pending. `call_soon(callback, *args)` has the loop call callback(*args), but not yet."""
        raise NotImplementedError("your code")

    def done(self) -> bool:
        """True unless it is pending."""
        raise NotImplementedError("your code")

    def cancelled(self) -> bool:
        """True if it was cancelled."""
        raise NotImplementedError("your code")

    def result(self) -> Any:
        """Return the result. Raises the exception that was set, that very object; or Cancelled.

        Raises InvalidState while it is pending.
        """
        raise NotImplementedError("your code")

    def exception(self) -> Exception | None:
        """Return the exception that was set, or None if there is a result instead.

        Raises Cancelled if it was cancelled, and InvalidState while it is pending.
        """
        raise NotImplementedError("your code")

    def set_result(self, value: Any) -> None:
        """Set the result, which may be anything. Raises InvalidState unless it is pending."""
        raise NotImplementedError("your code")

    def set_exception(self, error: Exception) -> None:
        """Set the exception. Raises InvalidState unless it is pending."""
        raise NotImplementedError("your code")

    def cancel(self) -> bool:
        """Cancel it and return True; if it is done already, change nothing and return False."""
        raise NotImplementedError("your code")

    def add_done_callback(self, callback: Callable[["Future"], object]) -> None:
        """Have callback(self) called once when it is done, whatever made it so.

        You never call it yourself, you hand it to call_soon: when the future becomes done, in the
        order in which the callbacks were added; or at once if it is done already. A callback that
        was added twice is called twice.
        """
        raise NotImplementedError("your code")

    def __await__(self) -> Generator["Future", None, Any]:
        """Make `await future` work (PEP 492): it gives, or raises, what result() does.

        While it is pending, `await` hands the future itself to the loop: __await__ is a generator
        that yields `self`, once. The loop continues it when the future is done; InvalidState if
        somebody continues it too early. If it is done already, nothing is yielded.
        """
        raise NotImplementedError("your code")
