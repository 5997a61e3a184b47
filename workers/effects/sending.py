"""What all effects share that end as a mail to one person, or as a sheet of paper to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.crypto import SubjectCipher
from app.domain.effects import AnyEffect
from app.domain.events import Event
from app.ids import new_id
from app.tables.correspondence import MessageRow
from app.tables.post import PostWatchRow
from workers.effects.handler import Done, Order
from workers.mail import Draft, compose
from workers.post_watch import watch_row
from workers.postal import Undeliverable, check_address
from workers.providers.delivery import Guard
from workers.providers.errors import Refused
from workers.tools import Tools

EffectT = TypeVar("EffectT", bound=AnyEffect)
MAIL_SECONDS_MAX = 660.0  # RFC 5321 4.5.3.2.6: ten minutes for the last reply, one for the rest
POST_SECONDS_MAX = 60.0
TO_COLUMN = "messages.to_cipher"  # what the ciphertext is bound to, with the effect's id


@dataclass(frozen=True, slots=True)
class Sent:
    """What the file of the case keeps about a mail that went out. `person` seals the address of a
    consumer; a company's or a body's stands in clear."""

    channel: str
    from_address: str
    to_address: str
    subject: str
    text: str
    message_id: str | None
    letter_id: UUID | None = None
    person: SubjectCipher | None = None


class MailEffect(Generic[EffectT]):
    """Acts on a prepared `Draft`; without keys, so an unseen end is unknown."""

    effect: type[EffectT]
    timeout_seconds = MAIL_SECONDS_MAX

    def provider(self, tools: Tools, prepared: Any) -> str:
        on_paper = not isinstance(prepared, Draft)
        return tools.providers.post.name if on_paper else tools.providers.mail.name

    async def act(self, tools: Tools, order: Order[EffectT], prepared: Any, guard: Guard) -> Done:
        assert isinstance(prepared, Draft)
        return await send_draft(tools, prepared, guard)

    async def record(
        self, session: AsyncSession, done: Sequence[tuple[Order[EffectT], Any, Done]], now: datetime
    ) -> None:
        await keep_sent(session, done, now)

    def facts(self, order: Order[EffectT], done: Done, now: datetime) -> Sequence[Event]:
        return ()


def undeliverable(lines: Sequence[str], country: str) -> Refused | None:
    """Why no postman could deliver to this address; None when one could, or nobody can say."""
    try:
        check_address(lines, country)
    except Undeliverable as problem:
        return Refused(f"address: {problem}")
    return None


async def send_draft(
    tools: Tools, draft: Draft, guard: Guard, *, letter_id: UUID | None = None
) -> Done:
    mail = compose(draft, tools.settings)
    delivery = await tools.providers.mail.send(mail, guard=guard)
    sender = draft.reply_to or ""
    sent = Sent(
        "email", sender, mail.to, draft.subject, draft.text, mail.message_id, letter_id,
        draft.person,
    )  # fmt: skip
    return Done(delivery, made=sent)


async def keep_sent(
    session: AsyncSession, done: Sequence[tuple[Order[Any], Any, Done]], now: datetime
) -> None:
    """Promise 6: every contact is filed. Orders without a case (sign-in links) are not contacts."""
    rows: list[dict[str, Any]] = [
        _addressed(d.made, order.id)
        | {
            "id": new_id(), "case_id": order.claimed.case_id, "inbound_id": None,
            "effect_id": order.id, "letter_id": d.made.letter_id, "direction": "out",
            "channel": d.made.channel, "sender": "us", "from_address": d.made.from_address,
            "subject": d.made.subject, "text": d.made.text,
            "automatic": True, "state": "sent", "pen_reasons": [],
            "message_id_header": d.made.message_id, "received_at": now,
        }
        for order, _, d in done
        if isinstance(d.made, Sent) and order.claimed.case_id is not None
    ]  # fmt: skip
    if rows:
        await session.execute(insert(MessageRow), rows)
    watched = [
        watch_row(order.id, order.claimed.case_id, d.made.letter_id, d.delivery, now)
        for order, _, d in done
        if isinstance(d.made, Sent) and order.claimed.case_id is not None and d.delivery.tracked
    ]
    if watched:
        await session.execute(insert(PostWatchRow), watched)


def _addressed(sent: Sent, effect_id: UUID) -> dict[str, Any]:
    """To whom: the address of a consumer is sealed by their own key, bound to the effect."""
    if sent.person is None:
        return {"to_address": sent.to_address, "to_consumer_id": None, "to_cipher": None}
    sealed = sent.person.encrypt(sent.to_address, column=TO_COLUMN, row_id=effect_id)
    return {"to_address": "", "to_consumer_id": sent.person.subject_id, "to_cipher": sealed}
