"""The next working moment of the agency itself, for work that belongs to no case's playbook."""

from __future__ import annotations

from datetime import datetime

from app.domain.periods import place
from app.law.calendar import ANYWHERE, calendar_for
from app.law.regimes import regime


def next_working_moment(now: datetime) -> datetime:
    """The same hour one working day later."""
    agency = place("UTC", calendar_for(ANYWHERE), regime("EU_1182_71"))
    return agency.working_days_later(now, 1)
