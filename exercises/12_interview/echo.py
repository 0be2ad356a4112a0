"""Whiteboard: one thread, many clients, and no client waits for another.

The oldest question about servers. Everybody's first version works until a client resets its
connection, sends without reading, or says nothing for an hour.
"""

import socket


def serve(listener: socket.socket) -> None:
    """Send every client what it sends, for ever; with one thread and `selectors`.

    `listener` is a listening socket; other processes may share it. A client that sends b"soup" gets
    b"soup".

    - Every byte comes back to its own client, in order. Nobody waits for another client, however
      many there are and whatever they do.
    - A client that has ended its side (recv gives b"") still gets what is missing; then you close
      the connection.
    - A connection that is reset (ConnectionResetError, BrokenPipeError: OSError) is closed, and is
      nobody else's trouble.
    - Who was announced at the door may be gone when you call accept: reset (OSError), or taken by
      another process. Nobody waits for that either.
    - A client that does not read: send takes only a part, or raises BlockingIOError. Keep the rest,
      and send it when the socket is writable again. Meanwhile read nothing more from this client,
      so that you never keep more than 64 KiB for one of them.
    - When nothing is to be done, sleep in the selector. A socket is nearly always writable: ask for
      that only while something waits to be sent.
    - No further thread, no further process.
    """
    raise NotImplementedError("your code")
