"""What waits for a worker at this instant, in one look: for who drives it by `until_quiet`.

The stages of a worker each ask the database themselves, in transactions of their own. That is right
for loops that run beside each other, and most of the time of a play in which nine of ten looks find
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from app.clock import business_now
from app.db import Database

_LOOK = text("""
    SELECT EXISTS (SELECT FROM inbound WHERE state = 'stored') AS mails,
           EXISTS (SELECT FROM match_queue) AS receipts,
           EXISTS (SELECT FROM cases WHERE next_wake_at <= :now AND parked_reason IS NULL) AS cases,
           ARRAY(SELECT DISTINCT lane FROM effects
                  WHERE state = 'planned' AND not_before <= :now) AS lanes
""")


@dataclass(frozen=True, slots=True)
class Due:
    """`lanes`: those with an order whose time has come. It may still wait for one before it, or
    for outgoing post that is paused."""

    mails: bool
    receipts: bool
    cases: bool
    lanes: frozenset[str]

    @property
    def nothing(self) -> bool:
        return not (self.mails or self.receipts or self.cases or self.lanes)


async def look(database: Database) -> Due:
    async with database.read() as session:
        row = (await session.execute(_LOOK, {"now": await business_now(session)})).one()
        return Due(row.mails, row.receipts, row.cases, frozenset(row.lanes))
