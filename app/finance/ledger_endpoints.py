"""The books over HTTP: postings of a case, the trial balance, invoices."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query

from app.deps import Caller, Pages, ReadSession, Router
from app.finance import books
from app.finance import ledger_schemas as s
from app.finance.bank_endpoints import Reader
from app.finance.match_words import said_in
from app.pagination import keyset
from app.schemas import Date, Id
from app.tables.ledger import CommissionInvoice

router = Router(prefix="/v1", tags=["ledger"])


@router.get("/cases/{case_id}/postings", operation_id="case_postings")
async def case_postings(
    case_id: Id, session: ReadSession, caller: Caller, language: Reader = None
) -> s.CasePostingsOut:
    """Everything posted for a case in both books, its allocations with their reasons, invoices."""
    return await books.case_postings(session, caller, case_id, said_in(language))


@router.get("/ledger/trial-balance", operation_id="trial_balance")
async def trial_balance(
    session: ReadSession,
    until: Annotated[
        Date | None, Query(description="Lines up to this day; proofs are of now.")
    ] = None,
) -> s.TrialBalanceOut:
    """Both books account by account, with the proof that client money is all there."""
    return await books.trial_balance(session, until)


@router.get("/invoices", operation_id="list_invoices")
async def list_invoices(
    session: ReadSession,
    pages: Pages,
    case_id: Annotated[Id | None, Query()] = None,
    mode: Annotated[Literal["deducted", "receivable"] | None, Query()] = None,
) -> s.InvoiceList:
    """Invoices and credit notes, the newest first."""
    filters = {"case": case_id, "mode": mode}
    query = keyset(
        books.invoices_query(case_id=case_id, mode=mode),
        [CommissionInvoice.__table__.c.id],
        pages.after("invoices", filters),
        pages.limit,
        descending=True,
    )
    rows = (await session.execute(query)).all()
    shown = rows[: pages.limit]
    return s.InvoiceList(
        items=[books.invoice_out(row) for row in shown],
        next_cursor=pages.next("invoices", [shown[-1].CommissionInvoice.id], filters)
        if len(rows) > pages.limit
        else None,
    )
