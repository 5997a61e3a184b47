"""Differences between dates on file and dates as counted today, and their approval."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from app.schemas import Id, In, Out, Reason, When

APPROVED_AT_ONCE_MAX = 200


class DifferenceOut(Out):
    """A date that would move: what the case waits for, until when on file (`was`), as counted today
    (`due`), the law's last day and what was passed over."""

    case_id: uuid.UUID
    reference: str
    stage: str
    waiting_on: str | None
    was: datetime
    due: datetime
    last_day: date | None
    rule: str
    passed_over: list[str]


class DifferencesOut(Out):
    """`next_after` goes into `after` of the next call; null: all open cases were looked at. A page
    may be empty although more follow."""

    items: list[DifferenceOut]
    looked_at: int
    next_after: uuid.UUID | None


class ApprovedIn(In):
    """One difference exactly as it was shown."""

    case_id: Id
    was: When
    due: When


class ApproveIn(In):
    differences: Annotated[list[ApprovedIn], Field(min_length=1, max_length=APPROVED_AT_ONCE_MAX)]
    reason: Reason


class LeftOut(Out):
    case_id: uuid.UUID
    why: str


class RecountedOut(Out):
    """`left`: cases that moved on, or whose difference is another one by now; nothing changed."""

    moved: list[uuid.UUID]
    left: list[LeftOut]
