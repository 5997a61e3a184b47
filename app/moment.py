"""What one transaction knows about "now": the business time and the marks of the installation.

Read once per transaction, in one round trip, and handed down as a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import wall_now
from app.domain.playbook import AgencyProfile
from app.gates.licences import files_in

# For readers that need more in the same round trip: a SELECT of one row (see moment_of).
MOMENT_SQL = """
    SELECT coalesce((SELECT seconds FROM clock_offset), 0) AS offset_seconds,
           i.mail_read_until, i.bank_read_until, coalesce(i.outgoing_paused, false) AS paused,
           p.version, p.profile
      FROM (SELECT 1) one
      LEFT JOIN installation i ON i.id = 1
      LEFT JOIN LATERAL (SELECT version, profile FROM agency_profiles
                          ORDER BY version DESC LIMIT 1) p ON true
"""


@dataclass(frozen=True, slots=True)
class Moment:
    """`now` is business time; `profile` the agency profile as stored."""

    now: datetime
    mail_read_until: datetime | None
    bank_read_until: datetime | None
    outgoing_paused: bool
    profile_version: int
    profile: dict[str, Any]

    @property
    def agency(self) -> AgencyProfile:
        lines = self.profile.get("approval_line_minor") or {"EUR": 50_000}
        known = "licences" in self.profile
        return AgencyProfile(
            approval_line_minor=dict(lines),
            version=self.profile_version,
            files_in=files_in(self.profile, self.now.date()) if known else None,
        )


async def read_moment(session: AsyncSession) -> Moment:
    return moment_of((await session.execute(text(MOMENT_SQL))).one())


def moment_of(row: Any) -> Moment:
    """The moment in a row that holds the columns of MOMENT_SQL."""
    return Moment(
        now=wall_now() + timedelta(seconds=int(row.offset_seconds)),
        mail_read_until=row.mail_read_until,
        bank_read_until=row.bank_read_until,
        outgoing_paused=row.paused,
        profile_version=row.version or 0,
        profile=row.profile or {},
    )
