"""Earns and gives back commission: postings, numbered invoices and the case's running totals.

Every function locks the case's ``case_fees`` row first, so two events of one case take turns and
the fee stays the function of the sum that ``app.domain.settlement`` says.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import ledger
from app.banking.case_money import CaseMoney
from app.documents.papers import Wanted, order_papers
from app.domain.errors import Conflict
from app.domain.money import split_largest_remainder
from app.domain.settlement import (
    FeeRule,
    ItemShare,
    Posted,
    Settlement,
    fee_reason,
    fee_total,
    settle,
    vat_inside,
)
from app.ids import new_id
from app.ledger import Posting
from app.tables.banking import Allocation, RecoveryLine
from app.tables.ledger import CaseFee, CommissionInvoice

Mode = Literal["deducted", "receivable"]


class CurrencyOfCase(Conflict):
    """Money in another currency than the case's cannot be set against it."""

    code = "currency_of_case"


@dataclass(frozen=True, slots=True)
class InvoiceDone:
    """An invoice or credit note that was issued; amounts in minor units, negative on a credit."""

    id: uuid.UUID
    series: str
    number: int
    kind: str
    claimant_id: uuid.UUID
    gross_minor: int
    net_minor: int
    vat_minor: int


@dataclass(frozen=True, slots=True)
class When:
    """Who acts, at which business time, and the day the postings count for."""

    actor: str
    at: datetime
    on: date


@dataclass(frozen=True, slots=True)
class Charged:
    """The fee of one event."""

    settlement: Settlement
    invoices: tuple[InvoiceDone, ...]


async def charge(
    session: AsyncSession,
    case: CaseMoney,
    shares: Sequence[ItemShare],
    *,
    source_id: uuid.UUID,
    received_on: date,
    mode: Mode,
    when: When,
) -> Charged:
    """Charge the fee of one recovery: lines, running totals, invoices, postings of row 3 or 12.

    ``received_on`` is the day the money came, which decides whether it earns a fee at all.
    """
    totals = await lock_totals(session, case.case_id, case.currency)
    rule = case.fee_rule
    settlement = settle(
        rule, shares,
        reason=fee_reason(rule, case.standing, received_on),
        basis_before=totals.basis_minor,
        fee_before=totals.fee_minor,
        posted=await posted_by_claimant(session, case.case_id, rule.vat_bp),
    )  # fmt: skip
    in_basis = settlement.reason == "fee_due"
    for share in shares:
        session.add(
            RecoveryLine(
                source_id=source_id, item_id=uuid.UUID(share.item_id), case_id=case.case_id,
                claimant_id=uuid.UUID(share.claimant_id), amount_minor=share.amount_minor,
                earns_fee=share.earns_fee, in_basis=in_basis and share.earns_fee,
            )
        )  # fmt: skip
    totals.recovered_minor += sum(share.amount_minor for share in shares)
    totals.basis_minor = settlement.basis_total_minor
    totals.fee_minor = settlement.fee_total_minor
    await session.flush()
    lines = [
        DocumentLine(uuid.UUID(part.claimant_id), part.fee_minor, part.vat_minor)
        for part in settlement.shares
        if part.fee_minor
    ]
    invoices = await _issue(session, case, lines, source_id=source_id, mode=mode, when=when)
    return Charged(settlement, invoices)


