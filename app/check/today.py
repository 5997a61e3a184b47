"""The business day of the public check. Strangers ask it often and the day moves once a day, so the
database is asked for its offset once a second at most; a moved clock is seen a second later."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final
from weakref import WeakKeyDictionary

from app.clock import business_now, monotonic, wall_now
from app.db import Database

KEPT_SECONDS: Final = 1.0
_offsets: WeakKeyDictionary[Database, tuple[float, timedelta]] = WeakKeyDictionary()


async def today(database: Database) -> date:
    until, offset = _offsets.get(database, (0.0, timedelta()))
    if until <= monotonic():
        async with database.read() as session:
            offset = await business_now(session) - wall_now()
        _offsets[database] = (monotonic() + KEPT_SECONDS, offset)
    return (wall_now() + offset).date()
