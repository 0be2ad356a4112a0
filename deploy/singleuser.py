"""One learner's server: brings the workspace up to date, then becomes `jupyterhub-singleuser`.

It runs as the learner, where the learner's files are, and so does the same under every spawner.
Without PLAYGROUND_WORKSPACE the workspace is `course/` in the learner's home folder. What the
learner has changed there stays, as it does with `playground lab`.
"""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path

from playground import lab, workspace
from playground.classroom import membership
from playground.classroom.membership import Joined
from playground.errors import Told

CONFIG = Path(__file__).with_name("jupyter_server_config.py")


def main(arguments: list[str]) -> None:
    """Prepare the workspace, and replace this process by the learner's server."""
    os.environ.setdefault("PLAYGROUND_WORKSPACE", str(Path.home() / "course"))
    try:
        sentence = workspace.prepare().sentence()
        join_board()
    except Told as error:
        sys.exit(f"playground: {error}")
    if sentence:
        print(sentence)
    os.environ.update(lab.environment(workspace.root()))
    os.chdir(workspace.root())
    command = [sys.executable, "-m", "jupyterhub.singleuser", f"--config={CONFIG}", *arguments]
    os.execv(sys.executable, command)


def join_board() -> None:
    """Where the hub has a board: tell it what checks come to, with the token of this server.

    The token is a new one at every start. `playground leave` ends it until then.
    """
    if address := os.environ.get("PLAYGROUND_BOARD"):
        name, token = os.environ["JUPYTERHUB_USER"], os.environ["JUPYTERHUB_API_TOKEN"]
        membership.folder()
        workspace.write_json_atomic(membership.path(), asdict(Joined(address, name, token)))


if __name__ == "__main__":
    main(sys.argv[1:])
