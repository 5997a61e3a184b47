"""Mails above the rate of their recipient's domain wait, and are no tries.

The pace is kept in PostgreSQL, beside the orders it holds: no other server's fall lets mails go too
fast or not at all. One row per domain, one short transaction before the orders are said to go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.mail_rates import Rate, after_one, rate_of
from app.moment import read_moment
from app.outbox import Claimed
from workers.mail import Draft
from workers.tools import Tools

_NEW: Final = text(
    "INSERT INTO mail_pace (domain, mark) VALUES (:domain, 0) ON CONFLICT DO NOTHING"
)
_READ: Final = text("""
    SELECT mark, extract(epoch FROM clock_timestamp())::float8 AS now FROM mail_pace
     WHERE domain = :domain FOR UPDATE
""")
_KEEP: Final = text("UPDATE mail_pace SET mark = :mark WHERE domain = :domain")

# Handed back before it was dispatched: no try, and no hand of a worker.
_PUT_OFF: Final = text("""
    UPDATE effects e
       SET state = 'planned', lease_until = NULL, lease_epoch = lease_epoch + 1,
           not_before = CAST(:now AS timestamptz) + make_interval(secs => mine.wait),
           cause = 'rate_limit'
      FROM unnest(CAST(:ids AS uuid[]), CAST(:epochs AS bigint[]), CAST(:waits AS float8[]))
           AS mine(id, epoch, wait)
     WHERE e.id = mine.id AND e.lease_epoch = mine.epoch AND e.state = 'sending'
""")


async def put_off_above(tools: Tools, orders: Sequence[tuple[Claimed, Any]]) -> set[UUID]:
    """Hands back what has to wait; returns its ids. `orders` come with what was prepared."""
    rates = tools.settings.mail_rates
    by_domain: dict[str, list[Claimed]] = {}
    for claimed, prepared in orders if rates else ():
        if isinstance(prepared, Draft):
            domain = prepared.to_address.rpartition("@")[2].strip().lower()
            if rate_of(domain, rates) is not None:
                by_domain.setdefault(domain, []).append(claimed)
    if not by_domain:
        return set()
    waiting: list[tuple[Claimed, float]] = []
    async with tools.database.transaction() as session:
        for domain in sorted(by_domain):  # always in one order: two workers never block each other
            rate = rate_of(domain, rates)
            assert rate is not None, "only those were put here"
            waiting += await _take(session, domain, rate, by_domain[domain])
        if waiting:
            await session.execute(_PUT_OFF, {
                "now": (await read_moment(session)).now,
                "ids": [claimed.id for claimed, _ in waiting],
                "epochs": [claimed.epoch for claimed, _ in waiting],
                "waits": [wait for _, wait in waiting],
            })  # fmt: skip
    return {claimed.id for claimed, _ in waiting}


async def _take(
    session: AsyncSession, domain: str, rate: Rate, orders: Sequence[Claimed]
) -> list[tuple[Claimed, float]]:
    """Those of `orders` that must wait, each with its seconds: one after the other."""
    await session.execute(_NEW, {"domain": domain})
    mark, now = (await session.execute(_READ, {"domain": domain})).one()
    waiting: list[tuple[Claimed, float]] = []
    for order in orders:
        mark, wait = after_one(mark, now, rate)
        if wait > 0:
            waiting.append((order, wait + len(waiting) * rate.interval))
    await session.execute(_KEEP, {"domain": domain, "mark": mark})
    return waiting
