# Leaves a number open.
# Message: PREDICTIONS['A tolist']
# Message: came back None

"""Four mornings with a model."""

PREDICTIONS = {
    # float64 is a float, str_ a str. NaN: Flask writes it, FastAPI refuses.
    "A Flask": 3,
    "A FastAPI": 2,
    "A tolist": None,
    # A list has no key "features"; a lone list parameter is the whole body.
    "B Flask list": 500,
    "B Flask object": 200,
    "B FastAPI list": 200,
    "B FastAPI object": 422,
    # The lifespan runs after fork(2), so --preload does not help it.
    "C import": 3,
    "C preload": 1,
    "C lifespan": 3,
    "C spawn": 3,
    # On the loop: one, and nobody else. In AnyIO's threads: all six.
    "D async inside": 1,
    "D async health": 0,
    "D def inside": 6,
    "D def health": 1,
}
