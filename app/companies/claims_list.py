"""The weekly list of open claims for a company that chose it.

One line a claim that it has been written to about: our reference, its own number, what is open.
No consumer is named. It returns the file with the column "paid" filled in, which finance reads as
the payer's list (app.domain.matching.advice); the file moves no money.
"""

from __future__ import annotations

import csv
import io
import uuid
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.bank_refs import rf_reference
from app.domain.money import Money

LINES_MAX: Final = 5_000
HEADING: Final = (
    "reference", "your_number", "payment_reference", "first_letter", "open", "currency", "paid",
)  # fmt: skip
_OPEN: Final = text("""
    SELECT c.reference, c.booking_ref, c.payment_ref, c.first_contact_at, c.currency,
           c.claimed_minor - coalesce((c.money->>'received')::bigint, 0)
                           - coalesce((c.money->>'direct')::bigint, 0)
                           - coalesce((c.money->>'voucher')::bigint, 0) AS open_minor
      FROM cases c
     WHERE c.company_id = :company AND c.stage <> 'closed' AND c.first_contact_at IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM claimants p
                        WHERE p.case_id = c.id AND p.mandate <> 'signed')
     ORDER BY c.first_contact_at, c.id LIMIT :limit
""")


async def open_claims(session: AsyncSession, company_id: uuid.UUID) -> list[Any]:
    """Claims with something open, the oldest first."""
    values = {"company": company_id, "limit": LINES_MAX}
    return [row for row in await session.execute(_OPEN, values) if row.open_minor > 0]


def as_csv(rows: list[Any]) -> bytes:
    """UTF-8 with a byte order mark and semicolons, as office programs of our countries expect."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEADING)
    for row in rows:
        writer.writerow((
            row.reference, _cell(row.booking_ref or ""), rf_reference(row.payment_ref),
            row.first_contact_at.date().isoformat(),
            Money(row.open_minor, row.currency).format(), row.currency, "",
        ))  # fmt: skip
    return out.getvalue().encode("utf-8-sig")


def _cell(given: str) -> str:
    """A consumer wrote it: a spreadsheet must not take it for a formula (`=`, `+`, `-`, `@`)."""
    return f"'{given}" if given[:1] in ("=", "+", "-", "@", "\t") else given
