"""Moves the business time of a non-production installation, from due instant to due instant.

A jump straight to a date would make a week of deadlines fire in one heap and in a world that
never exists. So the clock stops at every instant at which something falls due, and goes on
when the workers are quiet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from app.clock import OFFSET_SECONDS_MAX, business_now, monotonic, wall_now
from app.db import Database
from app.settings import Settings
from app.tables.people import ClockOffsetRow

LOOK_SECONDS = 0.05
QUIET_SECONDS_MAX = 120.0  # without any change in what is open
# A timer at 09:00:00.5 must be due when we stop there: offsets are whole seconds.
ROUND_UP = timedelta(seconds=1)


class ClockRefused(RuntimeError):
    """Business time cannot be moved, or not there."""


class NeverQuiet(RuntimeError):
    """Work stayed open and did not move for too long: are the workers running?"""


@dataclass(frozen=True)
class Open:
    """What is due at this instant and not done."""

    cases: int
    effects: int
    inbound: int

    @property
    def quiet(self) -> bool:
        return self.cases == self.effects == self.inbound == 0


OPEN = text("""
    SELECT (SELECT count(*) FROM cases WHERE next_wake_at <= :now AND parked_reason IS NULL),
           (SELECT count(*) FROM effects WHERE state = 'sending'
                OR (state = 'planned' AND not_before <= :now)),
           (SELECT count(*) FROM inbound WHERE state = 'stored')
""")
NEXT_DUE = text("""
    SELECT least(
        (SELECT min(next_wake_at) FROM cases WHERE next_wake_at > :now AND parked_reason IS NULL),
        (SELECT min(not_before) FROM effects WHERE state = 'planned' AND not_before > :now))
""")


class MovingClock:
    """Moves business time; refuses in production."""

    def __init__(self, database: Database, settings: Settings) -> None:
        if not settings.allows_clock_offset:
            raise ClockRefused("a production installation follows the real time")
        self.database = database

    async def now(self) -> datetime:
        async with self.database.read() as session:
            return await business_now(session)

    async def open_work(self) -> Open:
        async with self.database.read() as session:
            now = await business_now(session)
            return Open(*(await session.execute(OPEN, {"now": now})).one())

    async def next_due(self) -> datetime | None:
        """The next instant at which anything falls due, or None."""
        async with self.database.read() as session:
            now = await business_now(session)
            found: datetime | None = (await session.execute(NEXT_DUE, {"now": now})).scalar()
            return found

    async def set(self, instant: datetime) -> None:
        """Make it ``instant`` now. Time never goes back: dates already given would be wrong."""
        seconds = -((wall_now() - instant) // timedelta(seconds=1))
        if seconds > OFFSET_SECONDS_MAX:
            raise ClockRefused(f"not more than {OFFSET_SECONDS_MAX // 86_400} days ahead")
        async with self.database.transaction() as session:
            if instant < await business_now(session) - ROUND_UP:
                raise ClockRefused("business time does not go back")
            change = insert(ClockOffsetRow).values(id=1, seconds=seconds)
            await session.execute(
                change.on_conflict_do_update(
                    index_elements=["id"], set_={"seconds": change.excluded.seconds}
                )
            )

    async def begin(self, instant: datetime) -> None:
        """Let an installation that has no case yet start on another day, past or to come."""
        async with self.database.transaction() as session:
            if (await session.execute(text("SELECT EXISTS (SELECT FROM cases)"))).scalar():
                raise ClockRefused("there are cases: their dates were given by another clock")
            seconds = -((wall_now() - instant) // timedelta(seconds=1))
            change = insert(ClockOffsetRow).values(id=1, seconds=seconds)
            await session.execute(
                change.on_conflict_do_update(
                    index_elements=["id"], set_={"seconds": change.excluded.seconds}
                )
            )

    async def wait_until_quiet(self, seconds: float = QUIET_SECONDS_MAX) -> None:
        """Return when nothing is due; raises ``NeverQuiet`` when nothing moves for that long."""
        seen = await self.open_work()
        give_up = monotonic() + seconds
        while not seen.quiet:
            await asyncio.sleep(LOOK_SECONDS)
            still = await self.open_work()
            if still != seen:
                give_up = monotonic() + seconds
            elif monotonic() > give_up:
                raise NeverQuiet(f"still open after {seconds:.0f} s: {still}")
            seen = still

    async def advance(
        self, until: datetime, *, stopped: Callable[[datetime], None] = lambda _: None
    ) -> int:
        """Go to ``until`` by way of every due instant before it; returns how many there were."""
        stops = 0
        await self.wait_until_quiet()
        while (due := await self.next_due()) is not None and due < until:
            await self.set(due + ROUND_UP)
            stopped(due)
            stops += 1
            await self.wait_until_quiet()
        await self.set(max(until, await self.now()))
        await self.wait_until_quiet()
        return stops
