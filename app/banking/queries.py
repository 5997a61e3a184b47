"""Reads about money that came in: what is unallocated, and which case it may belong to."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.bank_refs import canonical, case_tokens_in, is_national, is_rf, references_in
from app.domain.errors import InvalidInput, NotFound
from app.domain.money import Money
from app.domain.reference import parse_reference
from app.tables.banking import Allocation, Movement, MovementHold
from app.tables.cases import CaseRow
from app.tables.ledger import CommissionInvoice

PAGE_MAX: Final = 200
BOOKING_REF_MIN: Final = 5  # a shorter booking number is found in anything


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

    ``evidence`` goes with the allocation. ``confirms``: this step alone may decide, as it has a
    checked reference, gives exactly one case, and no other step points elsewhere.
    """

    case_id: uuid.UUID
    reference: str
    company: str
    claimed: Money
    rule: str
    evidence: dict[str, str]
    confirms: bool


async def candidates(session: AsyncSession, movement_id: uuid.UUID) -> list[Candidate]:
    """Cases a receipt may belong to, best evidence first; another currency is never a candidate.

    Steps: the structured creditor reference, our reference inside the text (with a valid check
    digit or symbol), the case number inside the text, the company's own booking number (which
    only suggests).
    """
    movement = await session.get(Movement, movement_id)
    if movement is None:
        raise NotFound("There is no such movement.")
    clues = clues_of(movement.creditor_ref, movement.remittance, movement.end_to_end_id)
    wanted = {clue.value for clue in clues}
    words = {w.upper() for w in movement.remittance.split() if len(w) >= BOOKING_REF_MIN}
    rows = (
        (
            await session.execute(
                select(CaseRow)
                .where(
                    CaseRow.currency == movement.currency,
                    or_(
                        CaseRow.payment_ref.in_(wanted),
                        CaseRow.reference.in_(wanted),
                        CaseRow.booking_ref.in_(words),
                    ),
                )
                .order_by(CaseRow.id)
                .limit(PAGE_MAX)
            )
        )
        .scalars()
        .all()
    )
    return _ranked(rows, clues, words)


@dataclass(frozen=True, slots=True)
class Clue:
    """A piece of a statement line that may name a case; ``strong``: its check digit is right."""

    rule: str
    value: str
    found: str
    strong: bool


RULES: Final = ("creditor_reference", "reference_in_text", "case_number_in_text", "booking_number")


def clues_of(creditor_ref: str | None, remittance: str, end_to_end_id: str | None) -> list[Clue]:
    """Everything in a line that may be one of our references, in the order of the cascade."""
    clues = []
    if creditor_ref:
        strong = is_rf(creditor_ref) or is_national(canonical(creditor_ref))
        clues.append(Clue("creditor_reference", canonical(creditor_ref), creditor_ref, strong))
    words = f"{remittance} {end_to_end_id or ''} {creditor_ref or ''}"
    clues += [
        Clue("reference_in_text", value, value, strong=True) for value in references_in(words)
    ]
    for token in case_tokens_in(words):
        try:
            clues.append(Clue("case_number_in_text", parse_reference(token), token, strong=True))
        except InvalidInput:
            continue  # shaped like a case number, but its check symbol is wrong
    return clues


def _ranked(rows: Sequence[CaseRow], clues: Sequence[Clue], words: set[str]) -> list[Candidate]:
    found: list[tuple[int, bool, Candidate]] = []
    for case in rows:
        clue = next((c for c in clues if c.value in (case.payment_ref, case.reference)), None)
        if clue is None:
            if case.booking_ref is None or case.booking_ref.upper() not in words:
                continue
            clue = Clue("booking_number", case.booking_ref, case.booking_ref, strong=False)
        found.append((RULES.index(clue.rule), clue.strong, _candidate(case, clue)))
    found.sort(key=lambda entry: entry[0])
    strong = {entry[2].case_id for entry in found if entry[1]}
    alone = len(strong) == 1
    return [
        Candidate(
            c.case_id, c.reference, c.company, c.claimed, c.rule, c.evidence,
            confirms=alone and is_strong,
        )
        for _, is_strong, c in found
    ]  # fmt: skip


def _candidate(case: CaseRow, clue: Clue) -> Candidate:
    return Candidate(
        case.id, case.reference, case.company_text, Money(case.claimed_minor, case.currency),
        clue.rule, {"step": clue.rule, "found": clue.found, "matches": clue.value}, confirms=False,
    )  # fmt: skip


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
