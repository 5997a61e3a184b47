"""RecallLetter: ask the printer to give back a letter it still holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.effects import RecallLetter
from app.domain.events import Event
from workers.effects.handler import Done, Order, Prepared
from workers.effects.sending import POST_SECONDS_MAX
from workers.providers.delivery import Guard
from workers.providers.errors import NoLongerWanted, ProviderError
from workers.tools import Tools

_SENT = text("""
    SELECT payload->>'letter_id' AS letter_id, id FROM effects
     WHERE case_id = ANY(:cases) AND kind = 'SendLetter' AND payload->>'channel' = 'post'
       AND (state IN ('done', 'unknown') OR unseen_at IS NOT NULL)
     ORDER BY id
""")


class RecallLetterHandler:
    effect = RecallLetter
    timeout_seconds = POST_SECONDS_MAX

    def provider(self, tools: Tools, prepared: Any) -> str:
        return tools.providers.post.name

    async def prepare(
        self, tools: Tools, session: AsyncSession, orders: Sequence[Order[RecallLetter]]
    ) -> Prepared:
        cases = {o.effect.case_id for o in orders}
        rows = await session.execute(_SENT, {"cases": list(cases)})
        sent = {UUID(r.letter_id): r.id for r in rows}
        out: dict[UUID, UUID | ProviderError] = {}
        for order in orders:
            key = sent.get(order.effect.letter_id)
            out[order.id] = key or NoLongerWanted("no printer has this letter")
        return out

    async def act(
        self, tools: Tools, order: Order[RecallLetter], prepared: Any, guard: Guard
    ) -> Done:
        delivery = await tools.providers.post.recall(prepared, key=order.id, guard=guard)
        return Done(delivery)

    async def record(
        self,
        session: AsyncSession,
        done: Sequence[tuple[Order[RecallLetter], Any, Done]],
        now: datetime,
    ) -> None:
        """The journal is enough."""

    def facts(self, order: Order[RecallLetter], done: Done, now: datetime) -> Sequence[Event]:
        return ()
