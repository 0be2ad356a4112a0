# Listens on all addresses.
# Message: called bind
# Message: came back ['0.0.0.0:8000']
# Message: why 127.0.0.1 is this machine

"""A `gunicorn.conf.py` for an application with a model that leaks."""

bind = "0.0.0.0:8000"
workers = 2
worker_class = "gthread"
threads = 4
preload_app = True
max_requests = 50
max_requests_jitter = 10
timeout = 20
graceful_timeout = 25
keepalive = 5
