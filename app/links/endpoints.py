"""Documents too large for a mail, behind a link; and the links of a case, which can be revoked."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from fastapi import Path
from fastapi.responses import StreamingResponse

from app.deps import Held, ReadSession, Router, Session, Staff, problems
from app.documents.download import download_headers
from app.documents.keys import letter_key, paper_key
from app.documents.store import open_store
from app.links import service
from app.schemas import Id, Out

router = Router(prefix="/v1", tags=["messages"])
TOKEN = r"^[A-Za-z0-9_-]{43}$"  # noqa: S105  # a shape, not a token
# The token stands in the address: no cache keeps it, no page learns it, no search engine lists it.
PRIVATE = {
    "cache-control": "private, no-store",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex, nofollow",
    "content-security-policy": "default-src 'none'; sandbox",
}


class DocumentLinkOut(Out):
    """A letter that was mailed as a link. `opened` counts every download, also a mail scanner's.
    The link itself is nowhere but in the mail."""

    id: uuid.UUID
    letter_id: uuid.UUID
    file_name: str
    size_bytes: int
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    opened: int
    last_opened_at: datetime | None


class DocumentLinksOut(Out):
    items: list[DocumentLinkOut]


@router.get(
    "/documents/{token}",
    operation_id="open_document",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/pdf": {}}}, **problems("not_found")},
)
async def open_document(
    token: Annotated[str, Path(pattern=TOKEN)], held: Held
) -> StreamingResponse:
    """The document of a link in one of our mails, and nothing else."""
    async with held.database.transaction() as session:
        row = await service.open_link(session, token)
        headers = download_headers(row.file_name, row.sha256, row.size_bytes) | PRIVATE
        digest = row.sha256
        key = await letter_key(session, held.keyring, row.letter_id, digest)
        if key is None:  # exhibits of the letter: a paper of its case
            key = await paper_key(session, held.keyring, row.case_id, None)
    return StreamingResponse(
        open_store(held.settings).stream(digest, key), 200, headers, "application/pdf"
    )


@router.get("/cases/{case_id}/document-links", operation_id="list_document_links")
async def list_document_links(case_id: Id, session: ReadSession, caller: Staff) -> DocumentLinksOut:
    rows = await service.links_of(session, caller, case_id)
    return DocumentLinksOut(items=[DocumentLinkOut.model_validate(row) for row in rows])


@router.post(
    "/cases/{case_id}/document-links/{link_id}/revoke",
    operation_id="revoke_document_link",
    responses=problems("conflict"),
)
async def revoke_document_link(
    case_id: Id, link_id: Id, session: Session, caller: Staff
) -> DocumentLinkOut:
    """The link opens nothing any more."""
    return DocumentLinkOut.model_validate(await service.revoke(session, caller, case_id, link_id))
