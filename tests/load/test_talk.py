"""Conversations over a WebSocket: what went over the wire, and what it is called."""

import hashlib
import re
import socket
import threading
from base64 import b64encode

import pytest
from websockets import frames as reference

from playground import Conversation, Frame, ServeError, serve, talk
from playground.load.frames import close_code, masked, read_frame

BOTH = pytest.mark.parametrize("setup", ["minimal-asgi", "uvicorn"])


@BOTH
def test_text_and_bytes_are_said_back(setup):
    with serve(setup, "ws") as server:
        words = ["Hello", b"\x00\x01", ""]
        said = talk(server, "/ws", words, subprotocols=["soup", "bread"], quiet=60)
    assert (said.status, said.subprotocol) == (101, "soup")
    assert said.messages == ["Hello", b"\x00\x01", ""]
    assert (said.close_code, said.close_reason) == (1000, "")
    assert said.ending == "the server closed the connection"
    sides = [turn.side for turn in said.turns]
    assert sides == ["client", "server"] * 5
    assert [turn.meaning for turn in said.turns[2:4]] == ["text 'Hello'", "text 'Hello'"]
    hello = said.turns[2].wire
    assert (hello[0], hello[1], len(hello)) == (0x81, 0x85, 11)
    assert said.turns[3].wire == b"\x81\x05Hello"


@BOTH
def test_fragments_and_pings_are_frames_like_others(setup):
    parts = [Frame(1, b"Hel", fin=False), Frame(9, b"?"), Frame(0, b"lo")]
    with serve(setup, "ws") as server:
        said = talk(server, messages=parts)
    assert said.messages == ["Hello"]
    assert ("server", "pong '?'") in [(turn.side, turn.meaning) for turn in said.turns]


@BOTH
@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (Frame(1, b"x", masked=False), 1002),
        (Frame(1, b"x", rsv=4), 1002),
        (Frame(3, b"x"), 1002),
        (Frame(9, bytes(126)), 1002),
        (Frame(0, b"x"), 1002),
        (Frame(1, b"\xff"), 1007),
    ],
)
def test_what_is_not_allowed_is_sent_all_the_same(setup, wrong, code):
    with serve(setup, "ws") as server:
        said = talk(server, messages=[wrong, "never sent"], quiet=60)
    assert said.close_code == code
    assert said.turns[2].frame == wrong
    assert said.messages == []
    assert "never sent" not in str(said)


@BOTH
def test_one_may_listen_and_cut(setup):
    with serve(setup, "ws") as server:
        said = talk(server, "/ticks?s=0.02", listen=3, close=False)
    assert said.messages[:3] == ["tick 1", "tick 2", "tick 3"]
    assert said.close_code is None
    assert said.ending == "cut without a close frame"
    assert 8 not in {turn.frame.opcode for turn in said.turns if turn.frame}


def test_the_servers_own_close_is_answered():
    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 4000, "reason": "paid"})

    with serve("minimal-asgi", app) as server:
        said = talk(server, messages=["soup"])
    assert (said.close_code, said.close_reason) == (4000, "paid")
    answered = [turn.frame.payload for turn in said.turns if turn.frame and turn.frame.opcode == 8]
    assert answered == [b"\x0f\xa0paid", b"\x0f\xa0"]


def test_no_websocket_is_told():
    with serve("minimal-wsgi", "hello") as server:
        said = talk(server, "/", ["Hello"])
    assert (said.status, said.close_code, said.messages) == (200, None, [])
    assert said.ending == "the server answered 200, so there is no WebSocket: hung up"
    assert len(said.turns) == 2


def test_a_refused_handshake_is_told():
    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.close"})

    with serve("minimal-asgi", app) as server:
        assert talk(server).status == 403


