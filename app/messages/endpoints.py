"""The holding pen: messages that could not be placed, with the reasons, and placing them."""

from __future__ import annotations

from fastapi import Response

from app.case_state import CaseStateOut, read_state
from app.deps import Pages, ReadSession, Router, Session, Staff, problems
from app.etag import etag
from app.messages import queries, service
from app.messages.schemas import FileMessageIn, PenOut
from app.pagination import keyset
from app.schemas import Id

router = Router(prefix="/v1/messages", tags=["messages"])


@router.get("/pen", operation_id="list_pen")
async def list_pen(session: ReadSession, caller: Staff, pages: Pages) -> PenOut:
    """Oldest first."""
    query = keyset(queries.pen_query(), queries.ORDER, pages.after("pen"), pages.limit)
    rows = (await session.execute(query)).all()
    shown = rows[: pages.limit]
    return PenOut(
        items=[queries.pen_message(row, caller) for row in shown],
        next_cursor=pages.next("pen", [shown[-1].received_at, shown[-1].id])
        if len(rows) > pages.limit
        else None,
    )


@router.post("/{message_id}/file", operation_id="file_message", responses=problems("conflict"))
async def file_message(
    message_id: Id, body: FileMessageIn, session: Session, caller: Staff, response: Response
) -> CaseStateOut:
    """Say whose message it is; a person's words then wait to be read on that case."""
    filed = await service.file_message(session, caller, message_id, body.case_id, body.sender)
    state = await read_state(session, filed.case_id)
    response.headers["ETag"] = etag(state.version)
    return state
