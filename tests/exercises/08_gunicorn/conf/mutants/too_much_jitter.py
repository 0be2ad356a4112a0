# Adds up to 60 requests to 50.
# Message: called max_requests = 50, max_requests_jitter = 60
# Message: came back a limit from 50 to 110

"""A `gunicorn.conf.py` for an application with a model that leaks."""

bind = "127.0.0.1:8000"
workers = 2
worker_class = "gthread"
threads = 4
preload_app = True
max_requests = 50
max_requests_jitter = 60
timeout = 20
graceful_timeout = 25
keepalive = 5
