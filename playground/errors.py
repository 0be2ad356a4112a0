"""The base of errors that are expected: their message says all that one needs."""


class Told(Exception):
    """Its message is a sentence that says what to do; a notebook shows that and no traceback."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows."""
        return [f"{type(self).__name__}: {self}"]


class Interrupted(KeyboardInterrupt):
    """An interrupt that has been attended to; a notebook shows its message and no traceback."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows."""
        return [f"{type(self).__name__}: {self}"]
