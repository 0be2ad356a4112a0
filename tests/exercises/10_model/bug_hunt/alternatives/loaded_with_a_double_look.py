"""The model is looked for twice, and JSON refuses NaN by itself."""

import json
import threading

import numpy as np


class Refused(Exception):
    """A body that is not as it should be."""


def make_app(load):
    return Service(load)


class Service:
    def __init__(self, load):
        self.load = load
        self.model = None
        self.lock = threading.Lock()

    def __call__(self, environ, start_response):
        try:
            status, told = "200 OK", self.predict(environ)
        except Refused as error:
            status, told = "400 Bad Request", {"error": str(error)}
        except LookupError:
            status, told = "503 Service Unavailable", {"error": "no model"}
        body = json.dumps(told, allow_nan=False).encode("ascii")
        start_response(
            status, [("content-type", "application/json"), ("content-length", f"{len(body)}")]
        )
        return [body]

    def predict(self, environ):
        def no(word):
            raise Refused(word)

        try:
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            asked = json.loads(body, parse_constant=no)
        except ValueError:
            raise Refused("no JSON") from None
        match asked:
            case {"pixels": [a, b, c, d]} if {type(a), type(b), type(c), type(d)} <= {int, float}:
                rows = np.asarray([[a, b, c, d]], dtype="float64")
            case _:
                raise Refused("four numbers")
        if not np.isfinite(rows).all():
            raise Refused("finite numbers")
        if self.model is None:
            with self.lock:
                if self.model is None:
                    try:
                        self.model = self.load()
                    except Exception as error:
                        raise LookupError from error
        labels, sure = self.model.predict(rows)
        sure = sure.tolist()[0]
        return {"digit": labels.tolist()[0], "sure": sure if sure == sure else None}
