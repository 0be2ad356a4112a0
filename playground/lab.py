"""`playground lab`: JupyterLab on the learner's workspace, quiet and on this machine only.

Everything that Jupyter would read from or write to the home directory is moved into
`workspace/.jupyter/`, so that neither an old kernel nor an old setting of the learner's own
Jupyter can get in the way, and nothing of theirs is changed. The settings that the course ships
(no news, no update check, no build prompt, widgets saved with the notebook) are in `lab_config/`.
"""

from __future__ import annotations

import os
import secrets
import sys
import webbrowser
from pathlib import Path
from typing import Any

from playground import workspace
from playground.ending import end_on_signals
from playground.errors import Told

CONFIG = Path(__file__).with_name("lab_config")
FIRST_PORT = 8888
TEXT_BROWSERS = {"browsh", "elinks", "links", "links2", "lynx", "w3m", "www-browser"}


class LabError(Told):
    """JupyterLab cannot start; the message is a sentence that says what to do."""


def run(chapter: str = "00", *, port: int = FIRST_PORT, browser: bool = True) -> None:
    """Prepare the workspace, open JupyterLab at `chapter`, and return after Ctrl-C.

    A busy `port` is left alone and the next free one is taken. Without a graphical browser, or
    with `browser=False`, the address is only printed.

    Raises WorkspaceError, or LabError when there is no such chapter.
    """
    report = workspace.prepare()
    if sentence := report.sentence():
        print(sentence)
    page = _page(chapter)
    os.environ.update(environment(workspace.root()))
    for name in ("JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "JUPYTER_NO_CONFIG"):
        os.environ.pop(name, None)

    print("Starting JupyterLab …", flush=True)
    from jupyterlab.labapp import LabApp  # it reads the environment when it is imported

    opens = browser and has_graphical_browser()
    token = secrets.token_hex(24)
    server = LabApp.initialize_server(argv=[], config=_config(port, page, token, opens))
    if not server.http_server:
        raise LabError(
            f"No port from {port} to {port + 50} is free: choose one with --port (0 takes any)."
        )
    end_on_signals(lambda: server.stop(from_signal=True))
    if port not in (0, server.port):
        print(f"Port {port} is taken: this is {server.port}.")
    address = f"http://127.0.0.1:{server.port}{page}?token={token}"
    print(f"\n  The course is at  {address}\n  Ctrl-C ends it.\n", flush=True)
    server.start()


def environment(root: Path) -> dict[str, str]:
    """Return the variables that keep Jupyter, IPython and their files inside of the workspace."""
    private = root / ".jupyter"
    bin_folder = Path(sys.executable).parent
    return {
        "JUPYTER_CONFIG_DIR": str(private / "config"),
        "JUPYTER_DATA_DIR": str(private / "data"),
        "JUPYTER_RUNTIME_DIR": str(private / "runtime"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTERLAB_SETTINGS_DIR": str(private / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(private / "layouts"),
        "IPYTHONDIR": str(private / "ipython"),
        "PATH": f"{bin_folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PLAYGROUND_WORKSPACE": str(root),
    }


def has_graphical_browser() -> bool:
    """Tell whether opening a page would show a window (and not take over the terminal)."""
    has_screen = sys.platform == "darwin" or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME")
    )
    if not has_screen:
        return False
    try:
        found = webbrowser.get()
    except webbrowser.Error:
        return False
    return Path(getattr(found, "name", "")).name not in TEXT_BROWSERS


def _page(chapter: str) -> str:
    """Return the lab's path of a chapter's notebook."""
    folder = workspace.root() / "notebooks"
    name = chapter.zfill(2) if chapter.isdigit() else chapter.removesuffix(".ipynb")
    for path in sorted(folder.glob("*.ipynb")):
        if path.stem == name or path.stem.startswith(f"{name}_"):
            return f"/lab/tree/notebooks/{path.name}"
    known = ", ".join(sorted(path.stem for path in folder.glob("*.ipynb"))) or "none yet"
    raise LabError(f"There is no chapter {chapter!r}: the chapters are {known}.")


def kernels() -> dict[str, Any]:
    """Return the settings of kernels: those of this environment, which nobody else hears."""
    import zmq

    return {
        "KernelSpecManager": {"allowed_kernelspecs": {"python3"}},
        "KernelManager": {"transport_encryption": "auto" if zmq.has("curve") else "disabled"},
    }


def settings(page: str) -> dict[str, Any]:
    """Return Jupyter's settings for the course wherever it runs: here, or on a JupyterHub.

    `page` is the address below the server's own at which it opens, such as "/lab".
    """
    from jupyterlab.handlers.announcements import NeverCheckForUpdate

    return {
        "ServerApp": {
            "root_dir": str(workspace.root()),
            "allow_root": os.geteuid() == 0,
            "log_level": "ERROR",
            # It would start npm to look for language servers, which the course does not use.
            "jpserver_extensions": {"jupyter_lsp": False},
        },
        "LabApp": {
            "log_level": "ERROR",
            "default_url": page,
            "app_settings_dir": str(CONFIG),
            "news_url": None,
            "check_for_updates_class": NeverCheckForUpdate,
            "extension_manager": "readonly",
        },
        **kernels(),
    }


def _config(port: int, page: str, token: str, opens_browser: bool) -> Any:
    from traitlets.config import Config

    config = Config(settings(page))
    config.ServerApp.update(
        {
            "ip": "127.0.0.1",
            "port": port,
            "open_browser": opens_browser,
            # Sandboxed browsers (snap, flatpak) cannot read a redirect file in a hidden folder.
            "use_redirect_file": False,
            "answer_yes": True,  # Ctrl-C ends it at once
        }
    )
    config.IdentityProvider.token = token
    return config
