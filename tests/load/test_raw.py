import pytest

from playground import ServeError, raw, serve
from playground.load import raw as module
from playground.load.raw import Wire, escaped


def recording(listener, app):
    """Answers with what it has read until the client stops sending."""
    while True:
        connection, _ = listener.accept()
        with connection:
            read = b""
            while block := connection.recv(65536):
                read += block
            connection.sendall(read)


def keeping(listener, app):
    """Answers every segment it reads with its size, and never closes."""
    kept = []
    while True:
        connection, _ = listener.accept()
        kept.append(connection)
        while block := connection.recv(65536):
            connection.sendall(b"%d\n" % len(block))


def test_exact_bytes_go_out_and_come_back():
    data = bytes(range(256))
    with serve(recording, "hello") as server:
        wire = raw(server, data, shutdown=True)
    assert wire.sent == wire.received == data
    assert wire.ending == "the server closed the connection"


def test_pieces_travel_one_by_one(monkeypatch):
    monkeypatch.setattr(module, "PIECE_PAUSE_S", 1.0)  # a busy server has read the first by then
    with serve(keeping, "hello") as server:
        wire = raw(server, [b"abc", b"de"], quiet=2)
    assert wire.pieces == (b"abc", b"de")
    assert wire.received == b"3\n2\n"
    assert "still open" in wire.ending


def test_a_silent_server_is_given_up():
    with serve(keeping, "hello") as server:
        wire = raw(server, b"", timeout=0.2)
    assert wire.received == b""
    assert "time was up" in wire.ending


def test_any_place_of_this_machine_will_do():
    with serve(recording, "hello") as server:
        for place in (
            f"127.0.0.1:{server.port}",
            f"http://localhost:{server.port}/x",
            ("127.0.0.1", server.port),
        ):
            assert raw(place, b"x", shutdown=True).received == b"x"


@pytest.mark.parametrize("place", ["192.0.2.1:80", "http://example.com:80", ("10.0.0.1", 80)])
def test_other_machines_are_refused(place):
    with pytest.raises(ServeError, match="this machine only"):
        raw(place, b"x")


@pytest.mark.parametrize(
    ("place", "data", "words"),
    [
        ("127.0.0.1", b"", "names no server"),
        ("127.0.0.1:1", b"", "Nothing answers at 127.0.0.1:1"),
        ("127.0.0.1:1", "text", "sends bytes"),
        ("127.0.0.1:1", ["text"], "sends bytes"),
        ("127.0.0.1:1", 7, "sends bytes"),
        ("127.0.0.1:1", None, "sends bytes"),
        ("127.0.0.1:http", b"", "names no server"),
        (7, b"", "names no server"),
    ],
)
def test_what_makes_no_sense_is_refused(place, data, words):
    with pytest.raises(ServeError, match=words):
        raw(place, data)


def test_what_is_not_printable_is_escaped():
    assert escaped(b"A\\\t\r\n\x00\xff\n") == ["A\\\\\\t\\r\\n", "\\x00\\xff\\n"]
    assert escaped(b"x" * 5000)[-1] == "… 1000 more bytes"


def test_the_picture_shows_both_directions_and_no_markup_of_the_bytes():
    wire = Wire("127.0.0.1:1", (b"GET / HTTP/1.1\r\n", b"\r\n"), b"<script>\n", "closed", 0.1)
    assert str(wire).splitlines()[1:] == [
        r"→ GET / HTTP/1.1\r\n",
        r"→ \r\n",
        r"← <script>\n",
        "  closed after 0.10 s",
    ]
    picture = wire._repr_html_()
    assert "&lt;script&gt;" in picture
    assert "<script>" not in picture
