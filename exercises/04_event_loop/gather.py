"""Tasks, gather and cancellation, for `async def` and without asyncio.

The loop and the future are here. Three things are missing: how a task makes a step, how it is
cancelled, and gather().

    async def cook(dish, oven):
        await oven              # an instance of Future that somebody finishes
        return dish

    run(cook("bread", oven))    # "bread"
    await gather(cook("bread", oven), cook("pie", stove))   # ["bread", "pie"]
"""

from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any

READY: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()


class Cancelled(BaseException):
    """Thrown into a task that is to end. No Exception: `except Exception` must not swallow it."""


def call_soon(callback: Callable[..., object], *args: Any) -> None:
    """Have the loop call callback(*args), after all that is ready now."""
    READY.append((callback, args))


def run(coroutine: Coroutine["Future", None, Any]) -> Any:
    """Run until nobody can go on any more; the result of `coroutine`."""
    task = Task(coroutine)
    while READY:
        callback, args = READY.popleft()
        callback(*args)
    return task.result()


class Future:
    """A result that is not there yet."""

    def __init__(self) -> None:
        """Not done; the callbacks will be called, each with this future, when it is."""
        self.done = False
        self.value: Any = None
        self.error: BaseException | None = None
        self.callbacks: list[Callable[[Future], object]] = []

    def finish(self, value: Any = None, error: BaseException | None = None) -> None:
        """Here it is. Call it once."""
        self.done, self.value, self.error = True, value, error
        for callback in self.callbacks:
            call_soon(callback, self)

    def result(self) -> Any:
        """The value, or the error raised; RuntimeError if there is neither."""
        if not self.done:
            raise RuntimeError("not done, and nobody is left who could change that")
        if self.error is not None:
            raise self.error
        return self.value

    def cancel(self) -> None:
        """Finish with Cancelled, unless it is done."""
        if not self.done:
            self.finish(error=Cancelled())

    def __await__(self) -> Generator["Future", None, Any]:
        """What a task gets from send() is the future to wait for."""
        if not self.done:
            yield self
        return self.result()


class Task(Future):
    """A coroutine on its way; as a future, what it returns or raises."""

    def __init__(self, coroutine: Coroutine[Future, None, Any]) -> None:
        """Its first step comes soon."""
        super().__init__()
        self.coroutine = coroutine
        self.waits_for: Future | None = None  # None: its next step is in READY
        self.must_end = False  # the next step throws Cancelled
        call_soon(self.step)

    def step(self, _: Future | None = None) -> None:
        """Let the coroutine run up to its next await, or to its end. Also used as a callback.

        - Go on with send(None); if the task `must_end`, throw a Cancelled into it instead, once.
        - It returns: finish with the value. It raises an Exception or Cancelled: finish with that.
        - It yields a future: the next step comes when that is done. (Only futures that are not
          done are yielded, and only one at a time.)
        """
        raise NotImplementedError("your code")

    def cancel(self) -> None:
        """Throw Cancelled into the coroutine where it stands; returns at once, it ends later.

        - It waits for a future: cancel that one, which raises Cancelled at the await. If that is a
          task, it is cancelled in the same way, and may take its time.
        - It is ready to go on, or has not begun: its next step throws Cancelled. A coroutine that
          has not begun never does.
        - It is done: nothing happens.

        The coroutine may await other things while it cleans up, and it may catch Cancelled and
        return a value. That is then the result.
        """
        raise NotImplementedError("your code")


def gather(*coroutines: Coroutine[Future, None, Any]) -> Future:
    """Run coroutines as tasks at the same time. To await it gives their results, in order.

    - The list comes when all are done; for no coroutines it is empty.
    - When the first of them raises, all others are cancelled, once. When all have ended (they may
      have to clean up), that first error is raised. To end with Cancelled counts as raising, too.
    - When the task that awaits gather() is cancelled, all coroutines are cancelled; Cancelled is
      raised when all of them have ended.
    """
    raise NotImplementedError("your code")
