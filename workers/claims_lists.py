"""Orders the weekly list for every company that chose one: once a week, on or after Monday."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.effects import SendClaimsList
from app.ids import new_id
from app.moment import Moment
from app.outbox import stage

# "Due and not done": whoever has no order of this week yet, whenever we look.
_DUE: Final = text("""
    SELECT m.id FROM companies m
     WHERE m.claims_list_to IS NOT NULL AND m.status = 'confirmed'
       AND NOT EXISTS (SELECT 1 FROM effects e
                        WHERE e.business_key = 'claims:' || m.id || ':' || :week)
     ORDER BY m.id LIMIT 100
""")


async def order_lists(session: AsyncSession, moment: Moment) -> int:
    """How many were ordered. A week without an open claim has an order too, that is not sent."""
    year, week, _ = moment.now.isocalendar()
    name = f"{year}-W{week:02}"
    due = list((await session.execute(_DUE, {"week": name})).scalars())
    for company in due:
        order = SendClaimsList(new_id(), company, name)
        await stage(session, [order], stream=f"company:{company}", now=moment.now)
    return len(due)
