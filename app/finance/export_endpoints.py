"""The journal as files, streamed: CSV, JSON lines, a workbook, SIE and DATEV."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Query
from fastapi.responses import StreamingResponse

from app.deps import Held, ReadSession, Router, problems
from app.finance import exporting
from app.finance.day_endpoints import Since, Until, agency_today, day_range
from app.finance.exporting import Wanted
from app.finance.formats.datev import DatevHead
from app.moment import read_moment
from app.schemas import Currency

router = Router(prefix="/v1/finance", tags=["finance"])
Book = Annotated[Literal["client", "own"], Query(description="One of the two books.")]
Money = Annotated[Currency, Query(description="One currency.")]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _answers(media: str) -> dict[str, Any]:
    return {
        "response_class": StreamingResponse,
        "responses": {200: {"content": {media: {"schema": {"type": "string"}}}}}
        | problems("invalid"),
    }


def _file(body: AsyncIterator[bytes], media: str, name: str) -> StreamingResponse:
    disposition = f'attachment; filename="{name}"'
    return StreamingResponse(body, media_type=media, headers={"Content-Disposition": disposition})


@router.get("/journal.csv", operation_id="export_journal", **_answers("text/csv"))
async def export_journal(
    session: ReadSession, held: Held, since: Since = None, until: Until = None
) -> StreamingResponse:
    """Every leg of both books with its day in the period, as CSV, amounts in minor units."""
    first, last = await day_range(session, since, until)
    body = exporting.as_csv(held.database, Wanted(first, last))
    return _file(body, "text/csv", f"journal-{first}-{last}.csv")


@router.get("/journal.jsonl", operation_id="export_journal_lines", **_answers("application/jsonl"))
async def export_journal_lines(
    session: ReadSession, held: Held, since: Since = None, until: Until = None
) -> StreamingResponse:
    """Every transaction of both books as a line of JSON with its legs, amounts in minor units."""
    first, last = await day_range(session, since, until)
    body = exporting.as_jsonl(held.database, Wanted(first, last))
    return _file(body, "application/jsonl", f"journal-{first}-{last}.jsonl")


@router.get("/journal.xlsx", operation_id="export_journal_workbook", **_answers(XLSX))
async def export_journal_workbook(
    session: ReadSession, held: Held, since: Since = None, until: Until = None
) -> StreamingResponse:
    """The same as a workbook."""
    first, last = await day_range(session, since, until)
    body = exporting.as_workbook(held.database, Wanted(first, last))
    return _file(body, XLSX, f"journal-{first}-{last}.xlsx")


@router.get("/journal.se", operation_id="export_sie", **_answers("text/plain"))
async def export_sie(
    session: ReadSession,
    held: Held,
    until: Until = None,
    book: Book = "own",
    currency: Money = "EUR",
) -> StreamingResponse:
    """SIE type 4, Sweden: one book in one currency from the first of January to a day."""
    today = await agency_today(session)
    last = until or today
    wanted = Wanted(date(last.year, 1, 1), last, book, currency)
    body = exporting.as_sie(held.database, wanted, await read_moment(session), today)
    return _file(body, "text/plain", f"journal-{book}-{last}.se")


@router.get("/journal-datev.csv", operation_id="export_datev", **_answers("text/csv"))
async def export_datev(
    session: ReadSession,
    held: Held,
    consultant: Annotated[int, Query(ge=1001, le=9_999_999, description="Beraternummer.")],
    client: Annotated[int, Query(ge=1, le=99_999, description="Mandantennummer.")],
    since: Since = None,
    until: Until = None,
    book: Book = "own",
    currency: Money = "EUR",
) -> StreamingResponse:
    """DATEV, Germany: a batch of bookings of one book in one currency, within one year."""
    first, last = await day_range(session, since, until)
    wanted = Wanted(first, last, book, currency)
    locked = await exporting.check_datev(session, wanted)
    about = DatevHead(
        made_at=(await read_moment(session)).now, consultant=consultant, client=client,
        year_first=date(first.year, 1, 1), first=first, last=last, title=f"Recourse {book}",
        currency=currency, locked=locked,
    )  # fmt: skip
    body = exporting.as_datev(held.database, wanted, about)
    return _file(body, "text/csv", f"EXTF_Buchungsstapel_{book}_{first}_{last}.csv")
