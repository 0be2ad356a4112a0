"""What a learner's machine sends to the board: nothing of the code, and nothing unlimited."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]
Text = Annotated[str, StringConstraints(max_length=400)]
AT_ONCE = 50  # reports in one message
DAY_S = 86_400.0
LARGEST_TRACE = 1 << 20  # bytes


class Form(BaseModel):
    """A message with these fields and no others."""

    model_config = ConfigDict(extra="forbid")


class Join(Form):
    """A learner wants in. The token is made by the learner, so that asking twice is one joining."""

    code: Annotated[str, StringConstraints(max_length=40)]
    name: Text
    token: Token


class Report(Form):
    """What one check came to.

    ``passed``: this or an earlier one passed. ``here``: the learner is working on it. ``age_s``:
    seconds since then, by the learner's clock, which need not show the right time for that.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    exercise: Annotated[str, StringConstraints(max_length=80)]
    status: Literal["passed", "failed", "not solved yet", "broken"]
    passed: bool = False
    here: bool = True
    check: Text = ""
    message: Text = ""
    age_s: Annotated[float, Field(ge=0, le=DAY_S, allow_inf_nan=False)] = 0.0


class Reports(Form):
    """Several, the oldest first."""

    reports: Annotated[list[Report], Field(min_length=1, max_length=AT_ONCE)]


class Action(Form):
    """What the instructor wants."""

    action: Literal["remove", "reset", "close", "open", "new-code", "end"]
    learner: Annotated[int, Field(ge=1, le=1 << 31)] | None = None
