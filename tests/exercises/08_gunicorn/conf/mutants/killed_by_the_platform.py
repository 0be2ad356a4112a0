# Lets requests go on until the platform kills them.
# Message: called graceful_timeout
# Message: came back 30
# Message: expected from 20 to 29

"""A `gunicorn.conf.py` for an application with a model that leaks."""

bind = "127.0.0.1:8000"
workers = 2
worker_class = "gthread"
threads = 4
preload_app = True
max_requests = 50
max_requests_jitter = 10
timeout = 20
keepalive = 5
