"""Forgets a bank's file when its term has ended: its one key is destroyed, its hash stays.

The rule is app/law/data/retention.yaml, by the agency's country. A file whose money still waits
for somebody (unallocated, or to go back to its payer) is kept: the payer's account is needed. So is
one that waits itself for what is missing before it: nothing of it stands in the books yet.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app import audit
from app.law.retention import YEAR_ENDS, terms
from app.moment import Moment
from app.vault import destroy_key

BATCH: Final = 200

_OLD = text("""
    SELECT e.id, e.received_at, e.sha256, e.provider
      FROM external_events e JOIN data_keys k ON k.subject_id = e.id AND k.wrapped IS NOT NULL
     WHERE e.received_at < :before
       AND NOT EXISTS (SELECT FROM bank_statements s JOIN movements m ON m.statement_id = s.id
                         JOIN account_balances b ON b.sub = m.id::text AND b.balance <> 0
                        WHERE s.external_event_id = e.id)
       AND NOT EXISTS (SELECT FROM bank_imports i
                        WHERE i.external_event_id = e.id AND i.state = 'waiting')
     ORDER BY e.received_at LIMIT :limit FOR UPDATE OF k SKIP LOCKED
""")


async def forget_bank_files(session: AsyncSession, moment: Moment) -> int:
    """How many files were forgotten, at most BATCH; each stands in the history with its hash.

    0 where the agency's country has no term that somebody verified or reviewed."""
    term = terms().get(str(moment.profile.get("country")))
    if term is None or not term.may_forget:
        return 0
    zone = ZoneInfo(str(moment.profile.get("zone") or "UTC"))
    today = moment.now.astimezone(zone).date()
    year_ends = str(moment.profile.get("financial_year_ends") or YEAR_ENDS)
    # Nothing younger can be due: the search need not look at it.
    before = datetime(today.year - term.years + 1, 1, 1, tzinfo=UTC)
    rows = await session.execute(_OLD, {"before": before, "limit": BATCH})
    entries = []
    for row in rows.all():
        last_day = term.last_day(row.received_at.astimezone(zone).date(), year_ends)
        if last_day >= today or not await destroy_key(session, row.id, at=moment.now):
            continue
        told = {
            "event_id": str(row.id), "provider": row.provider, "sha256": row.sha256,
            "kept_until": last_day.isoformat(), "law": term.law,
        }  # fmt: skip
        entries.append(audit.Entry("bank_file_forgotten", told, "system", moment.now))
    await audit.append_all(session, stream=audit.SYSTEM, entries=entries)
    return len(entries)
