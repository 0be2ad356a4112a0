# Takes four processes for four requests.
# Message: came back 4 worker processes

"""A `gunicorn.conf.py` for an application with a model that leaks."""

bind = "127.0.0.1:8000"
workers = 4
worker_class = "gthread"
threads = 4
preload_app = True
max_requests = 50
max_requests_jitter = 10
timeout = 20
graceful_timeout = 25
keepalive = 5
