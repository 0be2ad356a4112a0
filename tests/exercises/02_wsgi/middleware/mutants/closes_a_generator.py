# Returns a generator: it closes when it ends, not when it is closed, and never if it never began.
# Message: came back reported at the end of the body
# Message: expected a report in close()


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

        def body():
            nonlocal size
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

        return body()

    return application
