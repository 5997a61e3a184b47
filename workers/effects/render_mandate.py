"""RenderMandate: the document of what a claimant signed, stored once under its hash.

Like a letter it is a function of its content, made by a render child and sealed at the moment the
order was staged; the word that carries it to the signer follows from its being stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.crypto import DataErased
from app.documents.keys import mandate_key
from app.documents.sealing import DocumentKey
from app.domain.effects import RenderMandate
from app.domain.events import Event, MandateRendered
from app.tables.work import MandateDocumentRow
from letters.content import LetterError, RenderFailed, SignedMandate, to_dict
from workers.effects.handler import Done, Order, Prepared
from workers.effects.mandate_rows import mandates_signed
from workers.effects.render_letter import RENDER_SECONDS_MAX, sealed
from workers.providers import OWN_STORE
from workers.providers.delivery import Delivery, Guard
from workers.providers.errors import NoLongerWanted, ProviderError, Refused, Transient
from workers.tools import Tools


@dataclass(frozen=True, slots=True)
class Made:
    sha256: str  # of the stored bytes
    rendered_sha256: str  # before the seal
    sealed_at: datetime | None
    pages: int
    size_bytes: int
    language: str


@dataclass(frozen=True, slots=True)
class ToMake:
    """What the document says, and the key of who signed, which its bytes are sealed under."""

    content: SignedMandate
    key: DocumentKey


class RenderMandateHandler:
    effect = RenderMandate
    timeout_seconds = RENDER_SECONDS_MAX

    def provider(self, tools: Tools, prepared: Any) -> str:
        return OWN_STORE

    async def prepare(
        self, tools: Tools, session: AsyncSession, orders: Sequence[Order[RenderMandate]]
    ) -> Prepared:
        found = await mandates_signed(tools, session, [o.effect.mandate_id for o in orders])
        out: dict[UUID, ToMake | ProviderError] = {}
        for order in orders:
            one = found.get(order.effect.mandate_id, NoLongerWanted("there is no such mandate"))
            out[order.id] = (
                await _with_key(tools, session, one, order.effect.mandate_id)
                if isinstance(one, SignedMandate) else one
            )  # fmt: skip
        return out

    async def act(
        self, tools: Tools, order: Order[RenderMandate], prepared: Any, guard: Guard
    ) -> Done:
        wanted: ToMake = prepared
        content = wanted.content
        try:
            made = await tools.renderer.render(to_dict(content))
        except RenderFailed as failed:
            if "closed" in str(failed):
                raise Transient("the worker is stopping", retry_after=1) from None
            raise  # our trouble: three tries, then parked
        except LetterError as refused:
            raise Refused(str(refused)) from None
        at = order.claimed.staged_at
        pdf = await sealed(tools, made.pdf, at)
        digest = await tools.store.put(pdf, wanted.key)
        sealed_at = at if tools.sealer is not None else None
        kept = Made(digest, made.sha256, sealed_at, made.pages, len(pdf), content.language)
        return Done(Delivery(OWN_STORE, f"{order.id}", detail=digest), made=kept)

    async def record(
        self,
        session: AsyncSession,
        done: Sequence[tuple[Order[RenderMandate], Any, Done]],
        now: datetime,
    ) -> None:
        for order, _, d in done:
            made: Made = d.made
            await session.execute(
                insert(MandateDocumentRow)
                .values(
                    mandate_id=order.effect.mandate_id, sha256=made.sha256,
                    rendered_sha256=made.rendered_sha256, sealed_at=made.sealed_at,
                    pages=made.pages, size_bytes=made.size_bytes, language=made.language,
                    made_at=now,
                )
                .on_conflict_do_nothing()
            )  # fmt: skip

    def facts(self, order: Order[RenderMandate], done: Done, now: datetime) -> Sequence[Event]:
        effect, made = order.effect, done.made
        return (MandateRendered(effect.claimant_id, effect.mandate_id, made.sha256),)


async def _with_key(
    tools: Tools, session: AsyncSession, content: SignedMandate, mandate_id: UUID
) -> ToMake | Refused:
    try:
        key = await mandate_key(session, tools.keyring, mandate_id)
    except DataErased:
        key = None
    return Refused("who signed has no key any more") if key is None else ToMake(content, key)
