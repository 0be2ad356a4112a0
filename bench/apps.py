"""What is served while we measure: the smallest sensible answer."""

from collections.abc import Callable, Iterable
from typing import Any

BODY = b"Hello, world!"  # 13 bytes


def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer every request with 13 bytes of text (PEP 3333)."""
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(BODY)))]
    start_response("200 OK", headers)
    return [BODY]
