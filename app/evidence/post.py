"""Keeping a scanned letter: a message of the channel `post` with its scan as the attachment."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.authorisation.principal import Principal
from app.case_change import CaseChange, lock_facts
from app.clock import wall_now
from app.correspondence.attachments import Attached, keep_attached
from app.correspondence.pen import into_pen
from app.crypto import Keyring
from app.documents.keys import key_to_write
from app.documents.store import ObjectStore
from app.domain.errors import Conflict
from app.domain.events import MessageArrived
from app.domain.screening import first_state
from app.evidence.receive import Received
from app.evidence.service import display_name
from app.ids import new_id
from app.messages.schemas import PlacedOut
from app.moment import read_moment
from app.tables.correspondence import InboundRow, MessageRow

CHANNEL: Final = "post"


async def keep(
    session: AsyncSession,
    caller: Principal,
    received: Received,
    store: ObjectStore,
    keyring: Keyring,
    *,
    case_id: UUID | None,
    sender: str,
    subject: str,
    file_name: str | None,
    scanned: bool,
) -> PlacedOut:
    """The bytes are there before any row is seen. Raises NotFound for a case out of the
    caller's scope, Conflict when this very scan was filed before."""
    case = await lock_facts(session, caller, case_id) if case_id is not None else None
    moment = await read_moment(session)
    inbound_id, message_id = new_id(), new_id()
    new = await session.scalar(
        pg_insert(InboundRow)
        .values(
            id=inbound_id, provider=CHANNEL, external_id=received.sha256, raw=b"",
            sha256=received.sha256, stored_at=wall_now(), received_at=moment.now, state="done",
            tries=0, envelope_to=None, envelope_from=None,
        )
        .on_conflict_do_nothing()
        .returning(InboundRow.id)
    )  # fmt: skip
    if new is None:
        raise Conflict("this very scan was filed before", code="post_filed")
    key = await key_to_write(session, keyring, inbound_id, moment.now)
    await store.put_file(received.path, received.sha256, key)
    await session.execute(insert(MessageRow).values(
        id=message_id, case_id=case.id if case else None, inbound_id=inbound_id, direction="in",
        channel=CHANNEL, sender=sender if case else "unknown", from_address="", to_address="",
        subject=subject, text="", automatic=False, state="unread" if case else "pen",
        pen_reasons=[] if case else ["came_by_post"], message_id_header=None,
        received_at=moment.now,
    ))  # fmt: skip
    name = display_name(file_name or subject, received.media_type)
    await keep_attached(session, inbound_id, [Attached(
        name, received.media_type, received.media_type, received.size, received.sha256,
        first_state(received.media_type, scanned=scanned),
    )])  # fmt: skip
    if case is None:
        await into_pen(session, message_id, subject=subject, words="", sender=None)
        return PlacedOut(message_id=message_id, state="pen", case_ids=[])
    change = CaseChange(session, caller, case, moment)
    await change.advance(MessageArrived(message_id, sender, automatic=False))
    return PlacedOut(message_id=message_id, state="unread", case_ids=[case.id])
