"""The board as a web application: learners report to it, and pages show it live.

    POST join                a code, a name, a token of one's own → the name that is shown
    POST report, leave       with the learner's token
    POST timeline?age_s=&run=  a trace, with the learner's token
    POST frame?age_s=&run=   what is known of a run that goes on, again and again; nothing: no more
    POST instructor          an action, with the instructor's token
    GET  /                   the page; it shows nothing before `live` has let it in
    WS   live                first message: the code, or the instructor's token; then all there is
                             to show, whenever it changes
    GET  timeline/NAME…      drawings, under names that only `live` tells; of a run that goes on its
                             latest message, which the document at `follower` draws

A tab that slept gets everything with the next message, since every message is everything.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import ipaddress
import json
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from fastapi import FastAPI, HTTPException, Query, Request, WebSocket, WebSocketDisconnect
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.requests import HTTPConnection

from playground.classroom import frame, names, room
from playground.classroom.drawing import draw
from playground.classroom.going import AllGoing
from playground.classroom.guarding import FOLLOWER, PLAYER_POLICY, POLICY, Guard
from playground.classroom.guesses import Buckets, Guesses
from playground.classroom.messages import AT_ONCE, Action, Join, Reports
from playground.classroom.room import Drawn, Refused
from playground.classroom.store import Store
from playground.grading.exercise import Exercise
from playground.views import follower

T = TypeVar("T")
RunId = Annotated[str, Query(pattern="^([0-9a-f]{32})?$")]

KIB = 1024
FRAME_KIB = 128  # a message of a run counts as so much at least
PAGE = Path(__file__).with_name("page")
AT_MOST_S = 0.5  # between two messages to a page
BEAT_S = 5.0  # a page that hears nothing for some of these knows that it has lost the board
HELLO_S = 10.0  # for a page to say who it is
GOODBYE_S = 5.0  # for all pages to hear that the board has ended
MOST_PAGES = 300
WRONG_CODE = "This is not the board's code: type it as the board shows it."
# of a WebSocket
WRONG, WAIT, ENDED, FULL = 4401, 4429, 4410, 4408


class Board:
    """One room's board: ``app`` is the ASGI application.

    ``addresses`` are those at which learners reach it. ``on_end`` is called when the instructor has
    ended it.
    """

    def __init__(
        self,
        store: Store,
        catalogue: Iterable[Exercise],
        addresses: list[str],
        on_end: Callable[[], None],
    ) -> None:
        self.store = store
        self.titles = {each.id: each.title for each in catalogue}
        self.addresses = addresses
        self.on_end = on_end
        self._guesses = Guesses()
        self._reports = Buckets(2 * AT_ONCE, 2.0)
        self._shares = Buckets(5, 0.2)
        self._frames = Buckets(5 * KIB, 0.5 * KIB)
        self._going = AllGoing()
        self._one = asyncio.Semaphore(1)  # message at a time is looked through
        self._pages = 0
        self._ended = self._complained = False
        self._changed = asyncio.Event()
        self._news = asyncio.Condition()
        self._goodbye: asyncio.Task[None] | None = None
        self._number, self._latest, self._code = 0, "", ""
        self.app = self._application()

    def _application(self) -> FastAPI:
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=self._lifespan)
        app.add_middleware(Guard)
        app.add_exception_handler(Refused, _say)
        app.add_exception_handler(RequestValidationError, _say_malformed)
        app.add_exception_handler(sqlite3.Error, self._say_unkept)
        app.post("/join")(self.join)
        app.post("/report")(self.report)
        app.post("/leave")(self.leave)
        app.post("/timeline")(self.share)
        app.post("/frame")(self.follow)
        app.post("/instructor")(self.instructor)
        app.get("/timeline/{name}")(self.player)
        app.get("/timeline/{name}/{theme}.svg")(self.still)
        app.get("/timeline/{name}/frame")(self.latest)
        app.get("/follower")(self.following)
        app.websocket("/live")(self.live)
        app.get("/")(self.page)
        app.mount("/page", StaticFiles(directory=PAGE))
        return app

    # ---- learners ----

    async def join(self, form: Join, request: Request) -> dict[str, str]:
        """Let a learner in."""
        if wait_s := self._guesses.wait_s(address := _address(request)):
            raise _later(wait_s, "Too many wrong codes came from your address")
        if not self._is_code(form.code, address):
            raise Refused(403, WRONG_CODE)
        shown = await self._change(lambda db: room.join(db, form.name, form.token))
        return {"learner": shown}

    async def report(self, form: Reports, request: Request) -> dict[str, int]:
        """Keep reports; those of exercises that this course does not have are passed over."""
        token = _bearer(request)
        if wait_s := self._reports.take(names.hashed(token), len(form.reports)):
            raise _later(wait_s, "These are more reports than one learner can make")
        known = [each for each in form.reports if each.exercise in self.titles]
        return {"new": await self._change(lambda db: room.keep(db, token, known))}

    async def leave(self, request: Request) -> dict[str, bool]:
        """Let a learner go."""
        token = _bearer(request)
        await self._change(lambda db: room.leave(db, token))
        return {"left": True}

    async def share(self, request: Request, age_s: float = 0.0, run: RunId = "") -> dict[str, str]:
        """Draw a learner's trace, and show it; of a ``run`` that was followed, in its place."""
        token = _bearer(request)
        who = await self._do(lambda db: room.learner(db, token)["id"])
        if self._going.is_over(who, run):
            return {"shared": ""}  # the learner has not heard that it was kept
        if wait_s := self._shares.take(names.hashed(token)):
            raise _later(wait_s, "These are more timelines than one learner can share")
        trace = await request.body()
        name = self._going.end(who, run)
        try:
            made = await draw(trace, "still")
            drawn = Drawn(made["title"], trace, made["light"], made["dark"])
            await self._change(lambda db: room.share(db, token, drawn, age_s, name))
        except BaseException:
            self._going.go_on(who, run)
            raise
        self._going.over(who, run)
        return {"shared": drawn.title}

    async def follow(
        self, request: Request, run: RunId, age_s: float = 0.0, begins: bool = False
    ) -> dict[str, bool]:
        """Show what is known of a learner's run by now."""
        token = _bearer(request)
        who = await self._do(lambda db: room.learner(db, token)["id"])
        self._going.check(who, run, begins=begins)
        message = await request.body()
        if wait_s := self._frames.take(names.hashed(token), max(FRAME_KIB, len(message) // KIB)):
            raise _later(wait_s, "This is more of a run than is shown")
        if message:
            async with self._one:
                looked = await asyncio.to_thread(frame.read, message)
            self._going.take(who, run, looked, room.plain_age(age_s), begins=begins)
        else:
            self._going.over(who, run)
        self._changed.set()
        return {"shown": bool(message)}

    # ---- the instructor ----

    async def instructor(self, form: Action, request: Request) -> dict[str, bool]:
        """Do what the instructor wants."""
        token = _bearer(request)
        if not await self._do(lambda db: room.is_instructor(db, token)):
            raise Refused(401, "This needs the instructor's token.")
        await self._change(lambda db: room.act(db, form.action, form.learner))
        self._ended = self._ended or form.action == "end"
        await self._look()  # the next guess is compared with the new code
        if self._ended and self._goodbye is None:
            self._goodbye = asyncio.create_task(self._end())
        return {"done": True}

    async def _end(self) -> None:
        """Once the pages have been told, or do not listen."""
        deadline = time.monotonic() + GOODBYE_S
        while self._pages and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        self.on_end()

    # ---- pages ----

    async def page(self) -> Response:
        """The page itself, which holds nothing of the room."""
        return FileResponse(PAGE / "board.html")

    async def still(self, name: str, theme: Literal["light", "dark"]) -> Response:
        """A timeline as SVG, which runs no script wherever it is shown."""
        found = await self._do(lambda db: room.timeline(db, name))
        headers = {"Content-Security-Policy": f"{POLICY}; sandbox"}
        return Response(
            found.light if theme == "light" else found.dark, 200, headers, "image/svg+xml"
        )

    async def player(self, name: str) -> Response:
        """A timeline to play, as a document that is alone in its origin."""
        found = await self._do(lambda db: room.timeline(db, name))
        made = await draw(found.trace, "page")
        headers = {"Content-Security-Policy": PLAYER_POLICY}
        return Response(made["page"], 200, headers, "text/html")

    async def latest(self, name: str) -> Response:
        """What is known of a run that goes on, as ``follower`` draws it."""
        going = self._going.find(name)
        return Response(going.frame.packed(going.number), media_type="application/octet-stream")

    async def following(self) -> Response:
        """A document that draws what the page hands it, alone in its origin."""
        return Response(follower.page(), 200, FOLLOWER, "text/html")

    async def live(self, socket: WebSocket) -> None:
        """Show everything to a page, again and again."""
        await socket.accept()
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # it has gone meanwhile
            await self._show(socket)

    async def _show(self, socket: WebSocket) -> None:
        try:
            said = json.loads(await asyncio.wait_for(socket.receive_text(), HELLO_S))
            is_instructor, code = "instructor" in said, str(said.get("code", ""))
            token = str(said.get("instructor", ""))
        except (ValueError, KeyError, AttributeError, TimeoutError, TypeError):
            await socket.close(WRONG)
            return
        if refusal := await self._refusal(_address(socket), None if is_instructor else code, token):
            await socket.close(refusal)
            return
        if self._pages >= MOST_PAGES:
            await socket.close(FULL)
            return
        about = {"instructor": is_instructor, "beat_s": BEAT_S}
        await socket.send_json(
            {**about, "addresses": self.addresses, "titles": self.titles}  # in the course's order
        )
        seen = self._number
        await socket.send_text(json.dumps(await self._state()))
        gone = asyncio.create_task(socket.receive())  # a page says nothing more, but it may go
        self._pages += 1
        try:
            await self._keep_telling(socket, seen, None if is_instructor else code, gone)
        finally:
            self._pages -= 1
            gone.cancel()

    async def _refusal(self, address: str, code: str | None, token: str) -> int:
        """Why a page is not let in, as a code of a WebSocket; 0: it is."""
        if code is None:
            return 0 if await self._do(lambda db: room.is_instructor(db, token)) else WRONG
        if self._guesses.wait_s(address):
            return WAIT
        return 0 if self._is_code(code, address) else WRONG

    def _is_code(self, typed: str, address: str) -> bool:
        """Compare at once, so that no other guess comes in between; count it if it is wrong."""
        plain = names.plain_code(typed).encode("utf-8", "replace")
        if is_right := hmac.compare_digest(plain, self._code.encode()):
            return is_right
        self._guesses.wrong(address)
        return False

    async def _keep_telling(
        self, socket: WebSocket, seen: int, code: str | None, gone: asyncio.Task[Any]
    ) -> None:
        while not gone.done():
            if code is not None and names.plain_code(code) != self._code:  # there is a new one
                await socket.close(WRONG)
                return
            if self._number > seen:
                seen = self._number
                await socket.send_text(self._latest)
            if self._ended:
                await socket.close(ENDED)
                return
            news = asyncio.create_task(self._next(seen))
            await asyncio.wait({news, gone}, return_when=asyncio.FIRST_COMPLETED)
            news.cancel()

    async def _next(self, seen: int) -> None:
        async with self._news:
            await self._news.wait_for(lambda: self._number > seen)

    # ---- telling all pages ----

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        await self._look()
        telling = asyncio.create_task(self._keep_looking())
        yield
        telling.cancel()

    async def _keep_looking(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                wait_s = min(BEAT_S, self._going.change_s())
                await asyncio.wait_for(self._changed.wait(), wait_s)
            self._changed.clear()
            try:
                await self._look()
            except sqlite3.Error as error:
                print(f"playground: The board cannot be read ({error}).", file=sys.stderr)
            await asyncio.sleep(AT_MOST_S)

    async def _look(self) -> None:
        state = await self._state()
        async with self._news:
            self._latest = json.dumps(state)
            self._code = state["code"]
            self._number += 1
            self._news.notify_all()

    async def _state(self) -> dict[str, Any]:
        """All that there is to show; a run that goes on stands for its learner's timeline."""
        before = self._going.all()  # what ends meanwhile is kept by then
        state = await self._do(room.state)
        here = {each["id"]: each["name"] for each in state["learners"]}
        going = self._going.shown(before, here)
        busy = {each["learner"] for each in going}
        kept = [each for each in state["timelines"] if each["learner"] not in busy]
        return {**state, "timelines": [*going, *kept]}

    # ---- the store ----

    async def _say_unkept(self, request: Request, error: Exception) -> Response:
        """Nobody is told that it was kept; it is asked for again. The instructor is told once."""
        if not self._complained:
            print(f"playground: The board cannot keep what comes ({error}).", file=sys.stderr)
        self._complained = True
        return JSONResponse({"detail": "The board cannot keep this now: try again."}, 503)

    async def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.wrap_future(self.store.do(work))

    async def _change(self, work: Callable[[sqlite3.Connection], T]) -> T:
        result = await self._do(work)
        self._complained = False
        self._changed.set()
        return result


def _address(connection: HTTPConnection) -> str:
    """Whose guesses count together: an address; for IPv6 the network that one customer has."""
    host = connection.client.host if connection.client else ""
    with contextlib.suppress(ValueError):
        if (address := ipaddress.ip_address(host.partition("%")[0])).version == 6:
            return str(ipaddress.ip_network((address, 64), strict=False))
    return host


def _bearer(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise Refused(401, "This needs a token: join the board first.")
    return token


def _later(wait_s: float, why: str) -> HTTPException:
    seconds = int(wait_s) + 1
    return HTTPException(429, f"{why}: wait {seconds} s.", {"Retry-After": str(seconds)})


async def _say(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return JSONResponse({"detail": str(error)}, error.status)


async def _say_malformed(request: Request, error: Exception) -> Response:
    """Without what was sent: it need not be text."""
    assert isinstance(error, RequestValidationError)
    where = {str(part) for each in error.errors() for part in each["loc"] if part != "body"}
    named = ", ".join(sorted(part for part in where if part.isidentifier())[:5])
    return JSONResponse({"detail": f"The board does not understand this ({named})."}, 422)
