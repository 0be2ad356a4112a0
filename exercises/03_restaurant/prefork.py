"""Several kitchens, one door: a parent that forks workers and replaces those that die.

The listening socket is opened before the fork, so all workers share it, and the kernel gives each
client to exactly one of them. The parent never serves. It watches its children (wait(2)).
"""

import socket
from collections.abc import Callable


def serve(listener: socket.socket, handle: Callable[[socket.socket], object], workers: int) -> int:
    """Serve with `workers` forked processes until SIGTERM; return how many were replaced.

    `listener` is a listening socket; `handle(connection)` talks to one client. It is called in the
    main thread of your process.

        serve(listener, handle, 4)    # 4 clients at a time; two workers crash; SIGTERM → returns 2

    What it promises:
    - `workers` connections are handled at the same time, each in a child process of its own. A
      worker serves many connections, one after the other, and closes each of them.
    - The parent accepts nothing.
    - A worker that ends, however that happens, is reaped, so that no zombie stays, and replaced by
      a new one. The others do not notice. Signals do not queue: when several children end at
      once, one SIGCHLD may be all you get (signal(7), waitpid(2)).
    - An Exception from `handle` costs its own client the connection; the worker goes on.
    - A worker dies of SIGTERM at once: it does not keep what the parent does on that signal.
    - At SIGTERM the parent ends all workers and reaps them. Nobody is replaced any more. Then
      `serve` returns the number of replacements so far. Requests that run then are lost: that is
      the next exercise.
    - A child never returns from `serve`: it works, or it ends (os._exit).

    One way to wait without a race: block SIGTERM and SIGCHLD (signal.pthread_sigmask) and take them
    one at a time with signal.sigwait. Give both a handler that does nothing first: some systems
    drop a signal that is ignored by default.
    """
    raise NotImplementedError("your code")