class Scripted:
    """A server of one connection: answers the handshake, then sends ``data`` and does ``then``."""

    def __init__(self, data, then, accept=None):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = self._listener.getsockname()
        self._data, self._then, self._accept = data, then, accept
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._thread.join(20)
        self._listener.close()

    def _run(self):
        connection, _ = self._listener.accept()
        with connection:
            asked = connection.recv(65536)
            key = re.search(rb"Sec-WebSocket-Key: (\S+)", asked)[1]
            guid = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            accept = self._accept or b64encode(hashlib.sha1(key + guid).digest())
            head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            connection.sendall(head + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n" + self._data)
            self._then(connection)


def read_on(connection):
    while connection.recv(65536):
        pass


def test_an_end_without_a_close_frame_is_1006():
    with Scripted(b"\x81\x02hi", lambda connection: None) as server:
        said = talk(server.address)
    assert (said.messages, said.close_code) == (["hi"], 1006)


def test_a_close_frame_without_a_code_is_1005():
    with Scripted(b"\x88\x00", read_on) as server:
        said = talk(server.address, timeout=2)
    assert said.close_code == 1005
    assert "close without a code" in str(said)


def test_a_ping_of_the_server_is_answered():
    heard = []
    with Scripted(b"\x89\x01!", lambda connection: heard.append(connection.recv(65536))) as server:
        talk(server.address)
    frame, _ = read_frame(heard[0])
    assert (frame.opcode, frame.payload, frame.masked) == (10, b"!", True)


def test_a_server_that_does_not_close_is_left():
    with Scripted(b"", read_on) as server:
        said = talk(server.address, timeout=2)
    assert said.ending == "the server did not close within 2 s: hung up"
    assert said.close_code is None


def test_a_wrong_key_is_no_websocket():
    with Scripted(b"", lambda connection: None, accept=b"abc=") as server:
        said = talk(server.address, messages=["secret"])
    assert "does not fit the key" in said.ending
    assert "secret" not in str(said)


def test_a_server_that_says_nothing_is_told():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        said = talk(listener.getsockname(), timeout=0.2)
    assert (said.status, said.ending) == (None, "no answer to the handshake: hung up")


def test_a_flood_is_bounded(monkeypatch):
    from playground.load import talk as module

    monkeypatch.setattr(module, "MOST_TURNS", 50)
    with Scripted(b"\x81\x00" * 1000, lambda connection: None) as server:
        said = talk(server.address)
    assert len(said.turns) == 50
    assert said.ending == "more than 50 turns: hung up"


def test_both_pictures_show_bytes_and_meaning():
    with serve("minimal-asgi", "ws") as server:
        said = talk(server, messages=["<b>", "x" * 300])
    assert isinstance(said, Conversation)
    assert "← 81 03 3c 62 3e  text '<b>'" in str(said)
    assert "… 288 more" in str(said)
    assert "(300 characters)" in str(said)
    html = said._repr_html_()
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    assert html.count("← received") == 4


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"messages": [7]}, "7 is no message"),
        ({"messages": 7}, "messages are a list"),
        ({"path": "ws"}, "begins with a slash"),
        ({"subprotocols": "soup"}, "a list of names"),
        ({"subprotocols": ["a\r\nb"]}, "text in one line"),
        ({"timeout": 0}, "timeout= is"),
        ({"quiet": -1}, "quiet= is"),
        ({"listen": -1}, "listen= is"),
        ({"headers": {"A": 1}}, "text in one line"),
    ],
)
def test_what_makes_no_sense_is_refused(more, words):
    with pytest.raises(ServeError, match=words):
        talk("127.0.0.1:9", **more)


def test_only_this_machine_and_only_who_listens():
    with pytest.raises(ServeError, match=r"talk\(\) talks to this machine only"):
        talk("192.0.2.1:80")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ServeError, match="Nothing answers"):
        talk(f"127.0.0.1:{port}")


# Frames, held against another implementation


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536])
@pytest.mark.parametrize("mask", [True, False])
def test_frames_are_read_as_they_were_written(size, mask):
    frame = Frame(2, bytes(range(256)) * (size // 256 + 1), masked=mask)
    frame = Frame(2, frame.payload[:size], masked=mask)
    wire = frame.to_bytes()
    assert read_frame(wire + b"more") == (frame, len(wire))
    if size:
        assert read_frame(wire[:-1]) is None
    theirs = reference.Frame(reference.Opcode.BINARY, frame.payload)
    if not mask:
        assert wire == theirs.serialize(mask=False)
    assert read_frame(theirs.serialize(mask=mask))[0] == frame


def test_pieces_of_a_head_are_waited_for():
    wire = Frame(1, bytes(70_000)).to_bytes()
    assert [read_frame(wire[:size]) for size in range(14)] == [None] * 14
    assert masked(masked(b"Hello", b"\x01\x02\x03\x04"), b"\x01\x02\x03\x04") == b"Hello"


def test_codes_of_closing():
    assert close_code(b"") == (1005, "")
    assert close_code(b"\x03\xe8bye") == (1000, "bye")
    assert str(Frame(8, b"\x03\xe9gone")) == "close 1001 'gone'"
    assert str(Frame(8)) == "close without a code"
    assert str(Frame(2, b"x")) == "binary, 1 byte"
    assert str(Frame(3, rsv=4)) == "opcode 3, 0 bytes, reserved bits 100"
