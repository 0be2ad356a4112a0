# The app is a generator function: nothing in it runs before the first block is asked for.
# Message: came back the app was called 0 times
# Message: expected once, at once


def metered(app, report, clock):
    def application(environ, start_response):
        started = clock()
        path = environ["PATH_INFO"]
        identity = ("X-Request-Id", environ.get("HTTP_X_REQUEST_ID", "none"))
        said = ""
        size = 0

        def announce(status, headers, *exc_info):
            nonlocal said
            said = status
            write = start_response(status, [*headers, identity], *exc_info)

            def counting(block):
                nonlocal size
                size += len(block)
                write(block)

            return counting

        iterable = app(environ, announce)
        try:
            for block in iterable:
                size += len(block)
                yield block
        finally:
            try:
                if hasattr(iterable, "close"):
                    iterable.close()
            finally:
                report(path, said, size, clock() - started)

    return application
