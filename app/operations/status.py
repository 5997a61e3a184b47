"""How the installation stands: counts that stop at a cap, so that asking costs the same always."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.moment import read_moment
from app.operations.schemas import CountOut, OutgoingOut, StatusOut
from app.operations.service import outgoing

COUNT_MAX: Final = 1_000
_COUNTED: Final = {
    "cases_due": "cases WHERE next_wake_at <= :now AND parked_reason IS NULL",
    "cases_parked": "tasks WHERE role = 'admin' AND state = 'open' AND kind = 'poisoned_case'",
    "effects_waiting": "effects WHERE state = 'planned' AND not_before <= :now",
    "effects_sending": "effects WHERE state = 'sending'",
    "effects_unknown": "effects WHERE state = 'unknown'",
    "effects_parked": "effects WHERE state = 'parked'",
    "effects_failed": "effects WHERE state = 'failed'",
    "messages_in_pen": "messages WHERE state = 'pen'",
}
# Every part is one of the constants above and has its partial index.
_ONE: Final = "(SELECT '{}' AS name, count(*) AS n FROM (SELECT 1 FROM {} LIMIT :cap) x)"
_COUNTS = text(" UNION ALL ".join(_ONE.format(*part) for part in _COUNTED.items()))
_MARKS = text("""
    SELECT i.swept_at,
           (SELECT min(staged_at) FROM (
               SELECT staged_at FROM effects WHERE state = 'planned' AND not_before <= :now
                ORDER BY not_before, id LIMIT :cap) y) AS oldest_waiting_effect_at
      FROM (SELECT 1) one LEFT JOIN installation i ON i.id = 1
""")


async def read_status(session: AsyncSession) -> StatusOut:
    moment = await read_moment(session)
    bound = {"now": moment.now, "cap": COUNT_MAX + 1}
    found = {row.name: row.n for row in await session.execute(_COUNTS, bound)}
    marks = (await session.execute(_MARKS, bound)).one()
    counts = {
        name: CountOut(number=min(found[name], COUNT_MAX), at_least=found[name] > COUNT_MAX)
        for name in _COUNTED
    }
    switch = await outgoing(session)
    return StatusOut(
        outgoing=OutgoingOut(paused=switch.paused, reason=switch.reason, by=switch.by),
        business_time=moment.now,
        mail_read_until=moment.mail_read_until,
        bank_read_until=moment.bank_read_until,
        swept_at=marks.swept_at,
        oldest_waiting_effect_at=marks.oldest_waiting_effect_at,
        **counts,
    )
