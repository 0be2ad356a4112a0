# Does not cancel the others when one raises.
# Message: gather(soup, tea, pie); tea raises ValueError
# Message: why gather() ends when all of its tasks have ended

"""Tasks, gather and cancellation, for `async def` and without asyncio."""

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
        """Let the coroutine run up to its next await, or to its end."""
        self.waits_for = None
        try:
            if self.must_end:
                self.must_end = False
                self.waits_for = self.coroutine.throw(Cancelled())
            else:
                self.waits_for = self.coroutine.send(None)
        except StopIteration as end:
            self.finish(end.value)
        except (Exception, Cancelled) as error:
            self.finish(error=error)
        else:
            self.waits_for.callbacks.append(self.step)

    def cancel(self) -> None:
        """Throw Cancelled into the coroutine where it stands."""
        if self.waits_for is None or self.waits_for.done:
            self.must_end = True
        else:
            self.waits_for.cancel()


class Gathering(Future):
    """What gather() returns: done when all of its tasks are."""

    def __init__(self, tasks: list[Task]) -> None:
        """Wait for the tasks."""
        super().__init__()
        self.tasks = tasks
        self.left = len(tasks)
        self.first: BaseException | None = None  # error
        for task in tasks:
            task.callbacks.append(self.ended)
        if not tasks:
            self.finish([])

    def ended(self, task: Future) -> None:
        """One of them is done."""
        self.left -= 1
        if task.error is not None and self.first is None:
            self.first = task.error
        if self.left == 0:
            self.finish([task.value for task in self.tasks], self.first)

    def cancel(self) -> None:
        """Cancel all of them; it is done when they are."""
        for task in self.tasks:
            task.cancel()


def gather(*coroutines: Coroutine[Future, None, Any]) -> Future:
    """Run coroutines as tasks at the same time. To await it gives their results, in order."""
    return Gathering([Task(coroutine) for coroutine in coroutines])
