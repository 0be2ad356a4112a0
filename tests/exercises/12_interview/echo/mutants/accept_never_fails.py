# Believes that accept cannot fail.
# Message: serve raised BlockingIOError: another process was faster

"""Whiteboard: one thread, many clients, and no client waits for another."""

import selectors
import socket
from selectors import EVENT_READ, EVENT_WRITE

MOST = 65_536  # bytes kept for one client


def serve(listener: socket.socket) -> None:
    """Send every client what it sends, for ever; with one thread and `selectors`."""
    selector = selectors.DefaultSelector()
    listener.setblocking(False)
    selector.register(listener, EVENT_READ)
    kept: dict[socket.socket, bytes] = {}

    def welcome() -> None:
        client, _ = listener.accept()
        client.setblocking(False)
        selector.register(client, EVENT_READ)
        kept[client] = b""

    def turn(client: socket.socket) -> bool:
        """Read or write once; tell whether the connection goes on."""
        data = kept[client] or client.recv(MOST)
        if not data:
            return False
        try:
            kept[client] = data[client.send(data) :]
        except BlockingIOError:
            kept[client] = data
        selector.modify(client, EVENT_WRITE if kept[client] else EVENT_READ)
        return True

    while True:
        for key, _ in selector.select():
            client = key.fileobj
            assert isinstance(client, socket.socket)
            if client is listener:
                welcome()
                continue
            try:
                goes_on = turn(client)
            except OSError:
                goes_on = False
            if not goes_on:
                selector.unregister(client)
                del kept[client]
                client.close()
