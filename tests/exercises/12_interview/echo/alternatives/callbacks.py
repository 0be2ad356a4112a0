"""What to do next is the data of the selector; read and write may be wanted both, up to a bound."""

import selectors

MOST = 65_536


class Client:
    def __init__(self, connection, selector):
        self.connection, self.selector = connection, selector
        self.kept, self.open = bytearray(), True
        connection.setblocking(False)
        selector.register(connection, selectors.EVENT_READ, self.turn)

    def turn(self, events):
        try:
            if events & selectors.EVENT_READ and self.open and len(self.kept) < MOST:
                data = self.connection.recv(MOST - len(self.kept))
                self.open = bool(data)
                self.kept += data
            if self.kept:
                try:
                    del self.kept[: self.connection.send(self.kept)]
                except BlockingIOError:
                    pass
        except OSError:
            return self.close()
        wanted = selectors.EVENT_WRITE if self.kept else 0
        if self.open and len(self.kept) < MOST:
            wanted |= selectors.EVENT_READ
        if not wanted:
            return self.close()
        return self.selector.modify(self.connection, wanted, self.turn)

    def close(self):
        self.selector.unregister(self.connection)
        self.connection.close()


def serve(listener):
    listener.setblocking(False)
    with selectors.DefaultSelector() as selector:

        def door(events):
            try:
                Client(listener.accept()[0], selector)
            except OSError:
                pass

        selector.register(listener, selectors.EVENT_READ, door)
        while True:
            for key, events in selector.select():
                key.data(events)
