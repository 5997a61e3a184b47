"""The day, the month and the matching over HTTP; everything here only reads."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from fastapi import Query

from app.banking.case_money import agency_zone
from app.deps import ReadSession, Router
from app.fields import FieldError, FieldsRefused
from app.finance import day as reads
from app.finance import day_schemas as s
from app.moment import read_moment
from app.schemas import Date, Id

router = Router(prefix="/v1", tags=["finance"])
RANGE_DAYS_MAX = 400  # a year and the month around it
Since = Annotated[Date | None, Query(description="First day; without it 30 days back.")]
Until = Annotated[Date | None, Query(description="Last day; without it today.")]


@router.get("/finance/today", operation_id="finance_today")
async def finance_today(session: ReadSession) -> s.TodayOut:
    """Whether every account is proved, what is unallocated and how old, and what waits."""
    return await reads.today(session, await agency_today(session))


@router.get("/finance/three-way", operation_id="three_way_match")
async def three_way_match(
    session: ReadSession, since: Since = None, until: Until = None
) -> s.ThreeWayOut:
    """Bank statements against the ledger, day by day and currency by currency."""
    return await reads.three_way(session, *await day_range(session, since, until))


@router.get("/finance/match-quality", operation_id="match_quality")
async def match_quality(session: ReadSession, since: Since = None) -> s.MatchQualityOut:
    """How much the machine confirms, by which step, and how much of it was taken back."""
    first, _ = await day_range(session, since, None)
    return await reads.match_quality(session, first)


@router.get("/finance/commission", operation_id="commission_report")
async def commission_report(
    session: ReadSession, since: Since = None, until: Until = None
) -> s.CommissionOut:
    """Invoices and credit notes of a period, by currency and VAT rate."""
    return await reads.commission(session, *await day_range(session, since, until))


@router.get("/finance/close", operation_id="close_checklist")
async def close_checklist(
    session: ReadSession,
    month: Annotated[str, Query(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", max_length=7)],
) -> s.CloseOut:
    """What stands against closing a month, each with the place where it is put right."""
    first = date.fromisoformat(f"{month}-01")
    return await reads.close_list(session, first, await agency_today(session))


@router.get("/cases/{case_id}/account", operation_id="case_account")
async def case_account(case_id: Id, session: ReadSession) -> s.CaseAccountOut:
    """The client money of a case, move by move with the balance after each."""
    return await reads.case_account(session, case_id)


async def agency_today(session: ReadSession) -> date:
    """The day it is for the agency, in business time."""
    moment = await read_moment(session)
    return moment.now.astimezone(agency_zone(moment.profile)).date()


async def day_range(
    session: ReadSession, since: date | None, until: date | None
) -> tuple[date, date]:
    """The days asked for, or the last thirty. FieldsRefused for more than about a year."""
    last = until or await agency_today(session)
    first = since or last - timedelta(days=30)
    if not timedelta(0) <= last - first <= timedelta(days=RANGE_DAYS_MAX):
        raise FieldsRefused(
            FieldError("/since", f"between 0 and {RANGE_DAYS_MAX} days before the last", "range")
        )
    return first, last
