"""Where a coroutine waits, in a word: ``sleep``, ``to_thread``, ``Lock.acquire``, ``receive``.

Found by walking down the chain of who awaits whom, of a coroutine that is suspended. That is done
in the tracer's own thread, and only for those that wait long enough to be met there.
"""

import gc
from types import CodeType
from typing import Any

RUNTIMES = ("asyncio.", "anyio.", "minimal_servers.eventloop.")  # whose functions are the names
SHORT = {"run_sync": "to_thread", "_GatheringFuture": "gather", "Task": "task", "Future": "future"}
SENDS = ("send", "app_send")  # as servers call theirs
DEEPEST = 200
LONGEST = 40  # characters

named: dict[CodeType, str] = {}  # functions that have a name of their own, whoever they call


def where(coroutine: Any) -> str:
    """What ``coroutine`` waits for; empty if it does not wait or nobody knows."""
    public = behind = ""  # the first function of the runtime that was called, and its owner
    for _ in range(DEEPEST):
        code = getattr(coroutine, "cr_code", None)
        if not isinstance(code, CodeType):
            break
        if code in named:
            return named[code]
        if code.co_name in SENDS:
            return "send"
        frame = coroutine.cr_frame
        module = "" if frame is None else frame.f_globals.get("__name__", "")
        if not f"{module}.".startswith(RUNTIMES):
            public = behind = ""
        elif not public:
            name = code.co_qualname
            behind = behind or name.partition(".")[0].strip("_")
            public = name if "_" not in (name[0], name.rpartition(".")[2][0]) else ""
        coroutine = coroutine.cr_await
    name = public or behind or _future(coroutine)
    return SHORT.get(name, name)[:LONGEST]


def _future(awaited: Any) -> str:
    """The kind of a future by the iterator that awaits it.

    subtle: the iterator does not tell its future, but the garbage collector does.
    """
    if type(awaited).__name__ != "FutureIter":
        return ""
    kinds = [type(found).__name__ for found in gc.get_referents(awaited)]
    return next((kind for kind in kinds if kind in SHORT), "future")
