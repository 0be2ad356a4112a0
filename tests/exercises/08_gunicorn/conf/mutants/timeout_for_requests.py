# Takes the timeout for the limit of a request that may go on.
# Message: called timeout
# Message: came back 30
# Message: why `timeout` limits the silence of the bell

"""A `gunicorn.conf.py` for an application with a model that leaks."""

bind = "127.0.0.1:8000"
workers = 2
worker_class = "gthread"
threads = 4
preload_app = True
max_requests = 50
max_requests_jitter = 10
timeout = 30
graceful_timeout = 25
keepalive = 5
