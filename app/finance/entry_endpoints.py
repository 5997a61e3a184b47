"""Entries in the books over HTTP: finance proposes, a finance approver decides."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query, Response
from sqlalchemy import select

from app import ledger
from app.cases.schemas import Amount
from app.deps import Caller, Pages, ReadSession, Router, Session, problems
from app.domain.book_entries import LARGER, needed
from app.domain.errors import NotFound
from app.finance import entries
from app.finance import entry_schemas as s
from app.finance.books import leg_out
from app.finance.desk import open_desk
from app.pagination import keyset
from app.playbooks.posting_rules import load_posting_rules
from app.schemas import Id
from app.tables.entries import BookEntry

router = Router(prefix="/v1/finance", tags=["finance"])
UNKNOWN = problems("conflict", "not_found", "invalid")
State = Literal["proposed", "approved", "rejected"]


@router.get("/entry-kinds", operation_id="list_entry_kinds")
async def list_entry_kinds() -> s.EntryKindList:
    """Every kind of entry, and what each must name."""
    rules = load_posting_rules()
    return s.EntryKindList(
        items=[
            s.EntryKindOut(
                kind=kind,
                row="larger" if kind in LARGER else rules.rules[kind].row,
                names=sorted(entries.FIELD_OF[name] for name in names),
            )
            for kind, names in sorted(needed(rules).items())
        ]
    )


@router.post("/entries", operation_id="propose_entry", status_code=201, responses=UNKNOWN)
async def propose_entry(
    body: s.EntryIn, session: Session, caller: Caller, response: Response
) -> s.EntryOut:
    """Propose an entry; another person approves it."""
    entry = await entries.propose(await open_desk(session, caller), body)
    response.headers["location"] = f"/v1/finance/entries/{entry.id}"
    return await _out(session, entry)


@router.get("/entries", operation_id="list_entries")
async def list_entries(
    session: ReadSession,
    pages: Pages,
    state: Annotated[State | None, Query()] = None,
    case_id: Annotated[Id | None, Query()] = None,
) -> s.EntryList:
    """The newest first."""
    filters = {"state": state, "case": case_id}
    query = select(BookEntry)
    if state is not None:
        query = query.where(BookEntry.state == state)
    if case_id is not None:
        query = query.where(BookEntry.case_id == case_id)
    query = keyset(
        query,
        [BookEntry.__table__.c.id],
        pages.after("entries", filters),
        pages.limit,
        descending=True,
    )
    rows = list((await session.execute(query)).scalars())
    shown = rows[: pages.limit]
    return s.EntryList(
        items=[
            s.EntryLine(
                id=row.id, kind=row.kind, state=row.state,
                amount=Amount.of(row.amount_minor, row.currency), case_id=row.case_id,
                proposed_by=row.made_by, proposed_at=row.made_at, decided_by=row.decided_by,
            )
            for row in shown
        ],
        next_cursor=pages.next("entries", [shown[-1].id], filters)
        if len(rows) > pages.limit
        else None,
    )  # fmt: skip


@router.get("/entries/{entry_id}", operation_id="get_entry")
async def get_entry(entry_id: Id, session: ReadSession) -> s.EntryOut:
    entry = await session.get(BookEntry, entry_id)
    if entry is None:
        raise NotFound("there is no such entry", code="entry_not_found")
    return await _out(session, entry)


@router.post("/entries/{entry_id}/approve", operation_id="approve_entry", responses=UNKNOWN)
async def approve_entry(entry_id: Id, session: Session, caller: Caller) -> s.EntryOut:
    """Approve what another person proposed: it is posted, and its case is told."""
    return await _out(session, await entries.approve(await open_desk(session, caller), entry_id))


@router.post("/entries/{entry_id}/reject", operation_id="reject_entry", responses=UNKNOWN)
async def reject_entry(
    entry_id: Id, body: s.DecideIn, session: Session, caller: Caller
) -> s.EntryOut:
    """Drop an entry; nothing was posted."""
    desk = await open_desk(session, caller)
    return await _out(session, await entries.reject(desk, entry_id, body.reason))


async def _out(session: ReadSession, entry: BookEntry) -> s.EntryOut:
    posted = await ledger.postings_of_event(session, f"entry:{entry.id}:")
    return s.EntryOut(
        id=entry.id, kind=entry.kind, state=entry.state,
        amount=Amount.of(entry.amount_minor, entry.currency), names=entry.names,
        reason=entry.reason, case_id=entry.case_id, proposed_by=entry.made_by,
        proposed_at=entry.made_at, decided_by=entry.decided_by, decided_at=entry.decided_at,
        note=entry.note,
        postings=[
            s.EntryPostingOut(
                id=p.id, book=p.book, kind=p.kind, effective_on=p.effective_on,
                legs=[leg_out(leg) for leg in p.legs],
            )
            for p in posted
        ],
    )  # fmt: skip
