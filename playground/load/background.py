"""A coroutine on a thread and a loop of its own, so that a notebook's cell can wait for it."""

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from typing import Any

LOOK_UP_S = 0.1
ENDING_S = 5.0  # for an interrupted client to end


class Background:
    """Runs ``main()`` from now on. ``wait`` for it, or ``cancel`` it."""

    def __init__(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._main = main
        self._future: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._thread = threading.Thread(target=self._run, name="client", daemon=True)
        self._thread.start()

    def wait(self, look: Callable[[], None] = lambda: None) -> None:
        """Wait until it has ended; raises what went wrong in it.

        It looks up ten times a second, and calls ``look``, so that an interrupt is noticed wherever
        it arrives.
        """
        while not self._future.done():
            concurrent.futures.wait([self._future], LOOK_UP_S)
            look()
        self._future.result()

    def cancel(self) -> None:
        """Cancel it; returns when it has ended."""
        loop, task = self._loop, self._task
        if loop is not None and task is not None and not self._future.done():
            loop.call_soon_threadsafe(task.cancel)
        self._thread.join(ENDING_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._noted())
        except asyncio.CancelledError:
            self._future.set_result(None)
        except BaseException as error:
            self._future.set_exception(error)
        else:
            self._future.set_result(None)

    async def _noted(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        await self._main()
