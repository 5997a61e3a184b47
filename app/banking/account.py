"""Reads the account of a case (app.domain.account) from the journal and the invoices."""

from __future__ import annotations

import uuid
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.account import CaseAccount, DirectMove, Invoiced, with_balances
from app.domain.errors import NotFound

# A posting taken back has the kind of what it takes back, so that both count alike.
_MOVES: Final = text("""
    SELECT t.id, t.effective_on, t.posted_at, coalesce(o.kind, t.kind) AS kind,
           o.id IS NOT NULL AS taken_back, sum(l.credit - l.debit) AS minor
      FROM legs l JOIN journal_txns t ON t.id = l.txn_id
      LEFT JOIN journal_txns o ON o.id = t.reverses_id
     WHERE l.account = 'C.CLIENT' AND l.sub >= :first AND l.sub < :last
     GROUP BY t.id, o.id ORDER BY t.id
""")
_DIRECT: Final = text("""
    SELECT d.paid_on, sum(r.amount_minor) AS minor
      FROM direct_recoveries d JOIN recovery_lines r ON r.source_id = d.id
     WHERE d.case_id = :case
       AND (CAST(:claimant AS uuid) IS NULL OR r.claimant_id = :claimant)
     GROUP BY d.id, d.paid_on ORDER BY d.paid_on, d.id
""")
_INVOICES: Final = text("""
    SELECT i.id, i.series, i.number, i.issued_on, i.mode, i.gross_minor, i.net_minor, i.vat_minor,
           i.vat_bp, coalesce(b.balance, 0) AS open_minor
      FROM commission_invoices i
      LEFT JOIN account_balances b ON b.account = 'O.COMMREC' AND b.currency = i.currency
           AND b.sub = i.claimant_id::text || '/' || i.id::text
     WHERE i.case_id = :case
       AND (CAST(:claimant AS uuid) IS NULL OR i.claimant_id = :claimant)
     ORDER BY i.series, i.number
""")


async def read_account(
    session: AsyncSession, case_id: uuid.UUID, *, claimant_id: uuid.UUID | None = None
) -> CaseAccount:
    """The account of a case, or of one claimant of it. Raises NotFound for an unknown case."""
    currency = await session.scalar(
        text("SELECT currency FROM cases WHERE id = :id"), {"id": case_id}
    )
    if currency is None:
        raise NotFound("there is no such case", code="case_not_found")
    # Sub-accounts are `case/claimant`; "0" is the character after "/".
    first, last = f"{case_id}/", f"{case_id}0"
    if claimant_id is not None:
        first, last = f"{case_id}/{claimant_id}", f"{case_id}/{claimant_id}0"
    moved = await session.execute(_MOVES, {"first": first, "last": last})
    of = {"case": case_id, "claimant": claimant_id}
    direct = await session.execute(_DIRECT, of)
    invoiced = await session.execute(_INVOICES, of)
    return CaseAccount(
        case_id, str(currency),
        with_balances([
            (r.id, r.effective_on, r.posted_at, r.kind, r.taken_back, int(r.minor)) for r in moved
        ]),
        tuple(DirectMove(r.paid_on, int(r.minor)) for r in direct),
        tuple(
            Invoiced(
                r.id, f"{r.series}-{r.number:06d}", r.issued_on, r.mode == "deducted",
                r.gross_minor, r.net_minor, r.vat_minor, r.vat_bp, int(r.open_minor),
            )
            for r in invoiced
        ),
    )  # fmt: skip
