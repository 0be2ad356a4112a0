"""Threads alone make Gunicorn take gthread; a list of addresses is allowed, too."""

bind = ["127.0.0.1:8000"]
workers = 2
threads = 4
preload_app = True
keepalive = 5
timeout = 20
graceful_timeout = 20
max_requests = 55
max_requests_jitter = 5
