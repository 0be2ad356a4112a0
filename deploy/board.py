"""The classroom's board as a service of the hub: the hub says who somebody is.

JupyterHub starts this file, as `jupyterhub_config.py` tells it to, and gives it its own token.

    a browser      logs in at the hub (OAuth 2); admins and the group `instructors` may act
    a learner      reports with the token of their server, and has the name that the hub knows
    anybody else   403, before the board hears of it

The board itself is the one of `playground classroom`, unchanged. Behind this door every learner has
a token there that is made of their name, and no use for the code.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import os
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from jupyterhub.services.auth import HubOAuth
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send
from tornado.httputil import url_concat
from tornado.web import HTTPError

from playground.classroom import room
from playground.classroom.app import Board
from playground.classroom.board import open_store
from playground.classroom.store import Store, StoreError, Work
from playground.grading import exercise

GROUP = "instructors"
# POST; everything else is for browsers
OF_LEARNERS = {"join", "report", "leave", "timeline", "frame"}
SUCCESSION_S = 30  # for the board of a hub that was killed, to make room for this one
KNOWN_FOR_S = 60  # a token that the hub has revoked may be believed for so long
LET_IN = "in"  # in the page's address, once it has brought its pass along
UNKNOWN = "The hub does not know this token: stop your server and start it again."
NO_HUB = "The hub does not answer now: try again."

User = dict[str, Any]


class Door:
    """An ASGI application in front of the board's; `prefix` is its path ("/services/board/").

    `secret` makes the learners' tokens, `instructor` is the board's token for its instructor.
    """

    def __init__(
        self, inside: ASGIApp, store: Store, auth: HubOAuth, prefix: str, *, secret: bytes
    ) -> None:
        self.inside, self.store, self.auth, self.prefix = inside, store, auth, prefix
        self.secret = secret
        self.instructor = store.do(room.open_room).result() or (
            store.do(room.new_instructor).result()
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let in whom the hub knows."""
        connection = HTTPConnection(scope)
        what = scope["path"].removeprefix(self.prefix)
        answer: ASGIApp
        try:
            if scope["type"] == "websocket":
                is_known = await self._visitor(connection) is not None
                answer = self.inside if is_known else _hang_up
            elif scope["method"] == "POST" and what in OF_LEARNERS:
                answer = await self._for_learner(connection, what)
            else:
                answer = await self._for_browser(connection, what)
        except HTTPError:
            answer = JSONResponse({"detail": NO_HUB}, 503)
        await answer(scope, receive, send)

    # ---- learners ----

    async def _for_learner(self, connection: HTTPConnection, what: str) -> ASGIApp:
        user = await self._known(connection.headers.get("authorization", "").partition(" ")[2])
        if user is None:
            return JSONResponse({"detail": UNKNOWN}, 403)
        name = str(user["name"])
        digest = hmac.digest(self.secret, name.encode(), "sha256")
        token = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        try:
            joined = {"learner": await self._do(lambda db: room.join(db, name, token))}
        except room.Refused as refused:
            return JSONResponse({"detail": str(refused)}, refused.status)
        return JSONResponse(joined) if what == "join" else _Bearing(self.inside, token)

    # ---- browsers ----

    async def _for_browser(self, connection: HTTPConnection, what: str) -> ASGIApp:
        user = await self._visitor(connection)
        is_page = what == "" and connection.scope["method"] == "GET"
        if user is None:
            return self._login(connection) if is_page else _refused()
        if what == "instructor" and not _is_instructor(user):
            return _refused()
        if is_page and LET_IN not in connection.query_params:
            return RedirectResponse(f"{self.prefix}?{LET_IN}#{await self._pass(user)}")
        return self.inside

    async def _visitor(self, connection: HTTPConnection) -> User | None:
        return await self._known(connection.session.get("token", ""))

    async def _pass(self, user: User) -> str:
        """What the page tells the board first: it comes behind the #, and is in no log."""
        if _is_instructor(user):
            return f"instructor={self.instructor}"
        return f"code={await self._do(lambda db: room.setting(db, 'code'))}"

    def _login(self, connection: HTTPConnection) -> Response:
        verifier, challenge, method = self.auth.generate_pkce_code_challenge()
        state = self.auth.generate_state(self.prefix, code_verifier=verifier)
        connection.session["state"] = state
        asked = {"state": state, "code_challenge": challenge, "code_challenge_method": method}
        return RedirectResponse(url_concat(self.auth.login_url, asked))

    async def logged_in(self, request: Request) -> Response:
        """The hub sends a browser back here, with a code that is worth a token."""
        state = request.session.pop("state", "")
        code = request.query_params.get("code", "")
        if not code or not state or request.query_params.get("state") != state:
            return _refused()
        verifier = self.auth.get_code_verifier(state)
        self.auth.clear_oauth_state(state)
        try:
            token = await self.auth.token_for_code(code, code_verifier=verifier, sync=False)
            if await self._known(token) is None:
                return _refused()
        except HTTPError:
            return PlainTextResponse(NO_HUB, 503)
        request.session["token"] = token
        return RedirectResponse(self.prefix)

    async def _do(self, work: Work[str]) -> str:
        return await asyncio.wrap_future(self.store.do(work))

    # ---- who somebody is ----

    async def _known(self, token: str) -> User | None:
        """The user whose token it is, if the hub lets them use the board. Raises HTTPError."""
        user = await self.auth.user_for_token(token, sync=False) if token else None
        is_user = user is not None and user.get("kind") == "user"
        return user if is_user and self.auth.check_scopes(self.auth.access_scopes, user) else None


