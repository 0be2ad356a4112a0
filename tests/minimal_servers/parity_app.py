"""The same echo for WSGI and ASGI, so that one can compare what an application is told."""

import json
import sys
from typing import Any


def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    body = environ["wsgi.input"].read()
    seen = {
        "method": environ["REQUEST_METHOD"],
        "path": environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace"),
        "query": environ["QUERY_STRING"],
        "host": environ.get("HTTP_HOST", ""),
        "x": environ.get("HTTP_X", ""),
        "type": environ.get("CONTENT_TYPE") or "",
        "body": body.decode("latin-1"),
    }
    answer = json.dumps(seen).encode()
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]


async def asgi(scope: dict[str, Any], receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    fields: dict[bytes, list[str]] = {}
    for name, value in scope["headers"]:
        fields.setdefault(name, []).append(value.decode("latin-1"))
    seen = {
        "method": scope["method"],
        "path": scope["path"],
        "query": scope["query_string"].decode("latin-1"),
        "host": ",".join(fields.get(b"host", [])),
        "x": ",".join(fields.get(b"x", [])),
        "type": ",".join(fields.get(b"content-type", [])),
        "body": body.decode("latin-1"),
    }
    answer = json.dumps(seen).encode()
    head = [(b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": answer})


if __name__ == "__main__":  # waitress has no command line option for an inherited socket
    import socket

    import waitress

    waitress.serve(app, sockets=[socket.socket(fileno=int(sys.argv[1]))], threads=1)