async def give_back(
    session: AsyncSession,
    case_id: uuid.UUID,
    rule: FeeRule,
    currency: str,
    *,
    source_id: uuid.UUID,
    when: When,
) -> int:
    """Take back the fee of one recovery and set the rest right; returns the change of the fee.

    The event's own invoices get credit notes and mirrored postings; then, because the fee is a
    function of the sum, what is left of the case may owe a cent more or less: that difference is
    posted and invoiced to those who still have money in the basis.
    """
    totals = await lock_totals(session, case_id, currency)
    before = totals.fee_minor
    recovered, basis = await _lines_of(session, source_id)
    originals = (
        (
            await session.execute(
                select(CommissionInvoice)
                .where(CommissionInvoice.source_id == source_id)
                .order_by(CommissionInvoice.number)
            )
        )
        .scalars()
        .all()
    )
    for original in originals:
        await ledger.reverse(
            session, _fee_key(original.source_id, original.claimant_id),
            reversal_key=f"undo:{_fee_key(original.source_id, original.claimant_id)}",
            effective_on=when.on, at=when.at, actor=when.actor,
        )  # fmt: skip
    await number_documents(
        session, case_id, currency, rule,
        [
            DocumentLine(
                o.claimant_id, -o.gross_minor, -o.vat_minor, corrects=o.id, vat_bp=o.vat_bp
            )
            for o in originals
        ],
        source_id=source_id, mode="deducted", when=when,
    )  # fmt: skip
    totals.recovered_minor -= recovered
    totals.basis_minor -= basis
    target = fee_total(rule, totals.basis_minor)
    correction = target - (before - sum(o.gross_minor for o in originals))
    totals.fee_minor = target
    await session.flush()
    if correction:
        await _correct(session, case_id, rule, currency, correction, source_id, when)
    return target - before


async def _correct(
    session: AsyncSession,
    case_id: uuid.UUID,
    rule: FeeRule,
    currency: str,
    correction: int,
    source_id: uuid.UUID,
    when: When,
) -> None:
    basis = await _basis_left(session, case_id, without=source_id)
    who = sorted(basis)
    parts = split_largest_remainder(correction, [basis[claimant] for claimant in who])
    posted = await posted_by_claimant(session, case_id, rule.vat_bp)
    lines = []
    for claimant, part in zip(who, parts, strict=True):
        if part:
            was = posted.get(str(claimant), Posted())
            vat = vat_inside(was.gross_minor + part, rule.vat_bp) - was.vat_minor
            lines.append(DocumentLine(claimant, part, vat))
    case = _CaseRef(case_id, currency, rule)
    # A new source: this correction belongs to the undoing, not to the recovery that is undone.
    await _issue(session, case, lines, source_id=new_id(), mode="deducted", when=when)


@dataclass(frozen=True, slots=True)
class _CaseRef:
    case_id: uuid.UUID
    currency: str
    fee_rule: FeeRule


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One invoice to number, or with a negative sum one credit note; VAT inside the gross."""

    claimant_id: uuid.UUID
    gross: int
    vat: int
    corrects: uuid.UUID | None = None
    vat_bp: int | None = None


async def _issue(
    session: AsyncSession,
    case: CaseMoney | _CaseRef,
    lines: Sequence[DocumentLine],
    *,
    source_id: uuid.UUID,
    mode: Mode,
    when: When,
) -> tuple[InvoiceDone, ...]:
    rule = case.fee_rule
    done = await number_documents(
        session, case.case_id, case.currency, rule, lines,
        source_id=source_id, mode=mode, when=when,
    )  # fmt: skip
    kind = "commission_deducted" if mode == "deducted" else "commission_invoiced"
    postings = [
        Posting(
            kind=kind,
            key=_fee_key(source_id, invoice.claimant_id),
            currency=case.currency,
            amounts={"fee": invoice.gross_minor, "vat": invoice.vat_minor},
            subs={
                "case": str(case.case_id), "claimant": str(invoice.claimant_id),
                "vat_rate": str(rule.vat_bp), "invoice": str(invoice.id),
            },
            effective_on=when.on, at=when.at, actor=when.actor, case_id=case.case_id,
        )
        for invoice in done
    ]  # fmt: skip
    if postings:
        await ledger.post_many(session, postings)
    return done


async def number_documents(
    session: AsyncSession,
    case_id: uuid.UUID,
    currency: str,
    rule: FeeRule,
    lines: Sequence[DocumentLine],
    *,
    source_id: uuid.UUID,
    mode: Mode,
    when: When,
) -> tuple[InvoiceDone, ...]:
    """Issue documents with the next numbers of the year's series; the series row stays locked."""
    if not lines:
        return ()
    series = str(when.on.year)
    number = (
        await session.execute(_TAKE_NUMBERS, {"series": series, "count": len(lines)})
    ).scalar_one()
    done = []
    for at, line in enumerate(lines):
        invoice = InvoiceDone(
            new_id(), series, int(number) + at, "invoice" if line.gross > 0 else "credit_note",
            line.claimant_id, line.gross, line.gross - line.vat, line.vat,
        )  # fmt: skip
        session.add(
            CommissionInvoice(
                id=invoice.id, series=series, number=invoice.number, kind=invoice.kind, mode=mode,
                case_id=case_id, claimant_id=line.claimant_id, source_id=source_id,
                corrects_id=line.corrects, currency=currency, gross_minor=line.gross,
                net_minor=invoice.net_minor, vat_minor=line.vat,
                vat_bp=rule.vat_bp if line.vat_bp is None else line.vat_bp,
                fee_rule=f"{rule.id}@{rule.version}", issued_on=when.on,
            )
        )  # fmt: skip
        done.append(invoice)
    await session.flush()
    await order_papers(
        session,
        [Wanted(one.id, case_id, one.kind, one.claimant_id) for one in done],
        actor=when.actor, now=when.at,
    )  # fmt: skip
    return tuple(done)


