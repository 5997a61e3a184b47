"""Tells legal that a licence of the agency, or the cover under it, comes to its end."""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.decision import TaskKind
from app.gates.licences import endings
from app.moment import Moment
from app.playbooks.working_day import next_working_moment

PRIORITY: Final = 10
LICENCES: Final = UUID("5f6f8a1e-64b0-4f5e-9d0e-3c1f0b7a2d41")
# The id is made of what ends: whoever finds it first opens the task, and a finished one stays so.
_ASK = text("""
    INSERT INTO tasks (id, case_id, kind, key, role, state, due_at, priority, priority_reason,
                       subject_id, opened_at)
    VALUES (:id, NULL, :kind, :key, 'legal', 'open', :due_at, :priority, :reason, NULL, :now)
    ON CONFLICT DO NOTHING
""")

# Renewed: nobody need look any more.
_OVER = text("""
    UPDATE tasks SET state = 'done', closed_at = :now, closed_by = 'system'
     WHERE kind = :kind AND state = 'open' AND case_id IS NULL AND key <> ALL(:keys)
""")


async def watch_licences(session: AsyncSession, moment: Moment) -> None:
    """One task per last day and band (90, 30, 7 days, and the day itself), until it is renewed."""
    found = sorted(endings(moment.profile, moment.now.date()), key=lambda e: e.key)
    keys, kind = [one.key for one in found], TaskKind.LICENCE_ENDING.value
    await session.execute(_OVER, {"kind": kind, "keys": keys, "now": moment.now})
    for one in found:
        await session.execute(_ASK, {
            "id": uuid5(LICENCES, one.key), "kind": kind, "key": one.key,
            "due_at": next_working_moment(moment.now), "priority": PRIORITY,
            "reason": f"{kind}:{one.what} {one.number}, {one.last_day}",
            "now": moment.now,
        })  # fmt: skip
