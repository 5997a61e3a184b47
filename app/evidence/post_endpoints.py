"""Paper that came in: a handler scans it and files it like a mail, to a case or to the pen."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request

from app.deps import Held, Router, Session, Staff, limited_stream, problems
from app.documents.store import open_store
from app.evidence import post
from app.evidence.endpoints import QUARANTINE
from app.evidence.kinds import JPEG, PDF, PNG
from app.evidence.receive import check_declared, quarantine
from app.messages.schemas import PlacedOut, Sender
from app.schemas import Id, Line, OptionalLine

router = Router(prefix="/v1/post", tags=["messages"])
SCANS = (PDF, JPEG, PNG)

_BODY = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in SCANS},
    }
}


@router.post(
    "",
    operation_id="file_post",
    status_code=201,
    openapi_extra=_BODY,
    responses=problems("conflict", "too_large", "unsupported", "not_found"),
)
async def file_post(
    subject: Annotated[Line, Query(description="What the letter is about, in a few words.")],
    request: Request,
    session: Session,
    caller: Staff,
    held: Held,
    sender: Annotated[Sender, Query(description="Who wrote it, as a person reads it.")] = "unknown",
    case_id: Annotated[Id | None, Query(description="Without it, the holding pen.")] = None,
    file_name: Annotated[OptionalLine | None, Query()] = None,
) -> PlacedOut:
    """A scanned letter (PDF, JPEG or PNG). It waits to be read like a mail, and what goes on by
    itself stands still until then. The same scan again is refused."""
    declared = check_declared(request.headers.get("content-type"), SCANS)
    stream = limited_stream(request, held.settings.upload_bytes_max)
    async with quarantine(stream, held.settings.data_dir / QUARANTINE, declared) as received:
        return await post.keep(
            session, caller, received, open_store(held.settings), held.keyring, case_id=case_id,
            sender=sender, subject=subject, file_name=file_name,
            scanned=held.settings.clamd is not None,
        )  # fmt: skip
