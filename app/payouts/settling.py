"""What a bank statement does to payouts: it settles them, or brings them back.

Only a statement settles. Called while a statement is imported, in its transaction.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ARRAY, Text, any_, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import ledger
from app.domain.errors import Conflict, NotFound
from app.domain.money import Money
from app.ledger import Posting
from app.tables.banking import Movement
from app.tables.payouts import PayoutBatch, PayoutItem


@dataclass(frozen=True, slots=True)
class BankLine:
    """The statement line that settles or returns an item."""

    movement_id: uuid.UUID
    bank_account_id: uuid.UUID
    booked_on: date
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ItemSettled:
    """The bank debited a payout; ``PayoutSettled`` for the engine when it is a consumer's."""

    item_id: uuid.UUID
    kind: str
    case_id: uuid.UUID | None
    claimant_id: uuid.UUID | None
    amount: Money


@dataclass(frozen=True, slots=True)
class ItemReturned:
    """A payout came back; ``PayoutReturned`` for the engine. The money waits in C.RETURN until
    ``give_back_return``."""

    item_id: uuid.UUID
    kind: str
    case_id: uuid.UUID | None
    claimant_id: uuid.UUID | None
    amount: Money
    reason: str
    settled_before: bool


async def find_items(
    session: AsyncSession, end_to_end_ids: Iterable[str], message_ids: Iterable[str]
) -> tuple[dict[str, PayoutItem], dict[str, list[PayoutItem]]]:
    """Our items by EndToEndId, and by the PmtInfId of their file, locked in id order."""
    batches = (
        await session.execute(
            select(PayoutBatch.id, PayoutBatch.message_id).where(
                PayoutBatch.message_id == any_(literal(list(message_ids), ARRAY(Text)))
            )
        )
    ).all()
    by_batch = {batch_id: message_id for batch_id, message_id in batches}
    items = (
        await session.execute(
            select(PayoutItem)
            .where(
                (PayoutItem.end_to_end_id == any_(literal(list(end_to_end_ids), ARRAY(Text))))
                | PayoutItem.batch_id.in_(list(by_batch))
            )
            .order_by(PayoutItem.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).scalars()
    single: dict[str, PayoutItem] = {}
    grouped: dict[str, list[PayoutItem]] = {}
    for item in items:
        single[item.end_to_end_id] = item
        if item.batch_id in by_batch:
            grouped.setdefault(by_batch[item.batch_id], []).append(item)
    return single, grouped


async def settle(
    session: AsyncSession,
    items: Sequence[tuple[PayoutItem, BankLine]],
    *,
    actor: str,
    at: datetime,
) -> list[ItemSettled]:
    """Row 6 (row 4 for a sweep): the money left the account. Items must be ``exported``."""
    postings = []
    for item, line in items:
        assert item.state == "exported", "only what the bank was given can be settled"
        item.state, item.settled_by_movement = "settled", line.movement_id
        postings.append(
            Posting(
                kind="sweep_settled" if item.kind == "sweep" else "payout_settled",
                key=f"payout:{item.id}:settled",
                currency=item.currency, amounts={"amount": item.amount_minor},
                subs={
                    "item": str(item.id), "bank_account": str(line.bank_account_id),
                    "own_account": str(item.own_account_id),
                },
                effective_on=line.booked_on, at=at, actor=actor, case_id=item.case_id,
            )
        )  # fmt: skip
    if postings:
        await session.flush()
        await ledger.post_many(session, postings)
        await close_batches(session, {item.batch_id for item, _ in items})
    return [
        ItemSettled(
            item.id, item.kind, item.case_id, item.claimant_id,
            Money(item.amount_minor, item.currency),
        )
        for item, _ in items
    ]  # fmt: skip


async def settle_by_hand(
    session: AsyncSession, item_id: uuid.UUID, movement_id: uuid.UUID, *, actor: str, at: datetime
) -> ItemSettled:
    """A person says which unexplained debit of a statement was this payout (the bank lost our id).

    Its first posting is taken back and the payout is settled by it. NotFound, Conflict.
    """
    item = (
        await session.execute(
            select(PayoutItem)
            .where(PayoutItem.id == item_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).scalar_one_or_none()
    movement = await session.get(
        Movement, movement_id, with_for_update=True, populate_existing=True
    )
    if item is None or movement is None:
        raise NotFound("There is no such payout or movement.", code="payout_not_found")
    if movement.undone_at is not None:
        raise Conflict("The import that brought this line was taken back.", code="movement_undone")
    if item.state != "exported":
        raise Conflict("Only a payout the bank was given can be settled.", code="payout_state")
    fits = movement.amount_minor == item.amount_minor and movement.currency == item.currency
    if movement.kind != "unexplained_debit" or not fits:
        raise Conflict(
            "This movement is not an unexplained debit of the same amount.",
            code="movement_does_not_fit",
        )
    await ledger.reverse(
        session, f"movement:{movement.id}", reversal_key=f"explained:{movement.id}:{item.id}",
        effective_on=movement.booked_on, at=at, actor=actor,
    )  # fmt: skip
    line = BankLine(movement.id, movement.bank_account_id, movement.booked_on)
    return (await settle(session, [(item, line)], actor=actor, at=at))[0]


async def take_return(
    session: AsyncSession, item: PayoutItem, line: BankLine, *, actor: str, at: datetime
) -> ItemReturned:
    """Row 8, first half: the bank gave a settled payout back. A new account is needed."""
    assert item.state == "settled", "only what was paid can come back"
    item.state, item.returned_by_movement = "returned", line.movement_id
    item.reason = line.reason
    await session.flush()
    await ledger.post(
        session,
        Posting(
            kind="payout_returned", key=f"payout:{item.id}:returned", currency=item.currency,
            amounts={"amount": item.amount_minor},
            subs={"item": str(item.id), "bank_account": str(line.bank_account_id)},
            effective_on=line.booked_on, at=at, actor=actor, case_id=item.case_id,
        ),
    )  # fmt: skip
    return ItemReturned(
        item.id, item.kind, item.case_id, item.claimant_id,
        Money(item.amount_minor, item.currency), line.reason or "NARR", settled_before=True,
    )  # fmt: skip


async def give_back_return(
    session: AsyncSession, item_id: uuid.UUID, *, actor: str, at: datetime
) -> Money:
    """Row 8, second half: the case is told, so the money is the consumer's (or payer's) again."""
    item = (
        await session.execute(select(PayoutItem).where(PayoutItem.id == item_id).with_for_update())
    ).scalar_one_or_none()
    if item is None:
        raise NotFound("There is no such payout.")
    if item.state != "returned":
        raise Conflict("This payout did not come back.", code="not_returned")
    consumer = item.kind == "consumer"
    await ledger.post(
        session,
        Posting(
            kind="return_given_back" if consumer else "payer_return_given_back",
            key=f"payout:{item.id}:given_back", currency=item.currency,
            amounts={"amount": item.amount_minor},
            subs={
                "item": str(item.id), "case": str(item.case_id),
                "claimant": str(item.claimant_id), "movement": str(item.movement_id),
            },
            effective_on=at.date(), at=at, actor=actor, case_id=item.case_id,
        ),
    )  # fmt: skip
    return Money(item.amount_minor, item.currency)


async def close_batches(session: AsyncSession, batch_ids: set[uuid.UUID | None]) -> None:
    """A batch none of whose items still waits for the bank is settled."""
    open_items = select(PayoutItem.batch_id).where(
        PayoutItem.batch_id.in_([b for b in batch_ids if b]), PayoutItem.state == "exported"
    )
    await session.execute(
        update(PayoutBatch)
        .where(
            PayoutBatch.id.in_([b for b in batch_ids if b]),
            PayoutBatch.state == "exported",
            PayoutBatch.id.not_in(open_items),
        )
        .values(state="settled", version=PayoutBatch.version + 1)
        .execution_options(synchronize_session=False)
    )
