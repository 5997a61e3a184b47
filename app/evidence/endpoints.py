"""Evidence over HTTP. An upload is the bare file as the body, whatever its size, in one stream."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse

from app.cases.access import own_case
from app.deps import Caller, Held, Pages, ReadSession, Router, Session, limited_stream, problems
from app.documents.download import download_headers
from app.documents.keys import case_key
from app.documents.store import open_store
from app.evidence import service
from app.evidence.kinds import KINDS
from app.evidence.receive import check_declared, quarantine
from app.evidence.schemas import EvidenceAdded, EvidenceList
from app.schemas import Id, Line, OptionalLine

router = Router(prefix="/v1/cases/{case_id}/evidence", tags=["evidence"])
QUARANTINE = "quarantine"  # folder in data_dir; nothing in it is ever served

_BODY = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in KINDS},
    }
}


@router.post(
    "",
    operation_id="upload_evidence",
    status_code=201,
    openapi_extra=_BODY,
    responses=problems("conflict", "too_large", "unsupported"),
)
async def upload_evidence(
    case_id: Id,
    what: Annotated[Line, Query(description="What the file shows.")],
    request: Request,
    session: Session,
    caller: Caller,
    held: Held,
    response: Response,
    file_name: Annotated[OptionalLine | None, Query()] = None,
) -> EvidenceAdded:
    """A file for the case: PDF, JPEG, PNG, plain text or a mail, told by its content."""
    declared = check_declared(request.headers.get("content-type"))
    # A case of one's own is asked for before the first byte is taken, on a connection that is
    # given back: a slow sender holds no transaction open.
    async with held.database.read() as before:
        await own_case(before, caller, case_id)
    stream = limited_stream(request, held.settings.upload_bytes_max)
    folder = held.settings.data_dir / QUARANTINE
    async with quarantine(stream, folder, declared) as received:
        row = await service.keep(
            session,
            caller,
            case_id,
            received,
            open_store(held.settings),
            held.keyring,
            what=what,
            file_name=file_name,
            scanned=held.settings.clamd is not None,
        )
    response.headers["location"] = f"/v1/cases/{case_id}/evidence/{row.id}"
    case = await own_case(session, caller, case_id)
    return EvidenceAdded(**service.shown(row, caller).model_dump(), case_version=case.version)


@router.get("", operation_id="list_evidence")
async def list_evidence(
    case_id: Id, session: ReadSession, caller: Caller, pages: Pages
) -> EvidenceList:
    rows, following = await service.listed(session, caller, case_id, pages)
    return EvidenceList(items=[service.shown(row, caller) for row in rows], next_cursor=following)


@router.get(
    "/{evidence_id}",
    operation_id="get_evidence",
    response_class=StreamingResponse,
    responses={200: {"content": {kind: {} for kind in KINDS}}},
)
async def get_evidence(
    case_id: Id, evidence_id: Id, session: ReadSession, caller: Caller, held: Held
) -> StreamingResponse:
    """The file as it was given, always as a download and never for showing in a page."""
    row = await service.found(session, caller, case_id, evidence_id)
    key = await case_key(session, held.keyring, case_id)
    return StreamingResponse(
        open_store(held.settings).stream(row.sha256, key),
        200,
        download_headers(row.file_name, row.sha256, row.size_bytes),
        row.media_type,
    )
