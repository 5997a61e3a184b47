"""Months that close, and what was so on a day: balances, and the certificate of clients' money.

Soft: finance alone posts into the month. Hard: nobody, for ever; the database refuses it, and what
belongs there counts for the first open day with its own day beside it. A month is closed by two
people, in order, and only when nothing on its list stands against it. The report signed at the hard
close is kept with its hash: read again it must be the same to the byte.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app import ledger
from app.domain.errors import Conflict
from app.finance import day as reads
from app.finance.desk import Desk
from app.tables.entries import LedgerPeriod

PAGE_MAX: Final = 1_000

# The signed sum of every sub-account in its normal direction, from the legs themselves.
_AS_OF = text("""
    SELECT l.account, l.sub, t.currency, a.title, a.kind,
           sum(CASE WHEN a.kind IN ('asset', 'expense') THEN l.debit - l.credit
                    ELSE l.credit - l.debit END)::bigint AS minor
      FROM legs l JOIN journal_txns t ON t.id = l.txn_id
      JOIN ledger_accounts a ON a.name = l.account
     WHERE t.effective_on <= :on AND l.account = :account AND starts_with(l.sub, :prefix)
       AND (l.sub, t.currency) > (:sub, :currency)
     GROUP BY 1, 2, 3, 4, 5
    HAVING sum(l.debit) <> sum(l.credit) ORDER BY l.sub, t.currency LIMIT :most
""")
_CLIENT_BOOK = text("""
    SELECT t.currency, a.name, a.number, a.title, a.kind,
           sum(CASE a.kind WHEN 'asset' THEN l.debit - l.credit ELSE l.credit - l.debit END)::bigint
               AS minor
      FROM legs l JOIN journal_txns t ON t.id = l.txn_id
      JOIN ledger_accounts a ON a.name = l.account
     WHERE t.effective_on <= :on AND a.book = 'client' GROUP BY 1, 2, 3, 4, 5
    HAVING sum(l.debit) <> sum(l.credit) ORDER BY t.currency, a.number
""")
_PROOFS = text("""
    SELECT b.id, b.currency, s.ident, s.closes_on, coalesce(s.closing_minor, 0) AS shown,
           coalesce((SELECT sum(l.debit - l.credit) FROM legs l
                       JOIN journal_txns t ON t.id = l.txn_id
                      WHERE l.account = 'C.BANK' AND l.sub = b.id::text
                        AND t.effective_on <= :on), 0)::bigint AS booked
      FROM bank_accounts b LEFT JOIN LATERAL (
           SELECT ident, closes_on, closing_minor FROM bank_statements
            WHERE bank_account_id = b.id AND position > 0 AND closes_on <= :on
              AND imported_at <= coalesce(CAST(:known AS timestamptz), imported_at)
              AND (undone_at IS NULL OR undone_at > CAST(:known AS timestamptz))
            ORDER BY position DESC LIMIT 1) s ON true
     WHERE b.book = 'client' ORDER BY b.currency, b.id
""")


# When the month of a day, or one after it, was closed hard: what the bank said later is not proof.
_KNOWN = text("""
    SELECT hard_at FROM ledger_periods
     WHERE state = 'hard' AND month >= date_trunc('month', CAST(:on AS date))
     ORDER BY month LIMIT 1
""")


class CloseRefused(Conflict):
    """Something stands against closing the month; the list says what."""

    code = "close_refused"


class CloseOrder(Conflict):
    """Months close one after the other: softly by one person, hard by another."""

    code = "close_order"


@dataclass(frozen=True, slots=True)
class Certificate:
    """Clients' money on a day: what is there and what is owed, account by account and currency,
    and the bank's own word for each account."""

    on: date
    accounts: Sequence[Row[Any]]
    proofs: Sequence[Row[Any]]

    def total(self, currency: str, kind: str) -> int:
        return sum(r.minor for r in self.accounts if (r.currency, r.kind) == (currency, kind))

    @property
    def currencies(self) -> list[str]:
        return sorted({row.currency for row in self.accounts})

    @property
    def holds(self) -> bool:
        """Assets are what is owed, in every currency, and every bank says what the book says."""
        return all(
            self.total(c, "asset") == self.total(c, "liability") for c in self.currencies
        ) and all(p.shown == p.booked for p in self.proofs)


