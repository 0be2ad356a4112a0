"""A readiness check: an application that can be asked whether it is ready.

A port that accepts connections says nothing. So platforms ask two questions by HTTP, again and
again. **Liveness**: would a restart help? If the answer is not 2xx, the process is restarted.
**Readiness**: shall guests be sent here? If it is not 2xx, they are sent elsewhere, and nobody is
killed. Whoever mixes the two up restarts a server because it is busy.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class Ready:
    """Wrap an ASGI application that needs something loaded before it can serve.

        app = Ready(kitchen, load, limit=8)

    - lifespan: on startup, begin `await load()` *beside* everything else, and answer
      lifespan.startup.complete at once, so that the questions below can be answered while it
      loads. On shutdown: if it still loads, cancel that and wait for its end; then send
      lifespan.shutdown.complete and return. The inner application never sees the lifespan.
    - GET /live: 200 b"alive"; but 503 b"failed" once load() has raised an exception, because it
      will not be tried again in this process.
    - GET /ready: 503 b"loading" until load() has returned; 503 b"failed" if it raised; 503 b"busy"
      while `limit` calls or more of the inner application are under way; else 200 b"ready".
    - Every other http scope: if it is loaded, hand scope, receive and send on as they are, and let
      its exceptions through. It is under way from then on until the call is over, however it ends.
      A busy one serves all the same: the platform decides where guests go. If it is not loaded:
      503, with the body that /ready would have.
    - Other scopes (websocket) are handed on if it is loaded, and count as under way as well; if
      not, raise RuntimeError.

    Its own answers are one http.response.start, with any headers, and one http.response.body. They
    do not read the request. No task is left when the lifespan is over.
    """

    def __init__(self, app: App, load: Callable[[], Awaitable[None]], limit: int) -> None:
        raise NotImplementedError("your code")
