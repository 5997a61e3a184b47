"""Closing months, the certificate of clients' money, balances of a day, over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import Query
from sqlalchemy import Row, select

from app.cases.schemas import Amount
from app.deps import Caller, Pages, ReadSession, Router, Session, problems
from app.finance import period_schemas as s
from app.finance import periods
from app.finance.day_endpoints import agency_today
from app.finance.desk import open_desk
from app.playbooks.chart import load_chart
from app.schemas import Date
from app.tables.entries import LedgerPeriod

router = Router(prefix="/v1", tags=["finance"])
CONFLICT = problems("conflict")
PERIODS_MAX = 120
On = Annotated[Date | None, Query(description="The end of this day; without it today.")]
ACCOUNTS = "|".join(sorted(account.name.replace(".", r"\.") for account in load_chart()))


@router.get("/finance/periods", operation_id="list_periods")
async def list_periods(session: ReadSession) -> s.PeriodList:
    """Closed months, the newest first; each hard-closed report is made again and compared."""
    rows = await session.scalars(
        select(LedgerPeriod).order_by(LedgerPeriod.month.desc()).limit(PERIODS_MAX)
    )
    return s.PeriodList(items=[await _period(session, row) for row in rows.all()])


@router.post("/finance/close/soft", operation_id="close_month_softly", responses=CONFLICT)
async def close_month_softly(body: s.MonthIn, session: Session, caller: Caller) -> s.PeriodOut:
    """Close a month softly when nothing stands against it: finance alone still posts."""
    row = await periods.soft_close(await open_desk(session, caller), _first(body.month))
    return await _period(session, row)


@router.post("/finance/close/hard", operation_id="close_month_hard", responses=CONFLICT)
async def close_month_hard(body: s.MonthIn, session: Session, caller: Caller) -> s.PeriodOut:
    """Close for ever what another person closed softly; the report is signed by its hash."""
    row = await periods.hard_close(await open_desk(session, caller), _first(body.month))
    return await _period(session, row)


@router.post("/finance/close/reopen", operation_id="reopen_month", responses=CONFLICT)
async def reopen_month(body: s.ReopenIn, session: Session, caller: Caller) -> s.PeriodOut:
    """Take a soft close back; a hard one never."""
    desk = await open_desk(session, caller)
    await periods.reopen(desk, _first(body.month), body.reason)
    return s.PeriodOut(
        month=body.month, state="open", soft_closed_by=None, soft_closed_at=None,
        hard_closed_by=None, hard_closed_at=None, proof_sha256=None, unchanged=None,
    )  # fmt: skip


@router.get("/ledger/certificate", operation_id="client_money_certificate")
async def client_money_certificate(session: ReadSession, on: On = None) -> s.CertificateOut:
    """What is there for clients and what is owed to them on a day, with each bank's own word."""
    day = on or await agency_today(session)
    found = await periods.certificate(session, day)
    return s.CertificateOut(
        on=day,
        holds=found.holds,
        currencies=[_currency(found, code) for code in found.currencies],
        proofs=[
            s.CertificateProof(
                bank_account_id=p.id, statement=p.ident, statement_day=p.closes_on,
                bank_says=Amount.of(int(p.shown), p.currency),
                book_says=Amount.of(int(p.booked), p.currency),
                difference=Amount.of(int(p.booked - p.shown), p.currency),
            )
            for p in found.proofs
        ],
    )  # fmt: skip


@router.get("/ledger/balances", operation_id="balances_on_day")
async def balances_on_day(
    session: ReadSession,
    pages: Pages,
    account: Annotated[str, Query(pattern=f"^({ACCOUNTS})$", max_length=20)],
    on: On = None,
    sub_prefix: Annotated[
        str, Query(max_length=120, description="Only sub-accounts that begin so, as a case's id.")
    ] = "",
) -> s.BalanceList:
    """Every cent of one account on a day: what was not zero, summed from the postings."""
    day = on or await agency_today(session)
    filters = {"account": account, "on": str(on), "prefix": sub_prefix}
    last = pages.after("balances", filters)
    rows: Sequence[Row[Any]] = await periods.balances_on(
        session, account, day, prefix=sub_prefix,
        after=(last[0], last[1]) if last else ("", ""), limit=pages.limit + 1,
    )  # fmt: skip
    shown = rows[: pages.limit]
    return s.BalanceList(
        account=account,
        on=day,
        items=[
            s.BalanceOut(sub_account=r.sub, balance=Amount.of(r.minor, r.currency)) for r in shown
        ],
        next_cursor=pages.next("balances", [shown[-1].sub, shown[-1].currency], filters)
        if len(rows) > pages.limit
        else None,
    )


def _first(month: str) -> date:
    return date.fromisoformat(f"{month}-01")


def _currency(found: periods.Certificate, code: str) -> s.CertificateCurrency:
    def lines(kind: str) -> list[s.CertificateLine]:
        return [
            s.CertificateLine(
                number=r.number, account=r.name, title=r.title, amount=Amount.of(r.minor, code)
            )
            for r in found.accounts
            if (r.currency, r.kind) == (code, kind)
        ]

    there, owed = found.total(code, "asset"), found.total(code, "liability")
    return s.CertificateCurrency(
        currency=code, assets=lines("asset"), liabilities=lines("liability"),
        there=Amount.of(there, code), owed=Amount.of(owed, code), holds=there == owed,
    )  # fmt: skip


async def _period(session: ReadSession, row: LedgerPeriod) -> s.PeriodOut:
    unchanged = None
    if row.state == "hard":
        again = await periods.report(session, row.month)
        unchanged = periods.digest(again) == row.proof_sha256
    return s.PeriodOut(
        month=f"{row.month:%Y-%m}", state=row.state, soft_closed_by=row.soft_by,
        soft_closed_at=row.soft_at, hard_closed_by=row.hard_by, hard_closed_at=row.hard_at,
        proof_sha256=row.proof_sha256, unchanged=unchanged,
    )  # fmt: skip
