"""The next working moment of the agency itself, for work that belongs to no case's playbook."""

from __future__ import annotations

from datetime import datetime

from app.domain.periods import place
from app.playbooks.calendar import ANYWHERE, calendar_for


def next_working_moment(now: datetime) -> datetime:
    """The same hour one working day later."""
    return place("UTC", calendar_for(ANYWHERE), "EU_1182_71").working_days_later(now, 1)
