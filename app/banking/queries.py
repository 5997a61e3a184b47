"""Reads about money that came in: what is unallocated, and which case it may belong to."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.banking.match_rules import load_rules
from app.banking.matching import evidence_of, suggestions
from app.crypto import Keyring
from app.domain.errors import NotFound
from app.domain.matching import Reason
from app.domain.money import Money
from app.tables.banking import Allocation, BankImport, Movement, MovementHold
from app.tables.cases import CaseRow
from app.tables.ledger import CommissionInvoice

PAGE_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class UnallocatedMoney:
    """A receipt of which something is still unallocated, or waits to go back to its payer.

    ``held_for_case`` with ``hold`` (waiting, accepted, refused): it came "in full settlement".
    ``to_return`` is set aside for the payer, and no payment back is prepared yet.
    """

    movement_id: uuid.UUID
    booked_on: date
    received_at: datetime
    amount: Money
    unallocated: Money
    payer_name: str | None
    creditor_ref: str | None
    remittance: str
    held_for_case: uuid.UUID | None
    hold: str | None
    to_return: Money
    payer_account: str | None  # masked


async def unallocated(
    session: AsyncSession, *, after: uuid.UUID | None = None, limit: int = 50
) -> list[UnallocatedMoney]:
    """Oldest first, by movement id (ids rise with time); ``after`` is the last id of a page."""
    open_subs = await session.execute(
        _OPEN, {"after": str(after) if after else "", "limit": min(limit, PAGE_MAX)}
    )
    left = {uuid.UUID(sub): (int(minor), int(aside)) for sub, minor, aside in open_subs}
    rows = await session.execute(
        select(Movement, MovementHold.case_id, MovementHold.outcome, CaseRow.offer)
        .outerjoin(MovementHold, MovementHold.movement_id == Movement.id)
        .outerjoin(CaseRow, CaseRow.id == MovementHold.case_id)
        .where(Movement.id.in_(list(left)))
        .order_by(Movement.id)
    )
    return [
        UnallocatedMoney(
            m.id, m.booked_on, m.received_at, Money(m.amount_minor, m.currency),
            Money(left[m.id][0], m.currency), m.payer_name, m.creditor_ref, m.remittance,
            case_id, _answer(outcome, offer), Money(left[m.id][1], m.currency),
            m.payer_account_masked,
        )
        for m, case_id, outcome, offer in rows
    ]  # fmt: skip


def _answer(outcome: str | None, offer: dict[str, Any] | None) -> str | None:
    """What the claimants said: an offer that lapsed or was withdrawn is a refusal nobody wrote."""
    if outcome != "waiting":
        return outcome
    state = (offer or {}).get("state")
    if state == "open":
        return "waiting"
    return "accepted" if state == "accepted" else "refused"


# Set-aside money counts only while no payment back carries it: then it is finance's work.
_OPEN = text(
    """
    SELECT b.sub, coalesce(sum(b.balance) FILTER (WHERE b.account = 'C.UNALLOC'), 0),
           coalesce(sum(b.balance) FILTER (WHERE b.account = 'C.PAYER'), 0)
      FROM account_balances b
     WHERE b.account IN ('C.UNALLOC', 'C.PAYER') AND b.balance <> 0 AND b.sub > :after
       AND (b.account = 'C.UNALLOC' OR NOT EXISTS (
            SELECT FROM payout_items i WHERE i.kind = 'payer_return'
               AND i.movement_id = CAST(b.sub AS uuid)
               AND i.state IN ('draft', 'proposed', 'approved', 'exported')))
     GROUP BY b.sub ORDER BY b.sub LIMIT :limit
    """
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A case a receipt may belong to, and why. ``rule`` is the step of the cascade that found it.

    ``evidence`` goes with the allocation. ``confirms``: this step alone may decide, as it gives
    exactly one case and nothing points elsewhere; else ``against`` says why not. ``reasons`` are
    the parts of ``score``.
    """

    case_id: uuid.UUID
    reference: str
    company: str
    claimed: Money
    rule: str
    evidence: dict[str, str]
    confirms: bool
    amount: Money
    score: int
    reasons: tuple[Reason, ...]
    against: Reason | None


