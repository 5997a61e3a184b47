"""The two clocks. The only caller of datetime.now in the project.

Business time (deadlines, dates on letters, holds) is wall time plus an offset that only a
non-production installation may set; it is read once per transaction and bound as a parameter.
Wall time (leases, sessions, links, one-time codes, rate limits, signatures) never moves.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

OFFSET_SECONDS_MAX = 20 * 366 * 86_400  # twenty years ahead: longer than any limitation period here


def wall_now() -> datetime:
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds for measuring spans; never a date."""
    return time.monotonic()


async def business_now(session: AsyncSession) -> datetime:
    """The installation's business time, from the row `clock_offset` (absent = no offset)."""
    offset = (await session.execute(text("SELECT seconds FROM clock_offset"))).scalar()
    return wall_now() + timedelta(seconds=offset or 0)
