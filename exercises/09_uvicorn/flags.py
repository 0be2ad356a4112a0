"""Flags for `python -m uvicorn … app:app`: choose them for six objectives.

The list holds the words of the command line as you would type them, without the application, host
and port: `["--log-level", "info"]`, or `["--log-level=info"]`. `python -m uvicorn --help` lists
what there is (Uvicorn 0.54.0).

1. Two processes serve, and one that dies is replaced.
2. The application is plain ASGI. If there is a bug in its lifespan, Uvicorn shall not serve without
   what the lifespan prepares: it shall refuse to start.
3. Each process lets exactly three parties in. A fourth gets a 503 at once. (Every party has a
   connection of its own, and there are no idle ones.)
4. Who is inside when TERM comes has at least one second to finish. After three seconds at the
   latest Uvicorn has ended, also if somebody reads a stream without an end.
5. A request with two Host fields is refused (RFC 9112 §3.2). Not every parser of Uvicorn's does.
6. The proxy in front keeps idle connections for 10 seconds. It must be the one who hangs up: if
   the server does, the proxy may just be sending the next request.

The check reads your words as Uvicorn does, starts it with them, and looks: who serves, who is let
in, what is refused, whether it ends. The number of objective 6 is only read. For 2, 3, 4 and 5 it
watches one process of the kind; the flags are the same.
"""

FLAGS: list[str] = []
