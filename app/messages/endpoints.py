"""The holding pen: messages that could not be placed, with the reasons, and placing them."""

from __future__ import annotations

from fastapi import Response
from fastapi.responses import HTMLResponse, StreamingResponse

from app.case_state import CaseStateOut, read_state
from app.correspondence.attachments import attachments_of, released_attachment
from app.deps import Held, Pages, ReadSession, Router, Session, Staff, problems
from app.documents.download import download_headers
from app.documents.keys import subject_key
from app.documents.store import open_store
from app.etag import etag
from app.messages import queries, service
from app.messages.schemas import (
    FileMessageIn,
    NotOursIn,
    PenOut,
    PlacedOut,
    ReleaseIn,
    SplitMessageIn,
    UnfileIn,
)
from app.pagination import keyset
from app.schemas import Id

router = Router(prefix="/v1/messages", tags=["messages"])


@router.get("/pen", operation_id="list_pen")
async def list_pen(session: ReadSession, caller: Staff, pages: Pages) -> PenOut:
    """What waits for a place, and what lies in quarantine; oldest first."""
    query = keyset(queries.pen_query(), queries.ORDER, pages.after("pen"), pages.limit)
    rows = (await session.execute(query)).all()
    shown = rows[: pages.limit]
    cases = await queries.guessed_cases(session, shown, caller)
    files = await attachments_of(session, [row.id for row in shown])
    return PenOut(
        items=[queries.pen_message(row, caller, cases, files) for row in shown],
        next_cursor=pages.next("pen", [shown[-1].received_at, shown[-1].id])
        if len(rows) > pages.limit
        else None,
    )


@router.get(
    "/{message_id}/attachments/{attachment_id}",
    operation_id="get_attachment",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
async def get_attachment(
    message_id: Id, attachment_id: Id, session: ReadSession, caller: Staff, held: Held
) -> StreamingResponse:
    """A file that came with a mail, byte for byte, always as a download."""
    row = await released_attachment(session, caller, message_id, attachment_id)
    key = await subject_key(session, held.keyring, row.inbound_id)
    return StreamingResponse(
        open_store(held.settings).stream(row.sha256, key),
        200,
        download_headers(row.name, row.sha256, row.size_bytes),
        "application/octet-stream",
    )


@router.get(
    "/{message_id}/html",
    operation_id="get_message_html",
    response_class=HTMLResponse,
    responses={200: {"content": {"text/html": {}}}},
)
async def get_message_html(message_id: Id, session: ReadSession, caller: Staff) -> HTMLResponse:
    """A mail as it looked, cleaned: it runs nothing, loads nothing, and its links are only told."""
    return HTMLResponse(await queries.message_html(session, caller, message_id))


@router.post("/{message_id}/file", operation_id="file_message", responses=problems("conflict"))
async def file_message(
    message_id: Id, body: FileMessageIn, session: Session, caller: Staff, response: Response
) -> CaseStateOut:
    """Say whose message it is; a person's words then wait to be read on that case."""
    await service.file_message(session, caller, message_id, body)
    state = await read_state(session, body.case_id)
    response.headers["ETag"] = etag(state.version)
    return state


@router.post("/{message_id}/split", operation_id="split_message", responses=problems("conflict"))
async def split_message(
    message_id: Id, body: SplitMessageIn, session: Session, caller: Staff
) -> PlacedOut:
    """One mail about several cases: each of them gets it, and it is read on each."""
    return await service.split_message(session, caller, message_id, body.parts)


@router.post(
    "/{message_id}/not-ours", operation_id="message_not_ours", responses=problems("conflict")
)
async def message_not_ours(
    message_id: Id, body: NotOursIn, session: Session, caller: Staff
) -> PlacedOut:
    """It belongs to none of our cases; it is kept, and those that waited for it run again."""
    return await service.not_ours(session, caller, message_id, body)


@router.post(
    "/{message_id}/release", operation_id="release_message", responses=problems("conflict")
)
async def release_message(
    message_id: Id, body: ReleaseIn, session: Session, caller: Staff
) -> PlacedOut:
    """Let a mail that names no one sender out of quarantine: it may then be filed like any other,
    and is believed no more than before."""
    return await service.release_message(session, caller, message_id, body.reason)


@router.post("/{message_id}/unfile", operation_id="unfile_message", responses=problems("conflict"))
async def unfile_message(
    message_id: Id, body: UnfileIn, session: Session, caller: Staff
) -> PlacedOut:
    """Undo a filing nobody has acted on: back to the pen."""
    return await service.unfile_message(session, caller, message_id, body.reason)
