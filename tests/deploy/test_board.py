"""The board behind the hub's door: who reports is who the hub says, and nobody else is heard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection

from playground.grading import exercise
from tests.deploy.conftest import HANG_S, Hub, Person, web_socket

pytestmark = pytest.mark.timeout(2 * HANG_S)
BOARD = "/services/board/"
Both = tuple[Person, Person]
REPORT = {"id": "0" * 32, "exercise": "wsgi-input", "status": "passed", "passed": True}


def enter(person: Person) -> tuple[str, str]:
    """Open the page in a browser; return which pass it got, and the pass."""
    page = person.browser.get(BOARD).raise_for_status()
    assert "<title>The board</title>" in page.text
    kind, _, given = page.url.fragment.partition("=")
    return kind, given


@contextmanager
def live(person: Person, **given: str) -> Iterator[ClientConnection]:
    """The page's WebSocket, with the browser's cookies; the first message is read."""
    headers = {"Cookie": f"board={person.browser.cookies.get('board')}"}
    with web_socket(person.hub.port, f"{BOARD}live", headers) as socket:
        socket.send(json.dumps(given))
        json.loads(socket.recv(timeout=HANG_S))
        yield socket


def seen(person: Person, name: str) -> dict[str, Any] | None:
    """What the board shows now of a learner."""
    kind, given = enter(person)
    with live(person, **{kind: given}) as socket:
        return shown(socket, name)


def shown(socket: ClientConnection, name: str) -> dict[str, Any] | None:
    """What the board's next message says of a learner."""
    learners = json.loads(socket.recv(timeout=HANG_S))["learners"]
    return next((one for one in learners if one["name"] == name), None)


@pytest.fixture(scope="module")
def instructor(hub: Hub) -> Person:
    """An admin of the hub."""
    return Person(hub, "instructor", instructor=True)


def test_a_check_in_a_kernel_comes_to_the_board(learners: Both, instructor: Person) -> None:
    ada, _ = learners
    solution = exercise.find("wsgi-environ").solution.read_text("utf-8")
    kind, given = enter(instructor)
    assert kind == "instructor"
    said = ada.execute(
        ada.new_kernel(), ["import playground", f"%%exercise wsgi-environ\n{solution}"]
    )
    assert "wsgi-environ: passed" in said[1]
    with live(instructor, instructor=given) as socket:
        while not (found := shown(socket, "ada")) or not found["passed"]:
            continue  # there is another message when something has changed, and every few seconds
    assert (found["exercise"], found["status"]) == ("wsgi-environ", "passed")


@pytest.mark.parametrize("what", ["join", "report", "leave", "timeline", "frame"])
@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer " + "0" * 32}])
def test_a_wrong_hub_token_is_refused(
    hub: Hub, instructor: Person, what: str, header: dict[str, str]
) -> None:
    form = {"code": "BCDFGH", "name": "eve", "token": "e" * 43}
    for origin in (hub.origin, f"http://127.0.0.1:{hub.port + 3}"):  # past the proxy as well
        answer = httpx.post(f"{origin}{BOARD}{what}", headers=header, json=form, timeout=HANG_S)
        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert "stop your server and start it again" in answer.json()["detail"]
    assert seen(instructor, "eve") is None


def test_a_learner_has_the_name_that_the_hub_knows(learners: Both, instructor: Person) -> None:
    _, grace = learners
    form = {"code": "", "name": "ada", "token": "g" * 43}
    assert grace.api.post(f"{BOARD}join", json=form).json() == {"learner": "grace"}
    answer = grace.api.post(f"{BOARD}report", json={"reports": [REPORT]})
    assert answer.json() == {"new": 1}
    with live(instructor, instructor=enter(instructor)[1]) as socket:
        while not (found := shown(socket, "grace")) or not found["passed"]:
            continue
    assert found["exercise"] == "wsgi-input"


def test_what_is_too_large_is_refused_here_as_well(learners: Both) -> None:
    _, grace = learners
    answer = grace.api.post(f"{BOARD}timeline", content=b"\0" * (2 << 20))
    assert answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def test_only_an_instructor_can_act(learners: Both, instructor: Person) -> None:
    _, grace = learners
    assert enter(grace)[0] == "code"
    _, token = enter(instructor)
    bearer = {"Authorization": f"Bearer {token}"}
    stolen = grace.browser.post(f"{BOARD}instructor", headers=bearer, json={"action": "close"})
    assert stolen.status_code == HTTPStatus.FORBIDDEN
    for action in ("close", "open"):
        done = instructor.browser.post(
            f"{BOARD}instructor", headers=bearer, json={"action": action}
        )
        assert done.json() == {"done": True}


def test_a_group_of_the_hub_may_act_as_well(hub: Hub, instructor: Person) -> None:
    assistant = Person(hub, "linus")
    instructor.api.post("/hub/api/groups/instructors").raise_for_status()
    members = {"users": [assistant.name]}
    instructor.api.post("/hub/api/groups/instructors/users", json=members).raise_for_status()
    assert enter(assistant)[0] == "instructor"


def test_nobody_sees_it_without_the_hub(hub: Hub, instructor: Person) -> None:
    _, given = enter(instructor)
    page = httpx.get(f"{hub.origin}{BOARD}", follow_redirects=True, timeout=HANG_S)
    assert page.url.path == "/hub/login"
    script = httpx.get(f"{hub.origin}{BOARD}page/board.js", timeout=HANG_S)
    assert script.status_code == HTTPStatus.FORBIDDEN
    with (
        pytest.raises(InvalidStatus) as refused,
        web_socket(hub.port, f"{BOARD}live", {}) as socket,
    ):
        socket.send(json.dumps({"instructor": given}))
    assert refused.value.response.status_code == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("query", ["", "?code=guessed", "?code=guessed&state=guessed"])
def test_a_forged_answer_of_the_hub_is_refused(hub: Hub, query: str) -> None:
    answer = httpx.get(f"{hub.origin}{BOARD}oauth_callback{query}", timeout=HANG_S)
    assert answer.status_code == HTTPStatus.FORBIDDEN
