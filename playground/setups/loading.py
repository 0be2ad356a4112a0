"""Inside a server's process: load the app that the environment names, and wrap it with its tracer.

When that fails, the reason is written where the one who started the server looks for it.
"""

import contextlib
import functools
import importlib
import inspect
import json
import os
import pickle
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playground.trace.sender import Sender

STARTUP = "start-up"
OWN_FRAMES = (
    *("playground/setups/", "playground/trace/", "playground/grading/", "tests/exercises/"),
    *("importlib", "cloudpickle", "<frozen"),
)
LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")})


class Refused(Exception):
    """The app cannot be served; the message is the sentence to show."""


def load_app(announce: bool = True) -> Any:
    """The app of ``PLAYGROUND_APP`` (``file:PATH`` of a pickle, or ``module:attribute``), traced if
    told.

    Leaves files in the folder ``PLAYGROUND_STATE``: ``begun-PID`` at once, ``loaded-PID`` when it
    is imported, ``started-PID`` when its start-up is over (its lifespan's, or else the import), or
    ``failed`` with the reason.
    """
    _leave("begun")
    with reporting():
        app = load(os.environ["PLAYGROUND_APP"])
        interface = check_interface(app, os.environ.get("PLAYGROUND_INTERFACE", ""))
        app = traced(app, interface, announce)
    _leave("loaded")
    if announce and interface == "asgi":
        return Starting(app)
    _leave("started")
    return app


class Starting:
    """An ASGI app that tells when its start-up is over, and why if it failed (ASGI, Lifespan)."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return

        failed = False

        async def told(message: Any) -> None:
            nonlocal failed
            if message["type"] == "lifespan.startup.failed":
                failed = True
                _write_down({**_why(message.get("message")), "when": STARTUP})
            elif message["type"] == "lifespan.startup.complete":
                _leave("started")
            await send(message)

        try:
            await self._app(scope, receive, told)
        finally:
            if not failed:
                _leave("started")  # it has no lifespan, as far as a server can tell


def load(place: str) -> Any:
    """The object at ``file:PATH`` or ``module:attribute``."""
    module, _, attribute = place.partition(":")
    if module == "file":
        return pickle.loads(Path(attribute).read_bytes())
    found: Any = importlib.import_module(module)
    for name in attribute.split("."):
        if not hasattr(found, name):
            raise Refused(f"{module} has no {attribute!r}: check the name after the colon.")
        found = getattr(found, name)
    return found


def interface_of(app: Any) -> str | None:
    """``"asgi"`` for an async callable, ``"wsgi"`` for any other callable, None for no app."""
    if not callable(app):
        return None
    while isinstance(app, functools.partial):
        app = app.func
    call = app if inspect.isroutine(app) or inspect.isclass(app) else type(app).__call__
    return "asgi" if inspect.iscoroutinefunction(call) else "wsgi"


def check_interface(app: Any, wanted: str) -> str:
    """The app's interface. Raises ``Refused`` if it is not ``wanted`` (any if that is empty)."""
    found = interface_of(app)
    if found is None:
        raise Refused(f"{app!r} is not an app: an app is something that can be called (PEP 3333).")
    if wanted and found != wanted:
        raise Refused(wrong_interface(found, wanted))
    return found


def wrong_interface(found: str, wanted: str) -> str:
    """The sentence for an app that speaks the other interface."""
    return (
        f"This app speaks {found.upper()} and the set-up speaks {wanted.upper()}:"
        f" choose a set-up for {found.upper()}, or an app for {wanted.upper()}."
    )


def traced(app: Any, interface: str, announce: bool) -> Any:
    """``app`` with its tracer, if ``PLAYGROUND_TRACE`` names a collector."""
    path = os.environ.get("PLAYGROUND_TRACE")
    if not path:
        return app
    sender, cpu = Sender(path), bool(os.environ.get("PLAYGROUND_CPU"))
    if announce:
        sender.channel().announce("loop" if interface == "asgi" else "thread")
    if interface == "asgi":
        from playground.trace.asgi import TracedASGI

        return TracedASGI(app, sender, cpu)
    from playground.trace.wsgi import TracedWSGI

    return TracedWSGI(app, sender, cpu)


@contextlib.contextmanager
def reporting() -> Iterator[None]:
    """Write down why the body failed, and let the error go on."""
    try:
        yield
    except BaseException as error:
        _write_down({"sentence": str(error)} if isinstance(error, Refused) else shortened(error))
        raise


def shortened(error: BaseException) -> dict[str, Any]:
    """The error and the ``frames`` of the author's own files, as data: where cells of a notebook
    are known, ``traceback_of`` shows their lines too. ``missing`` is the module that was not found.
    """
    told = traceback.TracebackException.from_exception(error)
    kept = [frame for frame in told.stack if not any(part in frame.filename for part in OWN_FRAMES)]
    own = [frame for frame in kept if not frame.filename.startswith(LIBRARIES)]
    frames = [(frame.filename, frame.lineno, frame.name) for frame in own or kept]
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    return {
        "frames": frames,
        "error": "".join(told.format_exception_only()),
        "missing": (missing or "").partition(".")[0],
    }


def _why(message: str | None) -> dict[str, Any]:
    """Frameworks say it in the handler of the app's own exception."""
    error = sys.exception()
    if error is not None:
        return shortened(error)
    return {"frames": [], "error": message or "The app gave no reason."}


def traceback_of(reason: dict[str, Any]) -> str:
    """The text of what ``shortened`` gave."""
    frames = [traceback.FrameSummary(*frame) for frame in reason["frames"]]
    lines = traceback.StackSummary.from_list(frames).format()
    return "".join([*lines, reason["error"]]).rstrip()


def _write_down(reason: dict[str, Any]) -> None:
    part = _state() / f"failed.{os.getpid()}"
    part.write_text(json.dumps(reason))
    part.replace(_state() / "failed")


def _leave(what: str) -> None:
    with contextlib.suppress(FileNotFoundError):  # the one who started the server has gone
        (_state() / f"{what}-{os.getpid()}").touch()


def _state() -> Path:
    return Path(os.environ["PLAYGROUND_STATE"])
