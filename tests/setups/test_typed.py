"""A server by its command line: what `typed` tells of its life."""

import psutil
import pytest

from playground import ServeError, typed

APP = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise ValueError("http only")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"soup"})
"""


@pytest.fixture
def menu(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "menu_of_typed.py").write_text(APP)


def test_it_serves_until_it_is_ended_by_a_signal(menu):
    with typed("uvicorn --port 0 menu_of_typed:app") as house:
        assert house.answers()
        assert house.ask() == (200, "soup")
        assert (house.running, house.exit_code) == (True, None)
        house.signal("TERM")
        assert house.ends()
        assert (house.running, house.exit_code) == (False, -15)
        assert house.ask()[0] is None


def test_an_exit_code_is_told(menu, tmp_path):
    (tmp_path / "broken_menu.py").write_text("raise LookupError('no soup')\n")
    with typed("uvicorn --port 0 broken_menu:app") as house:
        assert house.ends()
        assert house.exit_code == 1
        assert "no soup" in house.log


def test_workers_are_known_and_gone_afterwards(menu):
    with typed("uvicorn --port 0 --workers 2 menu_of_typed:app") as house:
        assert house.answers()
        pids = house.workers()
        assert len(pids) == 2
    assert not any(psutil.pid_exists(pid) for pid in {house.pid, *pids})
    assert "Started parent process" in house.log


@pytest.mark.parametrize("line", ["", "   ", None])
def test_no_command_is_told_in_a_sentence(line):
    with pytest.raises(ServeError, match="There is no command"):
        typed(line)


def test_a_quote_without_an_end_is_told_in_a_sentence():
    with pytest.raises(ServeError, match="cannot be read: No closing quotation"):
        typed("uvicorn 'app:app")


def test_an_unknown_signal_is_told_in_a_sentence(menu):
    with (
        typed("uvicorn --port 0 menu_of_typed:app") as house,
        pytest.raises(ServeError, match="no signal 'HOP'"),
    ):
        house.signal("HOP")
