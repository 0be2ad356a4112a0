# Forgets the threads: one request at a time.
# Message: inside together: 1 (a)
# Message: expected 4 inside together
# Message: nudge A class of workers

"""A `gunicorn.conf.py` for an application with a model that leaks."""

bind = "127.0.0.1:8000"
workers = 2
preload_app = True
max_requests = 50
max_requests_jitter = 10
timeout = 20
graceful_timeout = 25
keepalive = 5
