"""Whether this workspace has joined a board, and where: a small file, `classroom/joined.json`."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from playground import workspace
from playground.classroom import PORT, names
from playground.errors import Told

if TYPE_CHECKING:
    import httpx

CONNECT_S, ANSWER_S = 3.0, 15.0


class ClassroomError(Told):
    """The board did not do what was wished; the message is a sentence that says what to do."""


@dataclass(frozen=True)
class Joined:
    """The board's address, the name it shows, and the secret by which it knows this learner."""

    address: str
    name: str
    token: str


def folder() -> Path:
    """Where all of this is kept; nobody else on this machine can read it."""
    place = workspace.root() / "classroom"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def path() -> Path:
    """The file that is there while this workspace has joined a board."""
    return workspace.root() / "classroom" / "joined.json"


def load() -> Joined | None:
    """Return what was joined, None for nothing. Raises WorkspaceError."""
    data = workspace.read_json(path())
    try:
        return Joined(**{name: str(value) for name, value in data.items()}) if data else None
    except (AttributeError, TypeError):
        raise workspace.WorkspaceError(
            f"{path()} is not as it should be: delete it, and join the board again."
        ) from None


def join(address: str, code: str, *, name: str) -> None:
    """Join the board at ``address``: from now on your checks are told there, and never your code.

    Raises ClassroomError when the board does not let you in, or is not there.
    """
    place = _address(address)
    earlier = load()
    same = earlier is not None and earlier.address == place
    token = earlier.token if earlier and same else names.new_token()
    form = {"code": str(code)[:40], "name": names.clean_name(str(name)), "token": token}
    with client() as http:
        answer = ask(http, place, "join", json=form)
        if answer.status_code == 410:  # removed: as somebody new, if they are let in
            form["token"] = names.new_token()
            answer = ask(http, place, "join", json=form)
    shown = str(_said(answer, "learner"))
    if earlier and not same:
        forget()  # what still waits was for the other board
    folder()
    workspace.write_json_atomic(path(), asdict(Joined(place, shown, form["token"])))
    told = f" There are others of that name: you are {shown}." if shown != form["name"] else ""
    print(
        f"Welcome, {shown}: you are on the board at {place}.{told}\n"
        "It is told which exercise you check, whether it passes, and the message of the check that"
        " fails; never your code. leave() ends that, in a terminal `playground leave`.\n"
        "It shows a run only if you share it: the last one by share(), one while it goes on by"
        " burst(…, share=True); in a terminal `playground share` and `playground run … --share`."
    )


def leave() -> None:
    """Leave the board that was joined: nothing more is told. Raises ClassroomError if none was."""
    joined = joined_or_refuse()
    forget()
    try:
        with client() as http:
            ask(http, joined.address, "leave", token=joined.token)
    except ClassroomError:  # it finds out when nothing more comes
        print(f"You have left; the board at {joined.address} could not be told.")
        return
    print(f"You have left the board at {joined.address}.")


def forget() -> None:
    """Remove all that is known of a board."""
    with workspace.locked():
        path().unlink(missing_ok=True)
        for each in outbox().iterdir():
            each.unlink(missing_ok=True)


def outbox() -> Path:
    """What the board has not acknowledged yet."""
    place = folder() / "outbox"
    place.mkdir(exist_ok=True)
    return place


def joined_or_refuse() -> Joined:
    """Return what was joined. Raises ClassroomError if nothing was."""
    joined = load()
    if joined is None:
        raise ClassroomError("You are on no board: playground join ADDRESS CODE --name NAME.")
    return joined


def client() -> httpx.Client:
    """A client that goes to the board itself: a proxy of the house does not know the room."""
    import httpx

    limits = httpx.Timeout(ANSWER_S, connect=CONNECT_S)
    return httpx.Client(trust_env=False, timeout=limits)


def ask(
    http: httpx.Client, address: str, what: str, *, token: str = "", **more: Any
) -> httpx.Response:
    """Send one request. Raises ClassroomError when no board answers."""
    import httpx

    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        return http.post(f"{address}/{what}", headers=headers, **more)
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        why = str(error) or type(error).__name__
        raise ClassroomError(
            f"No board answers at {address} ({why}): is the address right, the board running, and"
            " this machine in the same network?"
        ) from None


def detail(answer: httpx.Response) -> str:
    """Return the board's sentence about what it refused, in one line."""
    try:
        said = answer.json()["detail"]
    except (ValueError, LookupError, TypeError):
        said = f"It answers {answer.status_code}: is this the address of a board?"
    return " ".join(str(said)[:300].split())


def _said(answer: httpx.Response, field: str) -> Any:
    if answer.is_success:
        try:
            return answer.json()[field]
        except (ValueError, LookupError, TypeError):
            pass
    raise ClassroomError(detail(answer))


def _address(typed: str) -> str:
    """Return "http://host:port" for what somebody typed. Raises ClassroomError."""
    text = str(typed).strip()
    has_scheme = "://" in text
    try:
        parts = urlsplit(text if has_scheme else f"http://{text}")
        port, host = parts.port, parts.hostname
    except ValueError:
        host, port = None, None
    if not host or parts.scheme not in ("http", "https") or re.search(r"\s", text):
        raise ClassroomError(
            f"{typed!r} is no address: type it as the board shows it, such as 192.168.0.10:{PORT}."
        )
    shown = f"[{host}]" if ":" in host else host
    if port is None and not has_scheme:
        port = PORT
    where = f"{shown}:{port}" if port else shown
    return f"{parts.scheme}://{where}{parts.path.rstrip('/')}"
