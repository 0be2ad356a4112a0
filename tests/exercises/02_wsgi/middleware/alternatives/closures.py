"""Closures for the app's side, a small iterator for the server's side."""


class Body:
    def __init__(self, blocks, count, end):
        self.blocks, self.iterator = blocks, None
        self.count, self.end = count, end

    def __iter__(self):
        return self

    def __next__(self):
        if self.iterator is None:
            self.iterator = iter(self.blocks)
        block = next(self.iterator)
        self.count(block)
        return block

    def close(self):
        try:
            getattr(self.blocks, "close", int)()
        finally:
            self.end()


def metered(app, report, clock):
    def around(environ, start_response):
        began, path = clock(), environ["PATH_INFO"]
        request_id = environ.get("HTTP_X_REQUEST_ID") or "none"
        statuses, sizes = [""], []

        def count(block):
            sizes.append(len(block))

        def replacement(status, headers, exc_info=None):
            statuses.append(status)
            headers = headers + [("X-Request-Id", request_id)]  # noqa: RUF005
            args = (status, headers) if exc_info is None else (status, headers, exc_info)
            write = start_response(*args)

            def both(data):
                write(data)
                count(data)

            return both

        def end():
            report(path, statuses[-1], sum(sizes), clock() - began)

        return Body(app(environ, replacement), count, end)

    return around
