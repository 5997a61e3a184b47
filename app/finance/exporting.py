"""The journal out of the database, a page at a time: no export holds it whole.

What is posted while an export runs may or may not be in it; of a month that is closed nothing is.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import IO, Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app import ledger
from app.db import Database
from app.fields import FieldError, FieldsRefused
from app.finance.formats import datev, flat, sie
from app.finance.formats.rows import LegRow, TxnRow
from app.finance.formats.workbook import Workbook
from app.moment import Moment
from app.playbooks.account_mapping import account_numbers
from app.playbooks.chart import load_chart

PAGE: Final = 1_000
NO_ID: Final = UUID(int=0)
CHUNK: Final = 64 * 1024
KEPT_IN_MEMORY: Final = 4 * 1024 * 1024  # of a workbook; more goes to the disk

_JOURNAL = text("""
    SELECT t.id, t.book, t.effective_on, t.posted_at, t.kind, t.currency, t.case_id,
           t.reverses_id, t.actor, t.rule_version, t.original_on, l.line, l.account, l.sub,
           l.debit, l.credit
      FROM (SELECT * FROM journal_txns
             WHERE effective_on BETWEEN :since AND :until AND id > :after
               AND (CAST(:book AS text) IS NULL OR book = :book)
               AND (CAST(:currency AS text) IS NULL OR currency = :currency)
             ORDER BY id LIMIT :most) t
      JOIN legs l ON l.txn_id = t.id ORDER BY t.id, l.line
""")
_BOOKINGS = text("""
    SELECT coalesce(sum(leg_count - 1), 0) FROM journal_txns
     WHERE effective_on BETWEEN :since AND :until AND book = :book AND currency = :currency
""")
_CLOSED = text("SELECT max(month) FROM ledger_periods WHERE state = 'hard'")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part of the journal: None for every book, every currency."""

    since: date
    until: date
    book: str | None = None
    currency: str | None = None


async def pages(database: Database, wanted: Wanted) -> AsyncIterator[list[TxnRow]]:
    """The transactions in the order of posting."""
    after = NO_ID
    while True:
        async with database.read() as session:
            found = await session.execute(
                _JOURNAL,
                {"since": wanted.since, "until": wanted.until, "book": wanted.book,
                 "currency": wanted.currency, "after": after, "most": PAGE},
            )  # fmt: skip
            page = [_txn(list(rows)) for _, rows in groupby(found, lambda row: row.id)]
        if not page:
            return
        after = page[-1].id
        yield page


def _txn(rows: list[Any]) -> TxnRow:
    one = rows[0]
    return TxnRow(
        one.id, one.book, one.effective_on, one.posted_at, one.kind, one.currency, one.case_id,
        one.reverses_id, one.actor, one.rule_version, one.original_on,
        tuple(LegRow(r.line, r.account, r.sub, r.debit, r.credit) for r in rows),
    )  # fmt: skip


async def as_csv(database: Database, wanted: Wanted) -> AsyncIterator[bytes]:
    yield flat.csv_lines([flat.COLUMNS])
    async for page in pages(database, wanted):
        yield flat.csv_page(page)


async def as_jsonl(database: Database, wanted: Wanted) -> AsyncIterator[bytes]:
    async for page in pages(database, wanted):
        yield b"".join(flat.json_lines(page))


async def as_workbook(database: Database, wanted: Wanted) -> AsyncIterator[bytes]:
    """Rows go into a file as they come; then the file goes out in pieces."""
    with tempfile.SpooledTemporaryFile(max_size=KEPT_IN_MEMORY) as target:
        with Workbook(target) as book:
            async for page in pages(database, wanted):
                await asyncio.to_thread(book.add, page)
        target.seek(0)
        for piece in _pieces(target):
            yield piece


def _pieces(target: IO[bytes]) -> Iterator[bytes]:
    while piece := target.read(CHUNK):
        yield piece


async def as_sie(
    database: Database, wanted: Wanted, moment: Moment, made_on: date
) -> AsyncIterator[bytes]:
    """One book in one currency, from the first of the year."""
    assert wanted.book is not None and wanted.currency is not None, "one book, one currency"
    accounts = [account for account in load_chart() if account.book == wanted.book]
    numbers = account_numbers("sie")
    async with database.read() as session:
        opening = await _signed(session, wanted, wanted.since - timedelta(days=1))
        closing = await _signed(session, wanted, wanted.until)
    results = {a.name for a in accounts if a.kind in ("income", "expense")}
    yield sie.head(
        sie.SieHead(
            company=str(moment.profile.get("name", "")),
            org_number=str(moment.profile.get("business_id", "")),
            made_on=made_on, first=wanted.since, last=wanted.until, currency=wanted.currency,
            accounts=accounts, numbers=numbers, opening=opening,
            closing={n: m - (opening.get(n, 0) if n in results else 0) for n, m in closing.items()},
        )
    )  # fmt: skip
    number = 1
    async for page in pages(database, wanted):
        yield b"".join(sie.vouchers(page, numbers, number))
        number += len(page)


async def _signed(session: AsyncSession, wanted: Wanted, until: date) -> dict[str, int]:
    """Debits less credits of every account up to a day."""
    lines = await ledger.trial_balance(session, until=until)
    return {
        line.account: line.debit.minor - line.credit.minor
        for line in lines
        if (line.book, line.currency) == (wanted.book, wanted.currency)
    }


async def check_datev(session: AsyncSession, wanted: Wanted) -> bool:
    """Whether the whole period is closed hard. FieldsRefused when it is not one year's, or too
    many bookings for one batch."""
    if wanted.since.year != wanted.until.year:
        raise FieldsRefused(FieldError("/since", "one batch lies within one year", "range"))
    many = await session.scalar(
        _BOOKINGS,
        {"since": wanted.since, "until": wanted.until, "book": wanted.book,
         "currency": wanted.currency},
    )  # fmt: skip
    if int(many or 0) > datev.BOOKINGS_MAX:
        raise FieldsRefused(
            FieldError("/until", f"above {datev.BOOKINGS_MAX} bookings: fewer days", "range")
        )
    closed: date | None = await session.scalar(_CLOSED)
    return closed is not None and wanted.until < (closed + timedelta(days=32)).replace(day=1)


async def as_datev(
    database: Database, wanted: Wanted, about: datev.DatevHead
) -> AsyncIterator[bytes]:
    yield datev.head(about)
    numbers = account_numbers("datev")
    async for page in pages(database, wanted):
        yield b"".join(datev.bookings(page, numbers))
