"""The business day of the public check, where the consumer is.

Strangers ask it often and the day moves once a day, so the database is asked for its offset once a
second at most; a moved clock is seen a second later."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from app.clock import business_now, monotonic, wall_now
from app.db import Database
from app.playbooks import book
from app.playbooks.schema import ANY_KIND

KEPT_SECONDS: Final = 1.0
_offsets: WeakKeyDictionary[Database, tuple[float, timedelta]] = WeakKeyDictionary()


async def today(database: Database, country: str | None = None) -> date:
    until, offset = _offsets.get(database, (0.0, timedelta()))
    if until <= monotonic():
        async with database.read() as session:
            offset = await business_now(session) - wall_now()
        _offsets[database] = (monotonic() + KEPT_SECONDS, offset)
    return day_in(country, wall_now() + offset)


def day_in(country: str | None, at: datetime) -> date:
    """The day it is by the playbook of the consumer's country; of an unnamed one in UTC."""
    return at.astimezone(ZoneInfo(zone_of(country, at.date())) if country else UTC).date()


@lru_cache(maxsize=512)
def zone_of(country: str, on: date) -> str:
    """The time zone in which the periods of this country's consumers run."""
    return book.choose(claim_kind=ANY_KIND, jurisdiction=country, on=on).zone
