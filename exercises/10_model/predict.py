"""Four mornings with a model: predict them before you look.

Each morning is run for real, with Flask, FastAPI, Gunicorn and Uvicorn. Write a whole number for
each None. A check shows what was measured beside your prediction.

Morning A. Seven predictions: np.float64(0.5), np.float64("nan"), np.float32(0.5), np.int64(3),
np.bool_(True), np.str_("seven") and np.array([1, 2]). Each is answered as `{"prediction": value}`.

- Flask, FastAPI: how many of the seven answers have status 200?
- tolist: the same for FastAPI with `{"prediction": value.tolist()}`

Morning B. A bare list of numbers is posted as JSON, or an object {"features": [1, 2]}. In Flask the
endpoint reads `request.json["features"]`; in FastAPI it has one parameter, `features: list[float]`.
Which status does each get?

Morning C. A model, three workers. How many processes load it?

- import: Gunicorn (sync), loaded when the module is imported; preload: the same with `--preload`
- lifespan: Gunicorn (asgi) with `--preload`, loaded in the lifespan
- spawn: `uvicorn --workers 3`, loaded when the module is imported

Morning D. One Uvicorn, FastAPI, a `predict` that blocks until you let it go. Six requests at once,
and when nobody else can come in, one for /health, which is `async def`.

- inside: how many are in `predict` together; health: 1 if /health is answered meanwhile, else 0
"""

PREDICTIONS = {
    "A Flask": None,
    "A FastAPI": None,
    "A tolist": None,
    "B Flask list": None,
    "B Flask object": None,
    "B FastAPI list": None,
    "B FastAPI object": None,
    "C import": None,
    "C preload": None,
    "C lifespan": None,
    "C spawn": None,
    # `async def predict`
    "D async inside": None,
    "D async health": None,
    # `def predict`
    "D def inside": None,
    "D def health": None,
}