_TAKE_NUMBERS = text(
    "INSERT INTO invoice_series (series, next_number) VALUES (:series, 1 + :count)"
    " ON CONFLICT (series) DO UPDATE SET next_number = invoice_series.next_number + :count"
    " RETURNING next_number - :count"
)


async def lock_totals(session: AsyncSession, case_id: uuid.UUID, currency: str) -> CaseFee:
    """The case's running totals, locked until the transaction ends."""
    await session.execute(
        insert(CaseFee)
        .values(case_id=case_id, currency=currency, recovered_minor=0, basis_minor=0, fee_minor=0)
        .on_conflict_do_nothing()
    )
    totals = (
        await session.execute(
            select(CaseFee)
            .where(CaseFee.case_id == case_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).scalar_one()
    if totals.currency != currency:
        raise CurrencyOfCase("The money is in another currency than the case.")
    return totals


async def posted_by_claimant(
    session: AsyncSession, case_id: uuid.UUID, vat_bp: int
) -> Mapping[str, Posted]:
    rows = await session.execute(
        select(
            CommissionInvoice.claimant_id,
            func.sum(CommissionInvoice.gross_minor),
            func.sum(CommissionInvoice.vat_minor),
        )
        .where(CommissionInvoice.case_id == case_id, CommissionInvoice.vat_bp == vat_bp)
        .group_by(CommissionInvoice.claimant_id)
    )
    return {str(who): Posted(int(gross), int(vat)) for who, gross, vat in rows}


async def _lines_of(session: AsyncSession, source_id: uuid.UUID) -> tuple[int, int]:
    row = (
        await session.execute(
            select(
                func.coalesce(func.sum(RecoveryLine.amount_minor), 0),
                func.coalesce(func.sum(RecoveryLine.amount_minor).filter(RecoveryLine.in_basis), 0),
            ).where(RecoveryLine.source_id == source_id)
        )
    ).one()
    return int(row[0]), int(row[1])


async def _basis_left(
    session: AsyncSession, case_id: uuid.UUID, *, without: uuid.UUID
) -> dict[uuid.UUID, int]:
    rows = await session.execute(
        select(RecoveryLine.claimant_id, func.sum(RecoveryLine.amount_minor))
        .outerjoin(Allocation, Allocation.id == RecoveryLine.source_id)
        .where(
            RecoveryLine.case_id == case_id,
            RecoveryLine.in_basis,
            RecoveryLine.source_id != without,
            Allocation.undone_at.is_(None),
        )
        .group_by(RecoveryLine.claimant_id)
    )
    return {claimant: int(minor) for claimant, minor in rows}


def _fee_key(source_id: uuid.UUID, claimant_id: uuid.UUID) -> str:
    return f"fee:{source_id}:{claimant_id}"
