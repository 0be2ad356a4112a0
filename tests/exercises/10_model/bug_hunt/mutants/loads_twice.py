# No lock around the look and the loading.
# Message: load was called 2 times

"""A service around a model, repaired."""

import json
import math

import numpy as np


def make_app(load):
    models = []

    def the_model():
        if not models:
            models.append(load())
        return models[0]

    def app(environ, start_response):
        length = int(environ.get("CONTENT_LENGTH") or 0)
        pixels = pixels_of(environ["wsgi.input"].read(length))
        if pixels is None:
            return answer(start_response, "400 Bad Request", {"error": "four numbers, please"})
        try:
            model = the_model()
        except Exception:
            return answer(start_response, "503 Service Unavailable", {"error": "no model"})
        labels, sure = model.predict(np.array([pixels], dtype=float))
        found = float(sure[0])
        told = {"digit": int(labels[0]), "sure": None if math.isnan(found) else found}
        return answer(start_response, "200 OK", told)

    return app


def pixels_of(body):
    try:
        asked = json.loads(body)
    except ValueError:
        return None
    pixels = asked.get("pixels") if isinstance(asked, dict) else None
    if not isinstance(pixels, list) or len(pixels) != 4:
        return None
    numbers = [one for one in pixels if type(one) in (int, float) and math.isfinite(one)]
    return numbers if len(numbers) == 4 else None


def answer(start_response, status, value):
    body = json.dumps(value).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response(status, headers)
    return [body]
