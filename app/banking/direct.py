"""Commission that is not deducted: the company paid the consumer, who then pays our invoice.

Mode B lives here: no client money moves, only an invoice and, later, its payment (rows 12, 13).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import ledger
from app.banking.case_money import CaseMoney
from app.banking.commission import InvoiceDone, When, charge, lock_totals
from app.banking.service import IdReused, check_fits, content_hash, receipt_of
from app.domain.errors import Conflict, NotFound
from app.domain.money import Money
from app.domain.settlement import FeeReason, set_against_items
from app.ledger import Posting
from app.tables.banking import DirectRecovery
from app.tables.ledger import CommissionInvoice


@dataclass(frozen=True, slots=True)
class DirectPayment:
    """The company paid the consumer itself (mode B, or in spite of us): only our fee moves."""

    id: uuid.UUID
    case: CaseMoney
    amount: Money
    paid_on: date
    actor: str
    at: datetime
    named: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DirectDone:
    """What recording a direct payment did."""

    id: uuid.UUID
    case_id: uuid.UUID
    amount: Money
    fee: Money
    fee_reason: FeeReason | str
    invoices: tuple[InvoiceDone, ...]
    replayed: bool = False


async def record_direct_payment(session: AsyncSession, order: DirectPayment) -> DirectDone:
    """Row 12: no client money moves; the commission becomes a receivable with its invoice."""
    case = order.case
    await lock_totals(session, case.case_id, case.currency)
    content = content_hash(
        str(case.case_id), order.amount.minor, order.amount.currency, order.paid_on.isoformat(),
        sorted(order.named.items()),
    )  # fmt: skip
    known = await session.get(DirectRecovery, order.id)
    if known is not None:
        if known.content_hash != content:
            raise IdReused("This id stands for another payment.")
        fee = (
            await session.execute(
                select(CommissionInvoice.gross_minor).where(CommissionInvoice.source_id == order.id)
            )
        ).scalars()
        return DirectDone(
            order.id, case.case_id, order.amount, Money(sum(fee), case.currency),
            known.fee_reason, (), replayed=True,
        )  # fmt: skip
    check_fits(case, order.amount, order.amount.currency)
    shares, _ = set_against_items(order.amount.minor, case.items, order.named)
    charged = await charge(
        session, case, shares, source_id=order.id, received_on=order.paid_on,
        mode="receivable", when=When(order.actor, order.at, order.at.date()),
    )  # fmt: skip
    session.add(
        DirectRecovery(
            id=order.id, case_id=case.case_id, amount_minor=order.amount.minor,
            currency=case.currency, fee_reason=charged.settlement.reason,
            fee_rule=case.fee_rule.to_document(), content_hash=content, paid_on=order.paid_on,
            recorded_by=order.actor, recorded_at=order.at,
        )
    )  # fmt: skip
    await session.flush()
    return DirectDone(
        order.id, case.case_id, order.amount,
        Money(charged.settlement.fee_minor, case.currency), charged.settlement.reason,
        charged.invoices,
    )  # fmt: skip


async def pay_invoice(
    session: AsyncSession,
    movement_id: uuid.UUID,
    invoice_id: uuid.UUID,
    amount: Money,
    *,
    actor: str,
    at: datetime,
) -> Money:
    """Row 13 when the consumer's payment lands on the client account; returns what stays open.

    NotFound for an unknown invoice; Conflict when more is paid than is open.
    """
    movement = await receipt_of(session, movement_id)
    invoice = await session.get(CommissionInvoice, invoice_id)
    if invoice is None or invoice.mode != "receivable" or invoice.kind != "invoice":
        raise NotFound("There is no such invoice to pay.")
    sub = f"{invoice.claimant_id}/{invoice.id}"
    still = await ledger.balance_of(session, "O.COMMREC", sub, invoice.currency)
    amount.same_currency(still)
    if not 0 < amount.minor <= still.minor or movement.currency != invoice.currency:
        raise Conflict("The payment does not fit the open invoice.", code="invoice_overpaid")
    await ledger.post(
        session,
        Posting(
            kind="commission_paid", key=f"invoice:{invoice.id}:{movement.id}:{still.minor}",
            currency=invoice.currency, amounts={"amount": amount.minor},
            subs={
                "movement": str(movement.id), "case": str(invoice.case_id),
                "claimant": str(invoice.claimant_id), "invoice": str(invoice.id),
            },
            effective_on=at.date(), at=at, actor=actor, case_id=invoice.case_id,
        ),
    )  # fmt: skip
    return still - amount
