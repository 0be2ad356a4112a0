"""JupyterHub for a room: one machine, every learner with a server and a workspace of their own.

    jupyterhub -f deploy/jupyterhub_config.py

Environment variables:

    PLAYGROUND_HUB_FOLDER       where everything is kept, learners' files too (default: ./hub)
    PLAYGROUND_HUB_PORT         the hub's address is 127.0.0.1 and this port (default: 8000);
                                the three ports above it serve the hub's own parts
    PLAYGROUND_HUB_INSTRUCTORS  names, separated by spaces (default: instructor)

deploy/README.md tells what to change for more than a trial: TLS, OAuth, spawners, Kubernetes.
"""

import json
import os
import secrets
import sys
from pathlib import Path

c = get_config()  # noqa: F821 - JupyterHub runs this file, and gives it this function

DEPLOY = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
FOLDER = Path(os.environ.get("PLAYGROUND_HUB_FOLDER", "hub")).resolve()
PORT = int(os.environ.get("PLAYGROUND_HUB_PORT", "8000"))
INSTRUCTORS = os.environ.get("PLAYGROUND_HUB_INSTRUCTORS", "instructor").split()


def passwords() -> dict[str, str]:
    """Return the room's two passwords, made at the first start and kept in the hub's folder."""
    path = FOLDER / "passwords.json"
    if not path.exists():
        FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = {"learners": secrets.token_urlsafe(9), "instructors": secrets.token_urlsafe(32)}
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            json.dump(made, stream, indent=2)
    return json.loads(path.read_text())


# Addresses: the proxy alone is public, and it is on this machine only until you say otherwise.
c.JupyterHub.bind_url = f"http://127.0.0.1:{PORT}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{PORT + 1}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{PORT + 2}"
# The proxy from the package index, in Python: it needs no Node. It hands on whole replies only, so
# that the page that waits for a server is one, and gives up on them after 20 s unless told so.
c.ConfigurableHTTPProxy.command = [str(BIN / "configurable-http-proxy"), "--proxy-timeout=600000"]

# What the hub keeps.
PASSWORDS = passwords()
c.JupyterHub.db_url = f"sqlite:///{FOLDER}/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = str(FOLDER / "cookie_secret")
c.ConfigurableHTTPProxy.pid_file = str(FOLDER / "proxy.pid")

# Who may come in: whoever knows the room's password, under any name. OAuth: see README.md.
c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = PASSWORDS["learners"]
c.SharedPasswordAuthenticator.admin_password = PASSWORDS["instructors"]
c.Authenticator.admin_users = set(INSTRUCTORS)
c.Authenticator.allow_all = True
c.Authenticator.username_pattern = r"[a-z][a-z0-9_-]{0,31}\Z"  # it becomes a folder's name

# Every learner's server: `singleuser.py` makes the workspace, in a home folder of the hub's.
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = f"{FOLDER}/homes/{{username}}"
c.Spawner.cmd = [sys.executable, str(DEPLOY / "singleuser.py")]
c.Spawner.default_url = "/lab/tree/notebooks/00_welcome.ipynb"
c.Spawner.start_timeout = 120  # seconds: thirty servers that start at once share the processors
c.Spawner.http_timeout = 120
c.JupyterHub.concurrent_spawn_limit = 10

# The board: the hub starts it, knows who reports to it, and who may act on it (admins, and the
# group `instructors`). Servers tell it what checks come to: see singleuser.py.
BOARD = f"http://127.0.0.1:{PORT + 3}"
USES_BOARD = "access:services!service=board"
c.JupyterHub.services = [
    {
        "name": "board",
        "url": BOARD,
        "command": [sys.executable, str(DEPLOY / "board.py"), str(FOLDER / "board")],
        "oauth_no_confirm": True,
        "timeout": 120,  # seconds to start
    }
]
c.JupyterHub.load_roles = [{"name": "user", "scopes": ["self", USES_BOARD]}]
c.Spawner.server_token_scopes = ["users:activity!user", "access:servers!server", USES_BOARD]
c.Spawner.environment = {"PLAYGROUND_BOARD": f"{BOARD}/services/board"}
