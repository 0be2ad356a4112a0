"""A service around a model that almost works. Five bugs are in it: find and repair them.

A WSGI application (PEP 3333), served by threads. Its author tried it with one request at a time and
with a model that returned Python's numbers. What it promises:

- `make_app(load)` returns the application. `load` is called by the first request that needs the
  model, and once only, however many threads ask at the same moment. If it raises, the answer is 503
  {"error": "no model"}, and the next request tries again.
- POST {"pixels": [four numbers]} → 200 {"digit": 3, "sure": 0.9}. The numbers come from
  `model.predict(rows)`: `rows` is a NumPy array of shape (1, 4); it returns two arrays, one label
  (int64) and one probability (float64) for each row. Several threads may be in `predict` together,
  and no request waits for another one's prediction.
- A probability that is NaN is null in the answer (RFC 8259 has no NaN).
- A body that is no JSON object, has no "pixels", or whose pixels are not a list of exactly four
  numbers (true, NaN and Infinity are none) → 400 with an "error"; the model is not asked.
- Every answer is JSON, with its content-type and content-length.
"""

import json

import numpy as np


def make_app(load):
    models = []
    row = np.empty((1, 4))

    def app(environ, start_response):
        if not models:
            try:
                models.append(load())
            except Exception:
                return answer(start_response, "503 Service Unavailable", {"error": "no model"})
        length = int(environ.get("CONTENT_LENGTH") or 0)
        try:
            asked = json.loads(environ["wsgi.input"].read(length))
            row[0] = asked["pixels"]
        except KeyError:
            return answer(start_response, "400 Bad Request", {"error": "there are no pixels"})
        labels, sure = models[0].predict(row)
        return answer(start_response, "200 OK", {"digit": labels[0], "sure": sure[0]})

    return app


def answer(start_response, status, value):
    body = json.dumps(value).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response(status, headers)
    return [body]
