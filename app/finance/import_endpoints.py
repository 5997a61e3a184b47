"""Files of the bank over HTTP: import, preview, list, undo."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from sqlalchemy import select

from app.banking.importing import ImportDone
from app.banking.queries import posted_with
from app.banking.reading.reader import FILE_BYTES_MAX
from app.deps import Caller, Held, Pages, ReadSession, Router, Session, limited_stream, problems
from app.domain.errors import Unsupported
from app.finance import bank_files
from app.finance import bank_schemas as s
from app.finance.books import amount
from app.finance.desk import open_desk
from app.finance.telling import NotTold
from app.pagination import keyset
from app.schemas import Id
from app.tables.banking import BankImport

router = Router(prefix="/v1/bank", tags=["bank"])
MEDIA = (
    "application/xml", "text/xml", "text/plain", "application/zip", "application/octet-stream",
)  # fmt: skip
_BODY = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA},
    }
}
AfterGap = Annotated[
    bool, Query(description="a person says that the bank skips numbers: no statement is missing")
]


def _checked_media(request: Request) -> None:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in MEDIA:
        raise Unsupported(f"send the file as one of {', '.join(MEDIA)}")


@router.post(
    "/statements",
    operation_id="import_statement",
    openapi_extra=_BODY,
    responses=problems("conflict", "too_large", "unsupported", "invalid"),
)
async def import_statement(
    request: Request, session: Session, caller: Caller, held: Held, after_gap: AfterGap = False
) -> s.ImportOut:
    """A bank's file as it came (camt.053, MT940, or a ZIP of them): all of it or nothing. The same
    file again changes nothing. It settles payouts, brings back returned ones, and puts receipts to
    the unallocated. A statement or page that comes before its predecessor waits for it; camt.052,
    camt.054 and MT942 only inform."""
    _checked_media(request)
    async with bank_files.spooled(limited_stream(request, FILE_BYTES_MAX)) as raw:
        await bank_files.keep_file(held.database, held.keyring, raw)
        desk = await open_desk(session, caller)
        imported = await bank_files.import_statement(desk, held.keyring, raw, after_gap=after_gap)
    return _told(imported.done, imported.not_told)


@router.post(
    "/statements/preview",
    operation_id="preview_statement",
    openapi_extra=_BODY,
    responses=problems("conflict", "too_large", "unsupported", "invalid"),
)
async def preview_statement(
    request: Request, session: Session, caller: Caller, held: Held, after_gap: AfterGap = False
) -> s.ImportOut:
    """What importing the file would do, or why it would be refused. Nothing stays of it."""
    _checked_media(request)
    async with bank_files.spooled(limited_stream(request, FILE_BYTES_MAX)) as raw:
        desk = await open_desk(session, caller)
        done = await bank_files.preview_statement(desk, held.keyring, raw, after_gap=after_gap)
    return _told(done, [])


def _told(done: ImportDone, not_told: list[NotTold]) -> s.ImportOut:
    return s.ImportOut(
        import_id=done.import_id,
        state=done.state,
        statements=[
            s.StatementOut(
                id=one.id,
                bank_account_id=one.bank_account_id,
                name=one.ident,
                closes_on=one.closes_on,
                closing_balance=amount(one.closing),
                lines=one.movements,
                already_imported=one.replayed,
            )
            for one in done.statements
        ],
        waiting=[
            s.WaitingOut(statement=h.statement, missing=h.missing, how_to_go_on=h.how)
            for h in done.waiting
        ],
        posted_with=list(done.together),
        warnings=list(dict.fromkeys(done.warnings)),
        receipts=list(done.receipts),
        payouts_settled=len(done.settled),
        payouts_returned=len(done.returned),
        to_explain=list(done.unexplained),
        not_told=[s.ProblemWithCase(case_id=n.case_id, why=n.why) for n in not_told],
    )


@router.get("/imports", operation_id="list_imports")
async def list_imports(session: ReadSession, pages: Pages) -> s.ImportList:
    """Every file that was imported, the newest first; what waits says what for."""
    every: Any = select(BankImport)
    query = keyset(
        every,
        [BankImport.__table__.c.id],
        pages.after("imports"),
        pages.limit,
        descending=True,
    )
    rows = (await session.scalars(query)).all()
    shown = rows[: pages.limit]
    together = await posted_with(session, shown)
    return s.ImportList(
        items=[_line(row, together[row.id]) for row in shown],
        next_cursor=pages.next("imports", [shown[-1].id]) if len(rows) > pages.limit else None,
    )


@router.post(
    "/imports/{import_id}/undo",
    operation_id="undo_import",
    responses=problems("conflict", "not_found"),
)
async def undo_import(
    import_id: Id, body: s.UndoImportIn, session: Session, caller: Caller
) -> s.ImportLine:
    """Take a whole import back by mirror postings; files whose pages made a statement with its
    pages go with it (`posted_with`). Refused, with what is in the way, when money of
    it was allocated, paid or explained, and when a later statement stands on it."""
    desk = await open_desk(session, caller)
    row, *others = await bank_files.undo(desk, import_id, body.reason)
    return _line(row, [other.id for other in others])


def _line(row: BankImport, together: list[UUID]) -> s.ImportLine:
    held = row.held
    return s.ImportLine(
        id=row.id,
        state=row.state,
        imported_by=row.made_by,
        imported_at=row.made_at,
        statements=[
            s.ImportedStatement(
                kind=head["kind"],
                name=head["name"],
                account=head["account"],
                number=head["number"],
                page=head["page"],
                closes_on=head["closes_on"],
                lines=head["lines"],
            )
            for head in row.heads
        ],
        waiting=s.WaitingOut(
            statement=held["statement"], missing=held["missing"], how_to_go_on=held["how"]
        )
        if held
        else None,
        posted_with=together,
        undone_by=row.undone_by,
        undone_at=row.undone_at,
        undo_reason=row.undo_reason,
    )
