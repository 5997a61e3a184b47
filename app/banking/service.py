"""Money that came in: set it against a case, and take that back.

Every function takes the caller's session and never commits. The caller turns the answers into
events for the engine (``AllocationDone`` -> ``MoneyAllocated``) in the same transaction. Lock
order: case, the case's fee totals, movement or allocation, ledger balances, invoice series.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import ledger
from app.banking.case_money import CaseMoney
from app.banking.commission import InvoiceDone, When, charge, give_back, lock_totals
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.money import Money
from app.domain.settlement import FeeReason, FeeRule, set_against_items
from app.ledger import Posting
from app.tables.banking import Allocation, Movement, MovementHold, RecoveryLine
from app.tables.ledger import CommissionInvoice


class AboveClaim(Conflict):
    """More money than is open on the case: allocate up to the claim and return the rest."""

    code = "above_claim"


class MovementHeld(Conflict):
    """The money came "in full settlement" and the claimants have not accepted."""

    code = "movement_held"


class AlreadyUndone(Conflict):
    """An allocation is undone once."""

    code = "already_undone"


class IdReused(Conflict):
    """The id belongs to another order with other content."""

    code = "id_reused"


class MovementUndone(Conflict):
    """The import that brought this movement was taken back."""

    code = "movement_undone"


class NotAReceipt(Conflict):
    """Only money that came in as a receipt can be allocated or returned."""

    code = "not_a_receipt"


@dataclass(frozen=True, slots=True)
class AllocateMoney:
    """An order to set ``amount`` of a movement against a case.

    ``id`` is the caller's; the same order again is answered with what stands. ``rule`` and
    ``evidence`` say why this case (see ``queries.candidates``). ``named`` is the payer's own
    split, ``item id -> minor``.
    """

    id: uuid.UUID
    movement_id: uuid.UUID
    case: CaseMoney
    amount: Money
    rule: str
    evidence: Mapping[str, str]
    actor: str
    at: datetime
    named: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ShareDone:
    """One claimant's part of an allocation or direct payment."""

    claimant_id: uuid.UUID
    received: Money
    fee: Money
    vat: Money
    payout: Money


@dataclass(frozen=True, slots=True)
class AllocationDone:
    """What an allocation did; feed the engine with it."""

    allocation_id: uuid.UUID
    case_id: uuid.UUID
    movement_id: uuid.UUID
    amount: Money
    fee: Money
    fee_reason: FeeReason | str
    shares: tuple[ShareDone, ...]
    invoices: tuple[InvoiceDone, ...]
    replayed: bool = False


async def allocate(session: AsyncSession, order: AllocateMoney) -> AllocationDone:
    """Set money against a case: rows 2 and 3, the invoice, the evidence, all in one step.

    Refused: AboveClaim, MovementHeld, NotAReceipt, FundsMissing (not so much left unallocated),
    CurrencyOfCase, SharesInvalid, IdReused.
    """
    case = order.case
    await lock_totals(session, case.case_id, case.currency)
    content = content_hash(
        str(order.movement_id), str(case.case_id), order.amount.minor, order.amount.currency,
        sorted(order.named.items()),
    )  # fmt: skip
    standing = await session.get(Allocation, order.id)
    if standing is not None:
        return await _standing(session, standing, content)
    movement = await receipt_of(session, order.movement_id)
    await _not_held(session, movement.id)
    check_fits(case, order.amount, movement.currency)
    shares, surplus = set_against_items(order.amount.minor, case.items, order.named)
    assert surplus == 0, "the amount was checked against what is open"
    when = When(order.actor, order.at, order.at.date())
    received: dict[str, int] = {}
    for share in shares:
        received[share.claimant_id] = received.get(share.claimant_id, 0) + share.amount_minor
    await ledger.post_many(
        session, [_allocated(order, when, who, minor) for who, minor in received.items()]
    )
    charged = await charge(
        session, case, shares, source_id=order.id, received_on=movement.booked_on,
        mode="deducted", when=when,
    )  # fmt: skip
    settlement = charged.settlement
    session.add(
        Allocation(
            id=order.id, movement_id=movement.id, case_id=case.case_id,
            amount_minor=order.amount.minor, currency=case.currency, rule=order.rule,
            evidence=dict(order.evidence), fee_reason=settlement.reason,
            fee_rule=case.fee_rule.to_document(), content_hash=content, made_by=order.actor,
            made_at=order.at,
        )
    )  # fmt: skip
    await session.flush()
    return AllocationDone(
        order.id, case.case_id, movement.id, order.amount,
        Money(settlement.fee_minor, case.currency), settlement.reason,
        tuple(
            ShareDone(
                uuid.UUID(part.claimant_id), Money(part.received_minor, case.currency),
                Money(part.fee_minor, case.currency), Money(part.vat_minor, case.currency),
                Money(part.payout_minor, case.currency),
            )
            for part in settlement.shares
        ),
        charged.invoices,
    )  # fmt: skip


