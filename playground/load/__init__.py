"""Requests: many at once, one, or exact bytes; and the run that comes of them."""