async def candidates(
    session: AsyncSession, movement_id: uuid.UUID, *, keyring: Keyring | None = None
) -> list[Candidate]:
    """Cases a receipt may belong to, as the cascade says (app.domain.matching), best first.

    Another currency is never a candidate. Of a payment for several cases each is one line with its
    sum. Without ``keyring`` no learned payer is known.
    """
    movement = await session.get(Movement, movement_id)
    if movement is None:
        raise NotFound("There is no such movement.")
    rules = load_rules()
    found = await suggestions(session, movement, rules, keyring=keyring)
    wanted = {uuid.UUID(part.case_id) for one in found for part in one.parts}
    rows = await session.scalars(select(CaseRow).where(CaseRow.id.in_(wanted)))
    cases = {row.id: row for row in rows}
    return [
        Candidate(
            case.id, case.reference, case.company_text, Money(case.claimed_minor, case.currency),
            one.step, evidence_of(one, rules), one.confirms,
            Money(part.amount_minor, case.currency), one.score, one.reasons, one.against,
        )
        for one in found
        for part in one.parts
        for case in [cases[uuid.UUID(part.case_id)]]
    ]  # fmt: skip


async def posted_with(
    session: AsyncSession, imports: Sequence[BankImport]
) -> dict[uuid.UUID, list[uuid.UUID]]:
    """For each import, those whose pages made a statement with its own."""
    leads = {row.posted_with or row.id for row in imports}
    rows = await session.execute(
        select(BankImport.id, BankImport.posted_with).where(BankImport.posted_with.in_(leads))
    )
    groups = {lead: [lead] for lead in leads}
    for one, lead in rows:
        if lead is not None:
            groups[lead].append(one)
    return {
        row.id: [one for one in groups[row.posted_with or row.id] if one != row.id]
        for row in imports
    }


@dataclass(frozen=True, slots=True)
class AllocationLine:
    """An allocation as a person reads it."""

    id: uuid.UUID
    movement_id: uuid.UUID
    amount: Money
    rule: str
    evidence: dict[str, str]
    fee_reason: str
    made_by: str
    made_at: datetime
    undone_at: datetime | None
    undo_reason: str | None


async def allocations_of_case(session: AsyncSession, case_id: uuid.UUID) -> list[AllocationLine]:
    """Every allocation of a case, undone ones too, oldest first."""
    rows = await session.execute(
        select(Allocation).where(Allocation.case_id == case_id).order_by(Allocation.id)
    )
    return [
        AllocationLine(
            r.id, r.movement_id, Money(r.amount_minor, r.currency), r.rule, r.evidence,
            r.fee_reason, r.made_by, r.made_at, r.undone_at, r.undo_reason,
        )
        for r in rows.scalars()
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """An invoice or credit note of a case; a credit note's sums are negative."""

    id: uuid.UUID
    number: str
    kind: str
    mode: str
    claimant_id: uuid.UUID
    gross: Money
    net: Money
    vat: Money
    vat_bp: int
    issued_on: date


async def invoices_of_case(session: AsyncSession, case_id: uuid.UUID) -> list[InvoiceLine]:
    """Every invoice and credit note of a case, in the order of their numbers."""
    rows = await session.execute(
        select(CommissionInvoice)
        .where(CommissionInvoice.case_id == case_id)
        .order_by(CommissionInvoice.series, CommissionInvoice.number)
    )
    return [
        InvoiceLine(
            r.id, f"{r.series}-{r.number:06d}", r.kind, r.mode, r.claimant_id,
            Money(r.gross_minor, r.currency), Money(r.net_minor, r.currency),
            Money(r.vat_minor, r.currency), r.vat_bp, r.issued_on,
        )
        for r in rows.scalars()
    ]  # fmt: skip


async def invoice_gaps(session: AsyncSession) -> list[str]:
    """Series whose numbers are not 1, 2, 3, ... without a gap; empty unless something is wrong."""
    rows = await session.execute(
        text(
            "SELECT series FROM commission_invoices GROUP BY series"
            " HAVING max(number) <> count(*) OR min(number) <> 1"
        )
    )
    return [str(series) for series in rows.scalars()]