async def certificate(session: AsyncSession, on: date) -> Certificate:
    """The certificate of one day, summed from the legs."""
    accounts = (await session.execute(_CLIENT_BOOK, {"on": on})).all()
    known = await session.scalar(_KNOWN, {"on": on})
    proofs = (await session.execute(_PROOFS, {"on": on, "known": known})).all()
    return Certificate(on, accounts, proofs)


async def balances_on(
    session: AsyncSession,
    account: str,
    on: date,
    *,
    prefix: str = "",
    after: tuple[str, str] = ("", ""),
    limit: int = PAGE_MAX,
) -> Sequence[Row[Any]]:
    """What stood on every sub-account of an account at the end of a day, zero left out."""
    return (
        await session.execute(
            _AS_OF,
            {"on": on, "account": account, "prefix": prefix, "sub": after[0],
             "currency": after[1], "most": limit},
        )
    ).all()  # fmt: skip


def month_end(first: date) -> date:
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


async def report(session: AsyncSession, first: date) -> dict[str, Any]:
    """What is signed: the trial balance of both books and the certificate, at the month's end."""
    on = month_end(first)
    lines = await ledger.trial_balance(session, until=on)
    signed = await certificate(session, on)
    return {
        "month": f"{first:%Y-%m}",
        "trial_balance": [
            [line.account, line.currency, line.debit.minor, line.credit.minor] for line in lines
        ],
        "clients": [[r.currency, r.name, r.minor] for r in signed.accounts],
        "bank": [
            [str(p.id), p.currency, p.ident, str(p.closes_on), int(p.shown), int(p.booked)]
            for p in signed.proofs
        ],
        "holds": signed.holds,
    }


def digest(document: dict[str, Any]) -> str:
    """SHA-256 of the report in one fixed form."""
    raw = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(raw.encode()).hexdigest()


async def soft_close(desk: Desk, first: date) -> LedgerPeriod:
    """From now on finance alone posts into the month. CloseRefused, CloseOrder."""
    await _nothing_against(desk, first)
    if await desk.session.get(LedgerPeriod, first) is not None:
        raise CloseOrder("This month is closed already.")
    row = LedgerPeriod(
        month=first, state="soft", soft_by=desk.actor, soft_at=desk.moment.now, hard_by=None,
        hard_at=None, proof=None, proof_sha256=None,
    )  # fmt: skip
    desk.session.add(row)
    await desk.session.flush()
    await desk.log("month_closed_softly", month=f"{first:%Y-%m}")
    return row


async def reopen(desk: Desk, first: date, reason: str) -> None:
    """Take a soft close back. CloseOrder when the month is open, or closed hard."""
    row = await _closed(desk, first)
    await desk.session.delete(row)
    await desk.session.flush()
    await desk.log("month_opened_again", month=f"{first:%Y-%m}", reason=reason)


async def hard_close(desk: Desk, first: date) -> LedgerPeriod:
    """Nobody posts into the month, nor before it, again. CloseRefused, CloseOrder."""
    # Nobody posts while the report is made: it must be what the month will for ever be.
    await desk.session.execute(text("LOCK TABLE journal_txns IN SHARE ROW EXCLUSIVE MODE"))
    row = await _closed(desk, first)
    if row.soft_by == desk.actor:
        raise CloseOrder("Another person closes hard what you closed softly.")
    earlier = await desk.session.scalar(
        select(LedgerPeriod.month).where(LedgerPeriod.month < first, LedgerPeriod.state == "soft")
    )
    if earlier is not None:
        raise CloseOrder("An earlier month is not closed hard yet.", month=f"{earlier:%Y-%m}")
    await _nothing_against(desk, first)
    signed = await report(desk.session, first)
    if not signed["holds"]:
        raise CloseRefused("The certificate of clients' money does not hold on the last day.")
    row.state, row.hard_by, row.hard_at = "hard", desk.actor, desk.moment.now
    row.proof, row.proof_sha256 = signed, digest(signed)
    await desk.session.flush()
    await desk.log("month_closed_hard", month=signed["month"], sha256=row.proof_sha256)
    return row


async def _closed(desk: Desk, first: date) -> LedgerPeriod:
    row = await desk.session.get(LedgerPeriod, first, with_for_update=True)
    if row is None or row.state == "hard":
        raise CloseOrder("This month is not closed softly.")
    return row


async def _nothing_against(desk: Desk, first: date) -> None:
    found = await reads.close_list(desk.session, first, desk.today)
    against = [item.code for item in found.items if not item.met]
    if against:
        raise CloseRefused("Something stands against closing this month.", why=", ".join(against))
