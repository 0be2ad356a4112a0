"""Whiteboard: a hundred requests miss the cache at once, and the database is asked once.

The usual names are *single flight* and *request coalescing*; what happens without it is a cache
stampede. The difficult part is not the dictionary: it is the client who hangs up.
"""

from collections.abc import Awaitable, Callable
from typing import Any


class Once:
    """Calls of `make(key)` that are under way are shared by all who ask for the same key.

        menu = Once(load_from_database)
        page = await menu.get("/menu")      # in each request

    - `await get(key)` returns what `await make(key)` returns, or raises what it raises. Who asks
      while it is under way waits for it too, and gets the same.
    - Different keys do not wait for each other.
    - Nothing is kept, no result and no key: when it is over, well or not, the next `get` calls
      `make` again.
    - Who is cancelled (a client has hung up, a time-out) stops waiting at once, with
      CancelledError. The others notice nothing: `make` goes on, whoever was the first to ask.
    - When the last one who waited for it is cancelled, `make` is cancelled too, because nobody
      wants it any more. Who asks after that gets a call of `make` of its own, also while the
      cancelled one still cleans up.
    - `make` is an `async def`. No task is left when nobody waits and `make` is over.
    """

    def __init__(self, make: Callable[[str], Awaitable[Any]]) -> None:
        raise NotImplementedError("your code")

    async def get(self, key: str) -> Any:
        """Return the result of `make(key)`, of a call that is under way if there is one."""
        raise NotImplementedError("your code")
