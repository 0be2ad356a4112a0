"""One client: bytes in until a whole request is there, bytes out until the kernel has them all.

Nothing here blocks but ``transmit(..., wait=True)``, which is how a worker waits for a slow reader
of a body that is still being produced. Everybody else who is slow waits at no thread's expense.
"""

import socket
import time
from collections.abc import Iterator
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO

from minimal_servers import http11
from minimal_servers.http11 import BadRequest, Request
from minimal_servers.response import ClientGone
from minimal_servers.wsgi import Peer

HEAD_SECONDS = 10.0  # for a whole request head
BODY_SECONDS = 10.0  # between two arrivals of body
SEND_SECONDS = 30.0  # for one block to a slow reader
MAX_BODY = 64 * 1024 * 1024  # bytes
MAX_IN_MEMORY = 64 * 1024  # bytes of body; a longer one goes to a temporary file


class Connection:
    """What one client sent so far, what it still has to get, and until when."""

    def __init__(self, sock: socket.socket, peer: Peer) -> None:
        self.sock = sock
        self.peer = peer
        self.buffer = bytearray()  # received, not yet used
        self.unsent = bytearray()  # ours to send, not yet taken by the kernel
        self.request: Request | None = None
        self.body: IO[bytes] = BytesIO()
        self.pieces: Iterator[bytes | None] = iter(())  # the body on its way in
        self.deadline = time.monotonic() + HEAD_SECONDS
        self.served = 0  # responses
        self.events = 0  # what the selector watches for
        self.last = False  # close once ``unsent`` is gone
        self.closing = False  # everything is said; what still arrives is thrown away

    def waiting(self) -> bool:
        """Whether it stands between two requests, and may be closed at any moment."""
        return self.served > 0 and not (self.buffer or self.request or self.unsent)

    def receive(self) -> bool:
        """Read what the kernel has; False at the end of the stream."""
        try:
            data = self.sock.recv(65536)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if self.closing:  # what still comes is thrown away, but not for ever
            return bool(data) and time.monotonic() < self.deadline
        if self.request is not None:
            self.deadline = time.monotonic() + BODY_SECONDS
        elif not self.buffer:
            self.deadline = time.monotonic() + HEAD_SECONDS
        self.buffer += data
        return bool(data)

    def advance(self) -> bool:
        """Use what was received; True when a whole request is there. Raises BadRequest."""
        if self.request is None:
            self.request = http11.take_head(self.buffer)
            if self.request is None:
                return False
            self.start_body(self.request)
        for piece in self.pieces:
            if piece is None:
                return False
            self.body.write(piece)
            self.check_size(self.body.tell())
        self.body.seek(0)
        return True

    def start_body(self, request: Request) -> None:
        """Make room for the body, and ask for it if the client wants to be asked."""
        self.check_size(request.length or 0)
        if request.length == 0:
            self.pieces, self.body = iter(()), BytesIO()
            return
        self.pieces = http11.read_body(request, self.buffer)
        self.body = SpooledTemporaryFile(MAX_IN_MEMORY)  # noqa: SIM115 - it outlives this call
        if request.expects_continue and not self.buffer:
            self.transmit(http11.CONTINUE, False)

    def check_size(self, size: int) -> None:
        """Refuse a body that is, or is going to be, too long."""
        if size > MAX_BODY:
            raise BadRequest("413 Content Too Large", f"body over {MAX_BODY} bytes")

    def transmit(self, data: bytes, wait: bool) -> None:
        """Send ``data`` after all that is unsent; with ``wait`` until the kernel has everything.

        Raises ClientGone when the client hung up, or took SEND_SECONDS for one block.
        """
        try:
            if not self.unsent:
                data = data[self.send(data) :]
            self.unsent += data
            if wait and self.unsent:
                self.sock.settimeout(SEND_SECONDS)
                self.sock.sendall(self.unsent)
                self.sock.settimeout(0)
                self.unsent.clear()
        except OSError as error:
            raise ClientGone(str(error)) from error

    def send(self, data: bytes | bytearray) -> int:
        """Offer bytes to the kernel; how many it took."""
        try:
            return self.sock.send(data)
        except BlockingIOError:
            return 0
