"""The same numbers, from rules."""

VALUES = {"float64": True, "nan": True, "float32": False, "int64": False, "bool_": False}
VALUES |= {"str_": True, "ndarray": False}  # whether it is a kind of float, int or str
WORKERS, GUESTS = 3, 6
PREDICTIONS = {
    "A Flask": sum(VALUES.values()),
    "A FastAPI": sum(VALUES.values()) - 1,
    "A tolist": len(VALUES) - 1,
    "B Flask list": 500,
    "B Flask object": 200,
    "B FastAPI list": 200,
    "B FastAPI object": 422,
    "C import": WORKERS,
    "C preload": 1,
    "C lifespan": WORKERS,
    "C spawn": WORKERS,
    "D async inside": 1,
    "D async health": 0,
    "D def inside": GUESTS,
    "D def health": 1,
}
