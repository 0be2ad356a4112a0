"""Which versions the chapters speak of: what they state of a server was measured with these."""

MEASURED_WITH = {
    "fastapi": "0.165.0",
    "flask": "3.1.3",
    "gevent": "26.9.0",
    "gunicorn": "27.0.1",
    "hypercorn": "0.18.0",
    "numpy": "2.4.6",
    "scikit-learn": "1.9.1",
    "starlette": "1.10.0",
    "uvicorn": "0.54.0",
    "uvicorn-worker": "0.4.0",
    "uvloop": "0.23.0",
}
