"""`playground app`: the panel as a web page of its own, served by Voilà on this machine only.

Each page has a kernel of its own, which ends with it. The page comes from this machine entirely:
its template (in `page/`) is Voilà's without the fonts that one fetches from another host.
"""

from __future__ import annotations

import os
import secrets
import socket
import webbrowser
from pathlib import Path
from typing import Any, NoReturn

from playground import workspace
from playground.ending import end_on_signals
from playground.errors import Told
from playground.lab import environment, has_graphical_browser, kernels
from playground.panel.board import Panel, panel

PAGE = Path(__file__).with_name("page")
FIRST_PORT = 8866
FOLDER = "PLAYGROUND_FOLDER"  # where the command was given
# What Voilà tells a kernel about the request for its page, as CGI does. Servers must not see that:
# Gunicorn takes SCRIPT_NAME for the place where the app is mounted.
CGI = (
    *("SCRIPT_NAME", "PATH_INFO", "QUERY_STRING"),
    *("SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "SERVER_SOFTWARE"),
)
IDLE_S = 600  # until the kernel of a page that is gone ends, if its browser did not say goodbye


class AppError(Told):
    """The page cannot be served; the message is a sentence that says what to do."""


def run(port: int = FIRST_PORT, *, browser: bool = True, theme: str = "light") -> None:
    """Serve the panel, print its address, and return after Ctrl-C.

    A busy `port` is left alone and another one is taken. Raises AppError without Voilà.
    """
    os.environ.update(environment(workspace.root()))
    os.environ["JUPYTER_PATH"] = str(PAGE)
    for name in ("JUPYTER_CONFIG_PATH", "JUPYTER_NO_CONFIG"):
        os.environ.pop(name, None)
    # an app of one's own lies in the current folder
    os.environ[FOLDER] = os.getcwd()
    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, [os.getcwd(), os.environ.get("PYTHONPATH")])
    )
    print("Starting …", flush=True)
    try:
        from voila.app import Voila
        from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler
    except ImportError as error:
        raise AppError(
            f"The page needs {error.name}, which is not installed here: run `make lab` once."
        ) from None

    opens = browser and has_graphical_browser()

    class Goodbye(VoilaShutdownKernelHandler):
        """A page that is closed ends its kernel: only it knows the kernel's name."""

        def check_xsrf_cookie(self) -> None:
            """A browser says this as it goes, by a beacon, which has no place for a token."""

    class App(Voila):
        """Tells where it is, in the course's words."""

        def init_handlers(self) -> list[Any]:
            """As Voilà has them, but a page that goes is heard."""
            handlers = [list(one) for one in super().init_handlers()]
            for one in handlers:
                one[1] = Goodbye if one[1] is VoilaShutdownKernelHandler else one[1]
            return [tuple(one) for one in handlers]

        def launch_browser(self) -> None:
            """It listens now."""
            if port not in (0, self.port):
                print(f"Port {port} is taken: this is {self.port}.")
            address = f"http://127.0.0.1:{self.port}/?token={token}"
            print(f"\n  The panel is at  {address}\n  Ctrl-C ends it.\n", flush=True)
            if opens:
                webbrowser.open(address)

    token = secrets.token_hex(24)
    app = App(config=_config(port or _free_port(), token, theme))
    app.initialize([])
    end_on_signals(_interrupt)
    app.start()


def _interrupt() -> NoReturn:
    """What ends Voilà, whether or not its loop runs yet."""
    raise KeyboardInterrupt


def page() -> Panel:
    """What the page shows."""
    for name in CGI:
        os.environ.pop(name, None)
    if FOLDER in os.environ:  # Voilà has its own idea of a current folder
        os.chdir(os.environ[FOLDER])
    return panel()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _config(port: int, token: str, theme: str) -> Any:
    from traitlets.config import Config

    return Config(
        {
            "Voila": {
                "ip": "127.0.0.1",
                "port": port,
                "notebook_path": str(PAGE / "panel.ipynb"),
                "token": token,
                "open_browser": True,  # our own words are told there
                "config_file_paths": [],
                "log_level": "ERROR",
                # On one machine a connection that is gone is heard of; and a time limit for pongs
                # that is no longer than the time between pings would end each after 30 s.
                "tornado_settings": {"ws_ping_interval": 0},
            },
            "VoilaConfiguration": {"template": "playground", "theme": theme},
            "MappingKernelManager": {
                "cull_idle_timeout": IDLE_S,
                "cull_interval": 60,
                "default_kernel_name": "python3",
            },
            **kernels(),
        }
    )
