"""A correction of a case's answers: what is said, what would differ, what is taken over."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictInt

from app.answers import Answers
from app.casework.schemas import Sha256
from app.intake.schemas import ITEMS_MAX, ItemIn
from app.schemas import Id, In, Out, Reason

CORRECTED_MAX = 20  # answers in one correction: more is another story, not a fact learnt
TakeOver = Literal["dates", "limitation", "bodies", "items"]


class LineIn(ItemIn):
    """A line of the claim as it should stand; `line`: the number of the one it replaces, from 0;
    without it the line is new."""

    line: Annotated[StrictInt, Field(ge=0, lt=2 * ITEMS_MAX)] | None = None


class CorrectionIn(In):
    """Answers added or put right, in the vocabulary of the intake; the others stay. `source` with
    the message or the file that shows it, where it is one of those. `lines`: the claim as it should
    stand, where the machine cannot say it; a line left out is asked for no longer."""

    answers: Annotated[Answers, Field(min_length=1, max_length=CORRECTED_MAX)]
    reason: Reason
    source: Literal["message", "evidence", "consumer_said"]
    source_id: Id | None = None
    lines: Annotated[list[LineIn], Field(min_length=1, max_length=ITEMS_MAX)] | None = None


class CorrectIn(CorrectionIn):
    """`seen`: the sha256 of the difference as it was shown; `take_over`: what of it changes the
    running case. The answers themselves are kept either way."""

    seen: Sha256
    take_over: Annotated[list[TakeOver], Field(max_length=4)]


class DifferenceOut(Out):
    """`what` in codes: `answer.bill_date`, `finding.body`, `dates.bill_on`, `limitation`, `bodies`,
    `items.0` (a line of the claim, by its number), `claimed`.
    `take_over` names the part by which it changes the running case; null: it is only shown."""

    what: str
    was: str | None
    now: str | None
    take_over: TakeOver | None


class CorrectionOut(Out):
    differences: list[DifferenceOut]
    seen: str
