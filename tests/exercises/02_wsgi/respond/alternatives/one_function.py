"""One function with closures; the framing is a function that wraps a block."""


def respond(app, environ, send):
    head = None
    wrap = None
    remaining = None
    total = None

    def start_response(status, headers, exc_info=None):
        nonlocal head
        head = (status, list(headers))
        return write

    def begin():
        nonlocal wrap, remaining
        status, headers = head
        length = next((int(v) for k, v in headers if k.lower() == "content-length"), None)
        wrap = plain = lambda block: block
        if environ["REQUEST_METHOD"] == "HEAD" or status.startswith(("204 ", "304 ")):
            remaining, wrap = 0, lambda block: b""
        elif length is not None:
            remaining = length
        elif total is not None:
            remaining = total
            headers.append(("Content-Length", str(total)))
        elif environ["SERVER_PROTOCOL"] == "HTTP/1.1":
            headers.append(("Transfer-Encoding", "chunked"))
            wrap = lambda block: hex(len(block))[2:].encode() + b"\r\n" + block + b"\r\n"  # noqa: E731
        else:
            wrap = plain
        lines = "".join(f"{k}: {v}\r\n" for k, v in headers)
        send(f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("latin-1"))

    def write(block):
        nonlocal remaining
        if type(block) is not bytes:
            raise TypeError("bytes only")
        if block == b"":
            return
        if wrap is None:
            begin()
        if remaining is not None:
            block = block[:remaining]
            remaining -= len(block)
        if block:
            send(wrap(block))

    blocks = None
    try:
        try:
            blocks = app(environ, start_response)
            if type(blocks) in (list, tuple):
                total = sum(len(block) for block in blocks)
            for block in blocks:
                write(block)
                if remaining == 0:
                    break
            if wrap is None:
                begin()
            if remaining is None and environ["SERVER_PROTOCOL"] == "HTTP/1.1":
                send(b"0\r\n\r\n")
                return True
            return remaining == 0
        finally:
            if hasattr(blocks, "close"):
                try:
                    blocks.close()
                except Exception:
                    pass
    except BaseException:
        if wrap is None:
            try:
                send(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n")
            except OSError:
                pass
        return False
