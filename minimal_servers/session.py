"""One WebSocket as the application sees it: connect, messages both ways, disconnect (ASGI 3.0).

Strategy
- Frames are read when they arrive, not when the application asks: a ping is answered, and a close
  is noticed, while the application is busy elsewhere. Messages wait in a bounded inbox.
- Both sides say close once (RFC 6455 §7.1.2). Whoever says it first waits for the other, but not
  for ever; then the server closes the TCP connection.
- A client that is silent is pinged; one that does not answer has gone (code 1006).
"""

import logging
from collections import deque

from minimal_servers import websocket
from minimal_servers.asgi import Exchange, Line, Message, Scope
from minimal_servers.http11 import Request
from minimal_servers.response import ClientGone
from minimal_servers.websocket import (
    ABNORMAL,
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    Event,
    WebSocketError,
)

MAX_INBOX = 64 * 1024  # bytes of messages that the application has not taken yet
PING_SECONDS = 20.0  # of silence, then a ping; as long again, then the client has gone
CLOSE_SECONDS = 5.0  # for the client's half of the closing handshake
NORMAL, SERVER_ERROR, SERVICE_RESTART = 1000, 1011, 1012  # RFC 6455 §7.4.1 and IANA
log = logging.getLogger(__name__)


def websocket_scope(scope: Scope, session: "Session") -> Scope:
    """What the application learns of a handshake (ASGI, WebSocket Connection Scope)."""
    scope.update(
        type="websocket",
        scheme="ws",
        subprotocols=session.handshake.subprotocols,
        extensions={"websocket.http.response": {}},
    )
    del scope["method"]
    return scope


