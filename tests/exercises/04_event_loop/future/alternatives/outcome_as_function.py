"""What result() does is a function that is replaced when the future is done."""


class Cancelled(BaseException):
    pass


class InvalidState(Exception):
    pass


class Future:
    def __init__(self, call_soon):
        self.call_soon = call_soon
        self.waiting = []
        self.state = "pending"
        self.get = self.nothing

    def nothing(self):
        raise InvalidState("pending")

    def done(self):
        return self.state != "pending"

    def cancelled(self):
        return self.state == "cancelled"

    def result(self):
        return self.get()

    def exception(self):
        try:
            self.get()
        except InvalidState:
            if not self.done():
                raise
        except Cancelled:
            raise
        except Exception:
            pass
        return self.error

    def become(self, state, get, error=None):
        if self.done():
            raise InvalidState(state)
        self.state, self.get, self.error = state, get, error
        while self.waiting:
            self.call_soon(self.waiting.pop(0), self)

    def set_result(self, value):
        self.become("result", lambda: value)

    def set_exception(self, error):
        def get():
            raise error

        self.become("exception", get, error)

    def cancel(self):
        def get():
            raise Cancelled

        try:
            self.become("cancelled", get)
        except InvalidState:
            return False
        return True

    def add_done_callback(self, callback):
        self.waiting.append(callback)
        if self.done():
            self.call_soon(self.waiting.pop(), self)

    def __await__(self):
        return (yield from () if self.done() else (self,)) or self.result()
