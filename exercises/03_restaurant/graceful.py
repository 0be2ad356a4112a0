"""Closing time: no new guests, and nobody is thrown out over the main course.

SIGTERM is how a process manager asks a server to end: at every deploy, every scale-down. A server
that just dies loses the request that it was working on.
"""

import socket
from collections.abc import Callable


def serve(listener: socket.socket, handle: Callable[[socket.socket], object]) -> bool:
    """Serve connections one at a time until SIGTERM, then end gracefully; return whether you could.

    `listener` is a listening socket and stays open: it belongs to the caller, who shares it with
    other processes. `handle(connection)` talks to one client. `serve` is called in the main thread.

        serve(listener, handle)    # SIGTERM while a client is served: it is finished → True
        serve(listener, handle)    # a second SIGTERM meanwhile: it is dropped → False

    What it promises:
    - Each connection is closed when `handle` is done with it. An Exception from `handle` costs its
      own client the connection and nobody else anything.
    - At SIGTERM, an idle server returns at once: True.
    - At SIGTERM while `handle` runs, it is not disturbed. When it is done, `serve` returns True.
    - Nobody is accepted after SIGTERM, and nobody is lost: a client is either served to the end, or
      it still waits in the accept queue, where another process can take it. Also when client and
      signal arrive at the same moment.
    - A second SIGTERM means *now*: `handle` is interrupted, also if it catches every Exception; the
      connection is closed, and `serve` returns False.
    - In the end the handler of SIGTERM is the one that was there before (signal.signal returns it).
      So is the wake-up descriptor, if you use one (signal.set_wakeup_fd returns it).

    After a signal handler has run, Python goes on with what it was waiting for (PEP 475), so a flag
    alone does not wake up a sleeping accept(). Between a look at a flag and the sleep that follows,
    a signal can slip through as well. A byte in a pipe can do neither: see signal.set_wakeup_fd.
    """
    raise NotImplementedError("your code")
