"""A small Flask application: forms, files, sessions, streaming, errors."""

import hashlib
from collections.abc import Iterator

from flask import Flask, Response, abort, redirect, request, session, stream_with_context

app = Flask(__name__)
app.secret_key = "for tests only"


@app.get("/")
def index() -> str:
    return f"hello {request.args.get('name', 'nobody')} at {request.host}"


@app.post("/form")
def form() -> dict[str, str]:
    return dict(request.form)


@app.post("/file")
def file() -> dict[str, object]:
    upload = request.files["upload"]
    digest = hashlib.sha256(upload.stream.read()).hexdigest()
    return {"name": upload.filename, "sha256": digest, "note": request.form["note"]}


@app.post("/json")
def json() -> dict[str, object]:
    return {"got": request.get_json()}


@app.get("/stream")
def stream() -> Response:
    def blocks() -> Iterator[str]:
        for number in range(5):
            yield f"{request.path} {number}\n"

    return Response(stream_with_context(blocks()), mimetype="text/plain")


@app.get("/count")
def count() -> str:
    session["count"] = session.get("count", 0) + 1
    return str(session["count"])


@app.get("/away")
def away() -> object:
    return redirect("/?name=redirected")


@app.get("/teapot")
def teapot() -> None:
    abort(418)


@app.get("/fails")
def fails() -> str:
    raise RuntimeError("as the test wanted")


@app.get("/caf\N{LATIN SMALL LETTER E WITH ACUTE}/<name>")
def cafe(name: str) -> str:
    return name
