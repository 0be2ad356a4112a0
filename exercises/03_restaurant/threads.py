"""One process, several waiters: threads that share one door.

Each thread goes to the door by itself, lets one party in, serves it, and goes to the door again.
While all of them serve, nobody is at the door, and people wait outside: in the **accept queue** of
the kernel (listen(2)).
"""

import socket
from collections.abc import Callable


def serve(
    listener: socket.socket,
    handle: Callable[[socket.socket], object],
    threads: int,
    stop: socket.socket,
) -> None:
    """Serve connections with `threads` threads until `stop` becomes readable, then return None.

    `listener` is a listening socket and `stop` a connected one; both belong to the caller, who
    also closes them. `handle(connection)` talks to one client and may take any time.

        bell, rope = socket.socketpair()
        Thread(target=serve, args=(listener, handle, 3, bell)).start()   # 3 clients at a time
        rope.send(b"!")                                                  # the evening is over

    What it promises:
    - `threads` connections are handled at the same time, each in a thread of its own. One slow
      client stops nobody else.
    - A thread serves many connections, one after the other. Besides the calling thread there are
      never more than `threads`.
    - Nothing is accepted while all threads are busy: the others wait in the accept queue, where
      another process could still take them (accept(2)).
    - `connection` blocks, and is closed when `handle` is done with it, however that ends.
    - An Exception from `handle` costs its own client the connection and nobody else anything.
    - As soon as `stop` is readable (a byte, or end-of-file), nobody is accepted any more. Parties
      inside are served to the end. Then all threads end, and `serve` returns. Leave the byte
      unread, so that every thread can see it.

    A thread that sleeps in accept() hears nothing else: wait for two sockets at once (select(2)),
    and mind that another thread may be faster at the door.
    """
    raise NotImplementedError("your code")
