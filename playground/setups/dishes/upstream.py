"""Another service that the dishes ask: a real HTTP server in a process of its own.

It is started by the first who needs it, listens on a free port of 127.0.0.1, and ends soon after
its owner does. ``python upstream.py FILE PID`` writes the port to FILE, then goes on in the
background as long as the process PID lives; its parent is nobody of the server, so it is counted to
nobody. Standard library only.
"""

import http.server
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

LOOK_S = 0.5  # from one look at its owner to the next
MOST_S = 30.0


class Upstream(http.server.ThreadingHTTPServer):
    """Counts its answers, and reads what it is asked in a thread per connection."""

    request_queue_size = 1024
    served = 0


class Handler(http.server.BaseHTTPRequestHandler):
    """``GET /?s=0.1`` is answered after so many seconds."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave together
    server: Upstream

    def do_GET(self) -> None:
        """Wait, then tell how long that was asked to be, and how many have been answered."""
        asked = parse_qs(urlsplit(self.path).query).get("s", ["0"])[0]
        waited = min(max(float(asked), 0.0), MOST_S)
        time.sleep(waited)
        self.server.served += 1
        body = json.dumps({"waited_s": waited, "served": self.server.served}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the log is the server's."""


def serve(told: Path, owner: int) -> None:
    """Listen, tell the port, and serve in a child as long as ``owner`` lives."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the server, and then this
    with Upstream(("127.0.0.1", 0), Handler) as service:
        told.write_text(str(service.server_address[1]))
        if os.fork():
            return
        threading.Thread(target=service.serve_forever, daemon=True).start()
        while _lives(owner):
            time.sleep(LOOK_S)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
