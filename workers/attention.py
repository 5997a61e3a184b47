"""Orders that need a person, and cases that must learn about one of their orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import orjson
import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app import engine
from app.domain.decision import TaskKind
from app.domain.events import EffectUnknown, Event
from app.engine import Fact
from app.ids import new_id
from app.outbox import Candidate, Claimed
from app.playbooks.working_day import next_working_moment

log = structlog.get_logger(__name__)
ACTOR = "system"
_TASK = text("""
    INSERT INTO tasks (id, case_id, kind, key, role, state, due_at, priority, priority_reason,
                       subject_id, opened_at)
    SELECT :id, :case_id, :kind, :key, 'handler', 'open', :due_at, 5, :reason, :subject_id, :now
     WHERE NOT EXISTS (SELECT 1 FROM tasks WHERE kind = :kind AND key = :key AND state = 'open')
    ON CONFLICT DO NOTHING
""")
_PARK_EVENT = text("""
    INSERT INTO parked_events (id, case_id, name, payload, cause, parked_at)
    VALUES (:id, :case_id, :name, CAST(:payload AS jsonb), :cause, :now)
""")


async def ask_person(
    session: AsyncSession, effect_id: UUID, case_id: UUID | None, *, reason: str, now: datetime
) -> None:
    """A task to settle this order, due within a day (promise 3)."""
    await session.execute(_TASK, {
        "id": new_id(), "case_id": case_id, "kind": TaskKind.SETTLE_EFFECT.value,
        "key": str(effect_id), "due_at": next_working_moment(now), "reason": reason,
        "subject_id": effect_id, "now": now,
    })  # fmt: skip


async def tell_unknown(session: AsyncSession, order: Claimed | Candidate, *, now: datetime) -> None:
    """Its case waits until a person settled it; an order without a case gets its task here."""
    if order.case_id is not None:
        event = EffectUnknown(effect_id=order.id, kind=order.kind)
        await tell_cases(session, [(order.case_id, event)], now=now)
    await ask_person(session, order.id, order.case_id, reason="effect_unknown", now=now)


async def tell_cases(
    session: AsyncSession, facts: Sequence[tuple[UUID, Event]], *, now: datetime
) -> None:
    """Results as events. A stale one is dropped, a refused one is kept for people to see."""
    if not facts:
        return
    results = await engine.advance_many(session, [Fact(c, e, ACTOR) for c, e in facts])
    for (case_id, event), result in zip(facts, results, strict=True):
        if result.refused is not None:
            log.warning("result_refused", case_id=str(case_id), kind=type(event).__name__)
            await keep_event(session, case_id, event, cause=result.why or "", now=now)


async def keep_event(
    session: AsyncSession, case_id: UUID | None, event: Event, *, cause: str, now: datetime
) -> None:
    """A fact the ladder did not take: kept whole, never dropped."""
    await session.execute(_PARK_EVENT, {
        "id": new_id(), "case_id": case_id, "name": type(event).__name__,
        "payload": orjson.dumps(event, default=str).decode(), "cause": cause[:500], "now": now,
    })  # fmt: skip