class _Bearing:
    """The board, asked with another token than the one that came."""

    def __init__(self, inside: ASGIApp, token: str) -> None:
        self.inside, self.header = inside, (b"authorization", f"Bearer {token}".encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        others = [pair for pair in scope["headers"] if pair[0] != b"authorization"]
        await self.inside({**scope, "headers": [*others, self.header]}, receive, send)


def _is_instructor(user: User) -> bool:
    return bool(user.get("admin")) or GROUP in user.get("groups", [])


def _refused() -> Response:
    return JSONResponse({"detail": "The hub does not let you do this here."}, 403)


async def _hang_up(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "websocket.close", "code": 1008})


def main(folder: Path) -> None:
    """Serve the board until the hub ends it."""
    url, prefix = (
        urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"]),
        os.environ["JUPYTERHUB_SERVICE_PREFIX"],
    )
    store = _open(folder)
    board = Board(store, exercise.load(), [], lambda: signal.raise_signal(signal.SIGTERM))
    auth = HubOAuth(cache_max_age=KNOWN_FOR_S)
    door = Door(board.app, store, auth, prefix, secret=_secret(folder / "secret"))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        watching = asyncio.create_task(_end_with(os.getppid()))
        async with board.app.router.lifespan_context(board.app):
            yield
        watching.cancel()
        store.close()

    sessions = Middleware(
        SessionMiddleware,
        secret_key=secrets.token_hex(32),  # who was logged in is asked again after a new start
        session_cookie="board",
        path=prefix,
        https_only=os.environ.get("JUPYTERHUB_PUBLIC_URL", "").startswith("https:"),
    )
    routes = [
        Route(f"{prefix}oauth_callback", door.logged_in),
        Mount(prefix.rstrip("/"), app=door),
    ]
    app = Starlette(routes=routes, lifespan=lifespan, middleware=[sessions])
    uvicorn.run(
        app,
        host=url.hostname or "127.0.0.1",
        port=url.port or 80,
        log_level="warning",
        access_log=False,
        server_header=False,
        ws_per_message_deflate=False,  # the Python proxy hands on the wish, and not what follows
        ws_max_size=4096,  # pages say one short sentence
        timeout_graceful_shutdown=2,
    )


def _open(folder: Path) -> Store:
    for _ in range(SUCCESSION_S):
        try:
            return open_store(folder)
        except StoreError:
            time.sleep(1)
    return open_store(folder)


async def _end_with(hub: int) -> None:
    """End when the hub was killed: its next one starts a board of its own."""
    while os.getppid() == hub:
        await asyncio.sleep(1)
    signal.raise_signal(signal.SIGTERM)


def _secret(path: Path) -> bytes:
    """Return what is in the file, made at the first start."""
    if not path.exists():
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(secrets.token_bytes(32))
    return path.read_bytes()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
