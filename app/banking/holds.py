"""Money sent "in full settlement", and money that goes back to who sent it.

Such money stays unallocated until the claimants accept; refused, it is set aside for its payer.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import ledger
from app.banking.service import receipt_of
from app.domain.errors import Conflict
from app.domain.money import Money
from app.ledger import Posting
from app.tables.banking import MovementHold


@dataclass(frozen=True, slots=True)
class HoldDone:
    """A movement that waits for the claimants."""

    movement_id: uuid.UUID
    case_id: uuid.UUID
    amount: Money


async def hold_in_full_settlement(
    session: AsyncSession,
    movement_id: uuid.UUID,
    case_id: uuid.UUID,
    *,
    actor: str,
    at: datetime,
) -> HoldDone:
    """Mark a receipt as sent "in full settlement": nothing is allocated until it is accepted."""
    movement = await receipt_of(session, movement_id)
    left = await ledger.balance_of(session, "C.UNALLOC", str(movement.id), movement.currency)
    if left.minor != movement.amount_minor:
        raise Conflict("A part of this money is allocated already.", code="partly_allocated")
    hold = await session.get(MovementHold, movement_id)
    if hold is not None and (hold.outcome != "waiting" or hold.case_id != case_id):
        raise Conflict("This money was held before.", code="held_before")
    if hold is None:
        if await waiting_hold(session, case_id) is not None:
            raise Conflict("Other money on this case waits for an answer.", code="other_hold_waits")
        session.add(
            MovementHold(
                movement_id=movement_id, case_id=case_id, outcome="waiting", set_by=actor,
                set_at=at,
            )
        )  # fmt: skip
        await session.flush()
    return HoldDone(movement_id, case_id, left)


async def waiting_hold(session: AsyncSession, case_id: uuid.UUID) -> uuid.UUID | None:
    """The movement of a case that waits for the claimants' answer. Lock the case row before."""
    return await session.scalar(
        select(MovementHold.movement_id).where(
            MovementHold.case_id == case_id, MovementHold.outcome == "waiting"
        )
    )


async def settle_hold_of_case(
    session: AsyncSession, case_id: uuid.UUID, *, accepted: bool, actor: str, at: datetime
) -> HoldDone | None:
    """The claimants answered: settle what waits for them. None when nothing does."""
    movement_id = await waiting_hold(session, case_id)
    if movement_id is None:
        return None
    return await settle_hold(session, movement_id, accepted=accepted, actor=actor, at=at)


async def settle_hold(
    session: AsyncSession, movement_id: uuid.UUID, *, accepted: bool, actor: str, at: datetime
) -> HoldDone:
    """The claimants' answer: accepted money may be allocated, refused money is set aside for its
    payer (row 16; ``payouts.service.return_to_payer`` sends it)."""
    movement = await receipt_of(session, movement_id)
    hold = await session.get(
        MovementHold, movement_id, with_for_update=True, populate_existing=True
    )
    if hold is None or hold.outcome != "waiting":
        raise Conflict("This money is not waiting for an answer.", code="not_held")
    hold.outcome = "accepted" if accepted else "refused"
    hold.settled_by, hold.settled_at = actor, at
    await session.flush()
    left = await ledger.balance_of(session, "C.UNALLOC", str(movement_id), movement.currency)
    if not accepted:
        await set_aside_for_payer(session, movement_id, left, actor=actor, at=at)
    return HoldDone(movement_id, hold.case_id, left)


async def set_aside_for_payer(
    session: AsyncSession, movement_id: uuid.UUID, amount: Money, *, actor: str, at: datetime
) -> None:
    """Row 16: unallocated money that is to go back to who sent it."""
    await receipt_of(session, movement_id)
    before = await ledger.balance_of(session, "C.PAYER", str(movement_id), amount.currency)
    await ledger.post(
        session,
        Posting(
            kind="refused_money_set_aside",
            # What was set aside before is part of the key, so a repeat meets its own key.
            key=f"payer:{movement_id}:{before.minor}",
            currency=amount.currency, amounts={"amount": amount.minor},
            subs={"movement": str(movement_id)}, effective_on=at.date(), at=at, actor=actor,
        ),
    )  # fmt: skip
