"""A letter too large for a mail goes as a link: the token belongs to the order and is derived from
it, so a repetition mails the same link; only its hash is stored, before the mail leaves."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from app.crypto import derive, token_for, token_hash
from app.moment import read_moment
from app.tables.mail import DocumentLinkRow
from workers.providers.errors import Transient
from workers.tools import Tools
from workers.trouble import DATABASE_TROUBLE

PURPOSE: Final = "document-link"


async def link_for(
    tools: Tools, effect_id: UUID, case_id: UUID, letter_id: UUID, *,
    file_name: str, sha256: str, size_bytes: int,
) -> str:  # fmt: skip
    """The address of the letter. Raises Transient when it could not be written down."""
    key = derive(tools.settings.secret_key.get_secret_value(), PURPOSE)
    token = token_for(key, f"document:{effect_id}")
    try:
        async with tools.database.transaction() as session:
            now = (await read_moment(session)).now
            await session.execute(
                insert(DocumentLinkRow).on_conflict_do_nothing().values(
                    id=effect_id, case_id=case_id, letter_id=letter_id,
                    token_hash=token_hash(token), sha256=sha256, file_name=file_name,
                    size_bytes=size_bytes, made_at=now, opened=0,
                    expires_at=now + timedelta(days=tools.settings.document_link_days),
                )
            )  # fmt: skip
    except DATABASE_TROUBLE as trouble:
        raise Transient(f"no link: {type(trouble).__name__}") from None
    return f"{tools.settings.public_url}/v1/documents/{token}"