class Session:
    """One conversation. ``phase`` is connecting, open, closing (we said so first) or closed."""

    def __init__(self, line: Line, request: Request) -> None:
        self.line = line
        self.request = request
        self.handshake = websocket.check_handshake(request)
        self.phase = "connecting"
        self.events = websocket.read_events(line.buffer)
        self.inbox: deque[Message] = deque([{"type": "websocket.connect"}])
        self.size = 0  # bytes in the inbox
        self.code, self.reason = ABNORMAL, ""  # for the application's disconnect
        self.denial: Exchange | None = None  # an HTTP response instead of the handshake
        self.pinged = False
        self.leaving = False  # the server is about to end

    async def receive(self) -> Message:
        """The next event; ``websocket.disconnect`` for ever after the end."""
        line = self.line
        while not self.inbox:
            if self.phase in ("closing", "closed") or line.ended or line.gone:
                return {
                    "type": "websocket.disconnect",
                    "code": self.code,
                    "reason": self.reason or None,
                }
            line.news.clear()
            await line.news.wait()
        message = self.inbox.popleft()
        if message["type"] == "websocket.receive":
            self.size -= len(message["bytes"] if "bytes" in message else message["text"])
            self.read()
        return message

    async def send(self, message: Message) -> None:
        """Take one event of the application; returns when the client can take more.

        Raises ClientGone when nobody is there, RuntimeError for a wrong type or a wrong order,
        TypeError and ValueError for what RFC 6455 forbids.
        """
        line, kind = self.line, message["type"]
        over = self.phase == "closed" or (self.leaving and self.phase == "closing")
        if line.gone or (over and self.denial is None):
            raise ClientGone("the client has gone")
        if kind == "websocket.send" and self.phase == "open":
            self.say(message)
        elif kind == "websocket.close" and self.phase == "open":
            self.close(message.get("code", NORMAL), message.get("reason") or "")
        elif kind.startswith("websocket.http.response.") and self.phase == "connecting":
            await self.deny(message)
        elif kind == "websocket.accept" and self.phase == "connecting" and not self.denial:
            self.accept(message)
        elif kind == "websocket.close" and self.phase == "connecting" and not self.denial:
            await self.forbid()
        else:
            raise RuntimeError(f"unexpected message {kind!r} while {self.phase} (ASGI WebSocket)")
        if line.slow:
            await line.writable.wait()

    def accept(self, message: Message) -> None:
        """Complete the handshake (RFC 6455 §4.2.2)."""
        subprotocol = message.get("subprotocol")
        if subprotocol is not None and subprotocol not in self.handshake.subprotocols:
            raise ValueError(f"the client did not offer the subprotocol {subprotocol!r}")
        fields = message.get("headers", ())
        self.line.transmit(websocket.accept_head(self.handshake.key, subprotocol, fields), False)
        self.phase = "open"
        if self.leaving:
            self.close(SERVICE_RESTART)
        self.arrived()

    async def deny(self, message: Message) -> None:
        """Answer with an ordinary response (ASGI, WebSocket Denial Response)."""
        if self.denial is None:
            self.denial = Exchange(self.line, self.request)
            self.denial.keep_alive = False
        await self.denial.send({**message, "type": message["type"].removeprefix("websocket.")})
        if self.denial.complete:
            self.phase = "closed"

    async def forbid(self) -> None:
        """Closed before it was accepted (ASGI, Close)."""
        start = {"status": 403, "headers": [(b"content-type", b"text/plain")]}
        await self.deny({"type": "websocket.http.response.start", **start})
        await self.deny({"type": "websocket.http.response.body", "body": b"Forbidden\n"})

    def say(self, message: Message) -> None:
        """One message of the application, as one frame."""
        data, text = message.get("bytes"), message.get("text")
        if data is not None and text is None:
            self.line.transmit(websocket.frame(BINARY, bytes(data)), True)
        elif text is not None and data is None:
            self.line.transmit(websocket.frame(TEXT, text.encode()), True)
        else:
            raise ValueError("websocket.send has either bytes or text")

    def close(self, code: int, reason: str = "") -> None:
        """Say close first, and wait for the client to say it too (§7.1.2)."""
        self.line.transmit(websocket.close_frame(code, reason), False)
        self.phase, self.code, self.reason = "closing", code, reason
        self.inbox.clear()
        self.size = 0
        self.line.expect(CLOSE_SECONDS)
        self.line.news.set()
        self.read()

    def arrived(self) -> None:
        """The client has sent something, so it lives."""
        self.pinged = False
        if self.phase == "open":
            self.line.expect(PING_SECONDS)
        self.read()

    def read(self) -> None:
        """Use what the client sent, as far as the application keeps up."""
        try:
            while self.phase in ("open", "closing") and self.size <= MAX_INBOX:
                event = next(self.events, None)
                if event is None:
                    break
                self.take(event)
        except WebSocketError as error:
            log.warning("a WebSocket is closed with %d: %s", error.code, error)
            self.end(error.code, str(error))
        self.line.used()

    def take(self, event: Event) -> None:
        """React to one message or control frame (§5.5, §5.6)."""
        if event.opcode == CLOSE:
            self.end(event.code, str(event.data))
        elif self.phase == "closing" or event.opcode == PONG:
            return
        elif event.opcode == PING:
            assert isinstance(event.data, bytes)
            self.line.transmit(websocket.frame(PONG, event.data), True)
        else:
            self.size += len(event.data)
            key = "text" if event.opcode == TEXT else "bytes"
            self.inbox.append({"type": "websocket.receive", key: event.data})
            self.line.news.set()

    def end(self, code: int, reason: str) -> None:
        """The last words: the client's close is echoed, a broken rule is named (§5.5.1, §7.1.7)."""
        if self.phase == "open":
            self.line.transmit(websocket.close_frame(code, reason), False)
            self.code, self.reason = code, reason
        self.phase = "closed"
        self.line.news.set()
        self.line.finish()

    def late(self) -> None:
        """Nothing was heard for a while: ask, or give up. Not if it is us who do not listen."""
        if self.phase == "open" and (self.size > MAX_INBOX or not self.pinged):
            self.line.transmit(websocket.frame(PING, b""), True)
            self.line.expect(PING_SECONDS)
            self.pinged = True
        else:
            self.line.cut()

    def last_call(self) -> None:
        """The server is about to end."""
        self.leaving = True
        if self.phase == "open":
            self.close(SERVICE_RESTART)

    def settle(self, failed: bool) -> None:
        """The application is done. What it left open is ended for it."""
        if self.line.gone:
            return
        if self.phase == "open":
            self.close(SERVER_ERROR if failed else NORMAL)
        elif self.phase == "connecting":
            self.denial = self.denial or Exchange(self.line, self.request)
            self.denial.settle(failed)
            self.phase = "closed"
