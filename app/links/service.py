"""Letters behind links: opened by who has the token, until they expire or are revoked."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import audit
from app.authorisation import Principal
from app.cases.access import own_case
from app.crypto import token_hash
from app.domain.errors import Conflict, NotFound
from app.moment import read_moment
from app.tables.mail import DocumentLinkRow


async def open_link(session: AsyncSession, token: str) -> DocumentLinkRow:
    """The document, counted as opened. Unknown, expired and revoked answer alike: NotFound."""
    now = (await read_moment(session)).now
    row: DocumentLinkRow | None = await session.scalar(
        update(DocumentLinkRow)
        .where(
            DocumentLinkRow.token_hash == token_hash(token),
            DocumentLinkRow.expires_at > now,
            DocumentLinkRow.revoked_at.is_(None),
        )
        .values(opened=DocumentLinkRow.opened + 1, last_opened_at=now)
        .returning(DocumentLinkRow)
    )
    if row is None:
        raise NotFound("this link is not known, or no longer works", code="link_not_found")
    return row


async def links_of(
    session: AsyncSession, caller: Principal, case_id: uuid.UUID
) -> Sequence[DocumentLinkRow]:
    """Raises NotFound."""
    await own_case(session, caller, case_id)
    query = select(DocumentLinkRow).where(DocumentLinkRow.case_id == case_id)
    return (await session.scalars(query.order_by(DocumentLinkRow.id))).all()


async def revoke(
    session: AsyncSession, caller: Principal, case_id: uuid.UUID, link_id: uuid.UUID
) -> DocumentLinkRow:
    """Nobody opens it any more, from this moment. Raises NotFound, Conflict when it is revoked."""
    await own_case(session, caller, case_id)
    now = (await read_moment(session)).now
    row = await session.get(DocumentLinkRow, link_id, with_for_update=True)
    if row is None or row.case_id != case_id:
        raise NotFound("there is no such link on this case", code="link_not_found")
    if row.revoked_at is not None:
        raise Conflict("this link is revoked already", code="link_revoked")
    row.revoked_at, row.revoked_by = now, caller.actor
    await audit.append(
        session, stream=audit.SYSTEM, code="document_link_revoked", actor=caller.actor, at=now,
        params={"link": str(link_id)},
    )  # fmt: skip
    await session.flush()
    return row
