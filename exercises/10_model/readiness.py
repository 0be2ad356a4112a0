"""Alive, but not ready: 503 until the model is there.

An ASGI application without a framework (ASGI 3.0). The model takes its time to load, and the server
shall listen meanwhile: the platform must see that this process *lives*, and must not yet send it
anybody. So the loading begins in the lifespan, in a thread, and the lifespan does not wait for it.

`load` is an ordinary blocking function. It returns `model`, another blocking function: from the
bytes of a request's body to the bytes of the answer.
"""

from collections.abc import Callable
from typing import Any

Model = Callable[[bytes], bytes]


def make_app(load: Callable[[], Model]) -> Any:
    """Return the application. `load` is called once in a lifespan, and not before.

    - Lifespan: at `lifespan.startup` the loading begins, in a thread, and
      `lifespan.startup.complete` is sent at once. At `lifespan.shutdown` the application waits
      until the loading is over, however it ends (a thread cannot be cancelled), then it sends
      `lifespan.shutdown.complete` and returns.
    - `/health` → 200 "alive", whatever the model does.
    - `/ready` → 503 "loading" with the header `retry-after: 1` while it loads; 200 "ready" when it
      is there; 503 "failed: KeyError" (the name of the exception's type), without retry-after, if
      `load` raised.
    - `/predict` → as `/ready` if the model is not there; otherwise 200 and what `model` returns for
      the whole body, which may come in several messages. The model is called in a thread. What it
      raises goes on to the server.
    - Any other path → 404 "no such path".

    The method does not matter. Every answer is `text/plain; charset=utf-8`, and says its
    content-length. Another type of scope, such as "websocket": ValueError.
    """
    raise NotImplementedError("your code")
