"""Papers of a case over HTTP: the API orders and hands out; a worker makes them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import Query
from fastapi.responses import StreamingResponse

from app.deps import Caller, Held, ReadSession, Router, Session
from app.documents.download import download_headers
from app.documents.keys import paper_key
from app.documents.store import open_store
from app.papers import service
from app.schemas import Id, In, LanguageCode, Out
from app.tables.papers import CasePaperRow, PaperFileRow

router = Router(prefix="/v1/cases/{case_id}/papers", tags=["cases"])


class StatementIn(In):
    """`claimant_id`: whose money it tells of. Without `language` it speaks theirs."""

    claimant_id: Id
    language: LanguageCode | None = None


class PaperFileOut(Out):
    part: int
    file_name: str
    sha256: str
    pages: int
    size_bytes: int


class PaperOut(Out):
    """`files` is empty until a worker has made it. `language` null: its reader's, until then."""

    id: uuid.UUID
    kind: str
    claimant_id: uuid.UUID | None
    language: str | None
    asked_at: datetime
    made_at: datetime | None
    files: list[PaperFileOut]


class PapersOut(Out):
    items: list[PaperOut]


def shown(row: CasePaperRow, files: Sequence[PaperFileRow] = ()) -> PaperOut:
    return PaperOut(
        id=row.id, kind=row.kind, claimant_id=row.claimant_id, language=row.language,
        asked_at=row.asked_at, made_at=row.made_at,
        files=[PaperFileOut.model_validate(each) for each in files],
    )  # fmt: skip


@router.get("", operation_id="list_papers")
async def list_papers(case_id: Id, session: ReadSession, caller: Caller) -> PapersOut:
    """Statements, invoices and credit notes, the newest first; a consumer sees their own."""
    rows = await service.listed(session, caller, case_id)
    files = await service.files_of(session, [row.id for row in rows])
    return PapersOut(items=[shown(row, files[row.id]) for row in rows])


@router.post("", operation_id="ask_statement", status_code=202)
async def ask_statement(
    case_id: Id, body: StatementIn, session: Session, caller: Caller
) -> PaperOut:
    """Orders a statement of account: every movement, our fee, the VAT inside it, and what is left.
    It says what the books say when it is made; its file appears in the list."""
    row = await service.ask_statement(session, caller, case_id, body.claimant_id, body.language)
    return shown(row)


@router.post("/{paper_id}/again", operation_id="make_paper_again", status_code=202)
async def make_paper_again(case_id: Id, paper_id: Id, session: Session, caller: Caller) -> PaperOut:
    """For a paper that lacked something when it was to be made. What is made stays as it is."""
    row = await service.make_again(session, caller, case_id, paper_id)
    files = await service.files_of(session, [row.id])
    return shown(row, files[row.id])


@router.get(
    "/{paper_id}/file",
    operation_id="get_paper",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/pdf": {}}}},
)
async def get_paper(
    case_id: Id, paper_id: Id, session: ReadSession, caller: Caller, held: Held,
    part: Annotated[int, Query(ge=1, le=1_000)] = 1,
) -> StreamingResponse:  # fmt: skip
    """The stored file, byte for byte; its hash stands in the ETag."""
    paper, row = await service.file_of(session, caller, case_id, paper_id, part)
    key = await paper_key(session, held.keyring, case_id, paper.claimant_id)
    return StreamingResponse(
        open_store(held.settings).stream(row.sha256, key), 200,
        download_headers(row.file_name, row.sha256, row.size_bytes), "application/pdf",
    )  # fmt: skip
