"""An order whose end nobody saw and whose proof turned up: the same end as a person's `sent`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app import outbox
from app.domain.events import EffectSettled
from app.moment import read_moment
from app.outbox import Attempt
from workers.attention import ACTOR, tell_cases

LOCK_CASE: Final = text("SELECT id FROM cases WHERE id = :id FOR UPDATE")
_FOUND: Final = text("""
    UPDATE effects SET state = 'done', provider_ref = :ref, settled_at = clock_timestamp(),
           lease_epoch = lease_epoch + 1, cause = :where, unseen_at = NULL
     WHERE id = :id AND state = 'unknown'
    RETURNING kind, lease_epoch, payload->>'letter_id' AS letter_id
""")


@dataclass(frozen=True, slots=True)
class Found:
    kind: str
    letter_id: UUID | None
    now: datetime


async def settle_found(
    session: AsyncSession, effect_id: UUID, case_id: UUID, *, ref: str, where: str, worker: str
) -> Found | None:
    """None: somebody settled it before. The caller tells the case by `tell_sent`."""
    await session.execute(LOCK_CASE, {"id": case_id})
    now = (await read_moment(session)).now
    values = {"id": effect_id, "ref": ref, "where": where}
    row = (await session.execute(_FOUND, values)).one_or_none()
    if row is None:
        return None
    await outbox.log_attempts(session, [Attempt(effect_id, row.lease_epoch, worker, "found", ref)])
    return Found(row.kind, UUID(row.letter_id) if row.letter_id else None, now)


async def tell_sent(session: AsyncSession, effect_id: UUID, case_id: UUID, found: Found) -> None:
    fact = EffectSettled(
        effect_id=effect_id, kind=found.kind, verdict="sent", by=ACTOR, letter_id=found.letter_id
    )
    await tell_cases(session, [(case_id, fact)], now=found.now)
