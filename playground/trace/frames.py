"""Tracebacks without the tracer's own frames."""

from pathlib import Path
from types import TracebackType

OWN = str(Path(__file__).parent)


def hide_own_frames(error: BaseException) -> None:
    """Take the tracer's frames out of the traceback; a bare ``raise`` then adds none."""
    frames: list[TracebackType] = []
    frame = error.__traceback__
    while frame is not None:
        if not frame.tb_frame.f_code.co_filename.startswith(OWN):
            frames.append(frame)
        frame = frame.tb_next
    for outer, inner in zip(frames, [*frames[1:], None], strict=False):
        outer.tb_next = inner
    error.__traceback__ = frames[0] if frames else None
