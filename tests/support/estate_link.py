"""A letter of the estate behind a link, the link by which it is answered, and a paper of account,
as the workers leave them."""

from __future__ import annotations

import secrets
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.answering.links import NewLink, keep_link
from app.clock import wall_now
from app.crypto import token_hash
from app.ids import new_id
from app.tables.mail import DocumentLinkRow
from app.tables.papers import CasePaperRow, PaperFileRow

# What its claimants signed, as the worker that made the document would leave it.
_DOCUMENT = text("""
    INSERT INTO mandate_documents (mandate_id, sha256, rendered_sha256, pages, size_bytes, language,
                                   made_at)
    SELECT id, :sha, :sha, 1, :size, 'en', now() FROM mandates WHERE case_id = CAST(:case AS uuid)
        ON CONFLICT DO NOTHING
""")


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
    await session.execute(_DOCUMENT, {
        "case": ids["case_id"], "sha": sha256(paper).hexdigest(), "size": len(paper),
    })  # fmt: skip
    paper_id = await made_paper(session, ids, paper)
    return {
        "token": token, "link_id": str(link_id), "answer_token": answer,
        "paper_id": str(paper_id),
    }  # fmt: skip


async def made_paper(session: AsyncSession, ids: dict[str, str], paper: bytes) -> UUID:
    """A statement of the claimant, as the worker that made it would leave it."""
    paper_id, now = new_id(), wall_now()
    await session.execute(
        insert(CasePaperRow).values(
            id=paper_id, case_id=UUID(ids["case_id"]), kind="statement",
            claimant_id=UUID(ids["claimant_id"]), language="en", asked_by="test", asked_at=now,
            made_at=now,
        )
    )  # fmt: skip
    await session.execute(
        insert(PaperFileRow).values(
            paper_id=paper_id, part=1, sha256=sha256(paper).hexdigest(), pages=1,
            size_bytes=len(paper), file_name="statement.pdf",
        )
    )  # fmt: skip
    return paper_id
