# Takes threads for the sum of all processes.
# Message: inside together: 6
# Message: expected 4 inside together

"""A `gunicorn.conf.py` for an application with a model that leaks."""

bind = "127.0.0.1:8000"
workers = 2
worker_class = "gthread"
threads = 8
preload_app = True
max_requests = 50
max_requests_jitter = 10
timeout = 20
graceful_timeout = 25
keepalive = 5
