"""A letter of the estate behind a link, and the link by which it is answered, as the workers leave
them."""

from __future__ import annotations

import secrets
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.answering.links import NewLink, keep_link
from app.clock import wall_now
from app.crypto import token_hash
from app.ids import new_id
from app.tables.mail import DocumentLinkRow


async def letter_link(session: AsyncSession, ids: dict[str, str], paper: bytes) -> dict[str, str]:
    """Its token and its id; `paper` lies in the store already."""
    token, link_id = secrets.token_urlsafe(32), new_id()
    await session.execute(
        insert(DocumentLinkRow).values(
            id=link_id, case_id=UUID(ids["case_id"]), letter_id=UUID(ids["letter_id"]),
            token_hash=token_hash(token), sha256=sha256(paper).hexdigest(),
            file_name="letter.pdf", size_bytes=len(paper), made_at=wall_now(),
            expires_at=wall_now() + timedelta(days=90), opened=0,
        )
    )  # fmt: skip
    answer = secrets.token_urlsafe(32)
    await keep_link(
        session, NewLink(token_hash(answer), 180), letter_id=UUID(ids["letter_id"]), language="en",
        now=wall_now(),
    )  # fmt: skip
    return {"token": token, "link_id": str(link_id), "answer_token": answer}
