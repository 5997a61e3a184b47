"""Fees given back: when money is taken back by its payer, and when a fee is waived.

The fee of a case stays the function of its basis (``app.domain.settlement``), less what was waived;
every change has its credit note in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import ledger
from app.banking.case_money import CaseMoney
from app.banking.commission import (
    DocumentLine,
    When,
    lock_totals,
    number_documents,
    posted_by_claimant,
)
from app.banking.service import AlreadyUndone
from app.domain.book_entries import EntryTooLarge, Plan, Taken, take_back
from app.domain.errors import NotFound
from app.domain.money import split_largest_remainder
from app.domain.settlement import Posted, fee_total, vat_inside
from app.tables.banking import Allocation, RecoveryLine
from app.tables.entries import BookEntry
from app.tables.ledger import CaseFee, CommissionInvoice


async def reversal(
    session: AsyncSession, case: CaseMoney, entry: BookEntry, debit: str, *, when: When
) -> Plan:
    """Rows 24 and 25: some of an allocation was taken back. AlreadyUndone, EntryTooLarge."""
    allocation = await session.get(Allocation, entry.allocation_id, with_for_update=True)
    if allocation is None or allocation.case_id != case.case_id:
        raise NotFound("there is no such allocation", code="allocation_not_found")
    if allocation.undone_at is not None:
        raise AlreadyUndone("This allocation was undone.")
    totals = await lock_totals(session, case.case_id, case.currency)
    taken = await _take_lines(session, allocation, entry)
    basis = {who: minor for who, (_, minor) in taken.items()}
    fees = await _fees_back(session, case, totals, entry.amount_minor, basis)
    parts = [
        Taken(
            who, minor, fee, vat,
            (await ledger.balance_of(
                session, "C.CLIENT", f"{case.case_id}/{who}", case.currency)).minor,
        )
        for who, (minor, _) in taken.items()
        for fee, vat in [fees.get(who, (0, 0))]
    ]  # fmt: skip
    for part in parts:
        if part.fee:
            await credit_note(
                session, case, part.claimant, part.fee, part.vat, source=entry.id, when=when
            )
    here = await ledger.balance_of(session, "C.TOOWN", str(case.case_id), case.currency)
    return take_back(
        str(case.case_id), debit, str(case.fee_rule.vat_bp), parts, unswept=here.minor
    )  # fmt: skip


async def _take_lines(
    session: AsyncSession, allocation: Allocation, entry: BookEntry
) -> dict[str, tuple[int, int]]:
    """Lines below zero on the items the allocation was set against, each its proportion of what is
    left; per claimant what was taken and how much of it earned a fee."""
    earlier = select(BookEntry.id).where(
        BookEntry.allocation_id == allocation.id, BookEntry.state == "approved"
    )
    rows = (
        await session.execute(
            select(
                RecoveryLine.item_id, RecoveryLine.claimant_id, RecoveryLine.earns_fee,
                RecoveryLine.in_basis, func.sum(RecoveryLine.amount_minor).label("left"),
            )
            .where(
                (RecoveryLine.source_id == allocation.id) | RecoveryLine.source_id.in_(earlier)
            )
            .group_by(
                RecoveryLine.item_id, RecoveryLine.claimant_id, RecoveryLine.earns_fee,
                RecoveryLine.in_basis,
            )
            .order_by(RecoveryLine.item_id)
        )
    ).all()  # fmt: skip
    left = [int(row.left) for row in rows]
    if entry.amount_minor > sum(left):
        raise EntryTooLarge("The allocation is smaller than that, or was taken back before.")
    taken: dict[str, tuple[int, int]] = {}
    for row, part in zip(rows, split_largest_remainder(entry.amount_minor, left), strict=True):
        if not part:
            continue
        session.add(
            RecoveryLine(
                source_id=entry.id, item_id=row.item_id, case_id=allocation.case_id,
                claimant_id=row.claimant_id, amount_minor=-part, earns_fee=row.earns_fee,
                in_basis=row.in_basis,
            )
        )  # fmt: skip
        all_of, in_basis = taken.get(str(row.claimant_id), (0, 0))
        taken[str(row.claimant_id)] = (all_of + part, in_basis + part * row.in_basis)
    return taken


async def _fees_back(
    session: AsyncSession,
    case: CaseMoney,
    totals: CaseFee,
    amount: int,
    basis: Mapping[str, int],
) -> dict[str, tuple[int, int]]:
    """Set the running totals right; per claimant the fee that goes back and the VAT inside it."""
    rule = case.fee_rule
    before = totals.fee_minor - totals.waived_minor
    totals.recovered_minor -= amount
    totals.basis_minor -= sum(basis.values())
    if sum(basis.values()):
        totals.fee_minor = fee_total(rule, totals.basis_minor)
        totals.waived_minor = min(totals.waived_minor, totals.fee_minor)
    await session.flush()
    back = before - (totals.fee_minor - totals.waived_minor)
    if not back:
        return {}
    posted = await posted_by_claimant(session, case.case_id, rule.vat_bp)
    who = sorted(basis)
    found = {}
    for claimant, fee in zip(
        who, split_largest_remainder(back, [basis[w] for w in who]), strict=True
    ):
        was = posted.get(claimant, Posted())
        found[claimant] = (
            fee, was.vat_minor - vat_inside(max(was.gross_minor - fee, 0), rule.vat_bp)
        )  # fmt: skip
    return found


async def credit_note(
    session: AsyncSession,
    case: CaseMoney,
    claimant: str,
    gross: int,
    vat: int,
    *,
    source: UUID,
    when: When,
    corrects: CommissionInvoice | None = None,
) -> None:
    """The next number of the series for a fee that goes back; it names the invoice it corrects."""
    original = corrects or await session.scalar(
        select(CommissionInvoice)
        .where(
            CommissionInvoice.case_id == case.case_id,
            CommissionInvoice.claimant_id == UUID(claimant),
            CommissionInvoice.kind == "invoice",
        )
        .order_by(CommissionInvoice.series.desc(), CommissionInvoice.number.desc())
        .limit(1)
    )
    await number_documents(
        session, case.case_id, case.currency, case.fee_rule,
        [DocumentLine(
            UUID(claimant), -gross, -vat, corrects=original.id if original else None,
            vat_bp=original.vat_bp if original else None,
        )],
        source_id=source, mode="receivable" if corrects else "deducted", when=when,
    )  # fmt: skip


async def deducted(session: AsyncSession, case: CaseMoney, claimant: str) -> Posted:
    """What the deducted fees of a claimant come to, credit notes taken off."""
    return await _sum(
        session,
        CommissionInvoice.case_id == case.case_id,
        CommissionInvoice.claimant_id == UUID(claimant),
        CommissionInvoice.mode == "deducted",
        CommissionInvoice.vat_bp == case.fee_rule.vat_bp,
    )


async def credited(session: AsyncSession, invoice: CommissionInvoice) -> Posted:
    """What credit notes took off an invoice already (sums below zero)."""
    return await _sum(session, CommissionInvoice.corrects_id == invoice.id)


async def _sum(session: AsyncSession, *where: object) -> Posted:
    row = (
        await session.execute(
            select(
                func.coalesce(func.sum(CommissionInvoice.gross_minor), 0),
                func.coalesce(func.sum(CommissionInvoice.vat_minor), 0),
            ).where(*where)  # type: ignore[arg-type]  # conditions on columns
        )
    ).one()
    return Posted(int(row[0]), int(row[1]))