def _allocated(order: AllocateMoney, when: When, claimant: str, minor: int) -> Posting:
    return Posting(
        kind="money_allocated", key=f"allocation:{order.id}:{claimant}",
        currency=order.amount.currency, amounts={"amount": minor},
        subs={
            "movement": str(order.movement_id), "case": str(order.case.case_id),
            "claimant": claimant,
        },
        effective_on=when.on, at=when.at, actor=when.actor, case_id=order.case.case_id,
    )  # fmt: skip


def check_fits(case: CaseMoney, amount: Money, movement_currency: str) -> None:
    """The amount is above zero, in the case's currency, and not more than is open."""
    if amount.minor <= 0:
        raise InvalidInput("An allocation needs an amount above zero.", code="amount_invalid")
    if amount.currency != case.currency or movement_currency != case.currency:
        raise InvalidInput("Money and case are in different currencies.", code="currency_mismatch")
    if amount.minor > case.open_minor:
        raise AboveClaim(
            "More money than is open on this case. Allocate up to the claim, return the rest.",
            open=Money(case.open_minor, case.currency).format(),
        )


async def _standing(session: AsyncSession, row: Allocation, content: str) -> AllocationDone:
    if row.content_hash != content:
        raise IdReused("This id stands for another allocation.")
    invoices = (
        (
            await session.execute(
                select(CommissionInvoice)
                .where(
                    CommissionInvoice.source_id == row.id,
                    CommissionInvoice.corrects_id.is_(None),
                )
                .order_by(CommissionInvoice.number)
            )
        )
        .scalars()
        .all()
    )
    done = tuple(
        InvoiceDone(
            i.id, i.series, i.number, i.kind, i.claimant_id, i.gross_minor, i.net_minor,
            i.vat_minor,
        )
        for i in invoices
    )  # fmt: skip
    fee = Money(sum(invoice.gross_minor for invoice in done), row.currency)
    return AllocationDone(
        row.id, row.case_id, row.movement_id, Money(row.amount_minor, row.currency), fee,
        row.fee_reason, (), done, replayed=True,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class UndoDone:
    """What undoing an allocation did. ``fee`` is the change of the case's fee (never above 0
    but for a minimum fee that the remaining money still owes)."""

    allocation_id: uuid.UUID
    case_id: uuid.UUID
    movement_id: uuid.UUID
    amount: Money
    fee: Money


async def undo_allocation(
    session: AsyncSession,
    allocation_id: uuid.UUID,
    *,
    actor: str,
    at: datetime,
    reason: str,
) -> UndoDone:
    """Take an allocation back by mirror: first the fee, then the money, then the odd cent.

    Lock the case row before calling. FundsMissing once the money is on its way out or the
    commission was swept; AlreadyUndone the second time; NotFound for an unknown id.
    """
    known = await session.get(Allocation, allocation_id)
    if known is None:
        raise NotFound("There is no such allocation.")
    await lock_totals(session, known.case_id, known.currency)
    row = (
        await session.execute(
            select(Allocation)
            .where(Allocation.id == allocation_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).scalar_one()
    if row.undone_at is not None:
        raise AlreadyUndone("This allocation was undone before.")
    row.undone_at, row.undone_by, row.undo_reason = at, actor, reason
    await session.flush()
    when = When(actor, at, at.date())
    change = await give_back(
        session, row.case_id, FeeRule.from_document(row.fee_rule), row.currency,
        source_id=row.id, when=when,
    )  # fmt: skip
    for key in await _allocation_keys(session, row):
        await ledger.reverse(
            session, key, reversal_key=f"undo:{key}", effective_on=when.on, at=at, actor=actor
        )
    return UndoDone(
        row.id, row.case_id, row.movement_id, Money(row.amount_minor, row.currency),
        Money(change, row.currency),
    )  # fmt: skip


async def _allocation_keys(session: AsyncSession, row: Allocation) -> list[str]:
    from_lines = await session.execute(
        select(RecoveryLine.claimant_id).where(RecoveryLine.source_id == row.id).distinct()
    )
    return sorted(f"allocation:{row.id}:{claimant}" for claimant in from_lines.scalars())


async def receipt_of(session: AsyncSession, movement_id: uuid.UUID) -> Movement:
    """The movement as it now is, locked: NotFound, MovementUndone, or NotAReceipt when it is not
    money that came in. Undoing an import takes the same lock (app.banking.undoing)."""
    movement = (
        await session.execute(
            select(Movement)
            .where(Movement.id == movement_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).scalar_one_or_none()
    if movement is None:
        raise NotFound("There is no such movement.")
    if movement.undone_at is not None:
        raise MovementUndone("The import that brought this money was taken back.")
    if movement.kind != "receipt":
        raise NotAReceipt("This movement is not money that came in.")
    return movement


async def _not_held(session: AsyncSession, movement_id: uuid.UUID) -> None:
    hold = await session.get(MovementHold, movement_id, populate_existing=True)
    if hold is not None and hold.outcome in ("waiting", "refused"):
        raise MovementHeld("This money came in full settlement and is not accepted.")


def content_hash(*parts: object) -> str:
    """Tells a repeated order from another one under the same id."""
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()
