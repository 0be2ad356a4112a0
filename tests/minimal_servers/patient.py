"""``python -m minimal_servers …`` that waits an hour for clients who are slow or silent.

A busy machine may stop a test for seconds, between two of its requests as anywhere else. What the
server does to those who are late is told in the tests of its deadlines. In the environment,
``BODY`` is how long it waits for the rest of a body, and ``LINGER`` how long it listens to a client
that has been refused, in seconds.
"""

import os
import sys

from minimal_servers import connection

HOUR = 3600.0
connection.HEAD_SECONDS = connection.SEND_SECONDS = HOUR
connection.BODY_SECONDS = float(os.environ.get("BODY", HOUR))

from minimal_servers import threads  # noqa: E402 - it takes over what is set above

threads.IDLE_SECONDS = HOUR
threads.LINGER_SECONDS = float(os.environ.get("LINGER", threads.LINGER_SECONDS))

from minimal_servers.__main__ import main  # noqa: E402 - the same

if __name__ == "__main__":
    sys.exit(main())
