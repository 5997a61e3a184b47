"""Orders for papers: the row that says what is wanted, and the order that has a worker make it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import outbox
from app.domain.effects import MakePaper
from app.ids import new_id
from app.tables.effects import EffectRow
from app.tables.papers import CasePaperRow

LIVE = ("planned", "sending", "unknown")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A paper to make. `claimant_id`: whose money it tells of and who reads it."""

    id: uuid.UUID
    case_id: uuid.UUID
    kind: str
    claimant_id: uuid.UUID | None = None
    language: str | None = None


async def order_papers(
    session: AsyncSession, wanted: Sequence[Wanted], *, actor: str, now: datetime
) -> None:
    """In the transaction that causes them. The same paper is ordered once."""
    for one in wanted:
        await keep_paper(session, one, actor=actor, now=now)
        await order_again(session, one.case_id, one.id, now=now)


async def keep_paper(session: AsyncSession, one: Wanted, *, actor: str, now: datetime) -> None:
    """The row of a paper, without an order: for who makes it at once."""
    await session.execute(
        insert(CasePaperRow)
        .values(
            id=one.id, case_id=one.case_id, kind=one.kind, claimant_id=one.claimant_id,
            language=one.language, asked_by=actor, asked_at=now, made_at=None,
        )
        .on_conflict_do_nothing()
    )  # fmt: skip


async def order_again(
    session: AsyncSession, case_id: uuid.UUID, paper_id: uuid.UUID, *, now: datetime
) -> bool:
    """A new order for a paper that is not made; False while one is under way."""
    key = MakePaper(paper_id, case_id, paper_id).business_key.rpartition(":")[0]
    under_way = await session.scalar(
        select(EffectRow.id).where(
            EffectRow.case_id == case_id, EffectRow.kind == MakePaper.__name__,
            EffectRow.business_key.startswith(key), EffectRow.state.in_(LIVE),
        ).limit(1)
    )  # fmt: skip
    if under_way is not None:
        return False
    order = MakePaper(new_id(), case_id, paper_id)
    await outbox.stage(session, [order], stream=f"case:{case_id}", now=now)
    return True
