"""What finance sends and reads about one payment for several cases."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.cases.schemas import Amount
from app.domain.matching.advice import LINES_MAX
from app.schemas import Flag, Id, In, MoneyIn, Out, Text


class SplitPartIn(In):
    case_id: Id
    amount: MoneyIn


class SplitIn(In):
    parts: Annotated[list[SplitPartIn], Field(min_length=1, max_length=LINES_MAX)]


class SplitPartOut(Out):
    allocation_id: UUID
    case_id: UUID
    amount: Amount
    our_fee: Amount


class SplitOut(Out):
    movement_id: UUID
    allocations: list[SplitPartOut]


class AdviceIn(In):
    """`text`: one case a line, its reference and its sum (cells end with ; or a tab, or are words).
    `confirm`: allocate it when every line is certain."""

    text: Text
    confirm: Flag = False


class AdvisedPart(Out):
    case_id: UUID
    minor: int


class AdviceOut(Out):
    """`certain`: every line names one case by a checked reference and the sums are the payment.
    Else `not_certain_because` is the code of why not, `not_certain_text` says it, `line` is the
    line it is about."""

    movement_id: UUID
    lines: int
    certain: bool
    not_certain_because: str | None
    not_certain_text: str | None
    line: str | None
    parts: list[AdvisedPart]
    left_minor: int | None
    allocations: list[SplitPartOut]
