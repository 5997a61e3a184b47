"""What hung on an incoming mail: kept with it, shown with every message made of it.

Whether it may be downloaded by people who work on cases says app.domain.screening. What is not
served is listed, so that a person can ask for it in another form.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.authorisation.principal import Principal
from app.authorisation.scope import case_scope
from app.correspondence.schemas import AttachmentOut
from app.domain.errors import NotFound
from app.domain.screening import SERVED
from app.ids import new_id
from app.tables.cases import CaseRow
from app.tables.correspondence import AttachmentRow, MessageRow


@dataclass(frozen=True, slots=True)
class Attached:
    """A file of a mail whose bytes are in the document store under `sha256`. `declared_type` is
    the sender's word, `media_type` what the content is (None: of no kind that we take); `state` of
    app.domain.screening."""

    name: str
    declared_type: str
    media_type: str | None
    size_bytes: int
    sha256: str
    state: str


async def keep_attached(
    session: AsyncSession, inbound_id: UUID, attached: Sequence[Attached]
) -> None:
    rows = [
        {
            "id": new_id(), "inbound_id": inbound_id, "position": position, "name": one.name,
            "declared_type": one.declared_type, "media_type": one.media_type,
            "size_bytes": one.size_bytes, "sha256": one.sha256,
            "state": one.state,
        }
        for position, one in enumerate(attached)
    ]  # fmt: skip
    if rows:
        await session.execute(insert(AttachmentRow), rows)


async def attachments_of(
    session: AsyncSession, message_ids: Collection[UUID]
) -> dict[UUID, list[AttachmentOut]]:
    """By message, in the order of the mail."""
    found: dict[UUID, list[AttachmentOut]] = {}
    if not message_ids:
        return found
    rows = await session.execute(
        select(MessageRow.id.label("message_id"), AttachmentRow)
        .join(AttachmentRow, AttachmentRow.inbound_id == MessageRow.inbound_id)
        .where(MessageRow.id.in_(message_ids))
        .order_by(AttachmentRow.position)
    )
    for message_id, row in rows:
        found.setdefault(message_id, []).append(_shown(message_id, row))
    return found


def _shown(message_id: UUID, row: AttachmentRow) -> AttachmentOut:
    released = row.state in SERVED
    return AttachmentOut(
        id=row.id,
        name=row.name,
        declared_type=row.declared_type,
        media_type=row.media_type,
        size_bytes=row.size_bytes,
        state=row.state,
        download=f"/v1/messages/{message_id}/attachments/{row.id}" if released else None,
    )


async def released_attachment(
    session: AsyncSession, caller: Principal, message_id: UUID, attachment_id: UUID
) -> Any:
    """One file of a message on a case the caller sees, or in the holding pen. Raises NotFound."""
    query = (
        select(AttachmentRow)
        .join(MessageRow, MessageRow.inbound_id == AttachmentRow.inbound_id)
        .outerjoin(CaseRow, CaseRow.id == MessageRow.case_id)
        .where(
            MessageRow.id == message_id,
            AttachmentRow.id == attachment_id,
            AttachmentRow.state.in_(SERVED),
            or_(MessageRow.case_id.is_(None), case_scope(caller)),
        )
    )
    row = (await session.execute(query)).scalar_one_or_none()
    if row is None:
        raise NotFound("there is no such file on this message", code="attachment_not_found")
    return row
