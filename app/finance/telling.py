"""What a bank line means for the cases: payouts that left, came back, or reached their payer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Text, cast, select, update
from sqlalchemy.dialects.postgresql import insert

from app import engine
from app.domain.decision import TaskKind
from app.domain.events import MoneyReturned, PayoutReturned, PayoutSettled
from app.finance.desk import Desk
from app.ids import new_id
from app.logs import get_logger
from app.payouts.settling import ItemReturned, ItemSettled, give_back_return
from app.tables.banking import MovementHold
from app.tables.payouts import PayoutItem
from app.tables.work import TaskRow

FIX_PRIORITY = 10

log = get_logger()


@dataclass(frozen=True, slots=True)
class NotTold:
    """The bank moved money and the case did not take the word: a person looks, a task says so."""

    case_id: UUID
    why: str


async def tell_bank(
    desk: Desk, settled: Sequence[ItemSettled], returned: Sequence[ItemReturned]
) -> list[NotTold]:
    """Tell every case what the bank did with its payouts, then give back what came home.

    The bank's word stands whether a case takes it or not: a refusal never stops a statement.
    """
    facts = [
        engine.Fact(s.case_id, PayoutSettled(s.item_id, s.amount.minor), desk.actor)
        for s in settled
        if s.case_id is not None
    ]
    facts += await _to_payers(desk, settled)
    facts += [
        engine.Fact(
            r.case_id,
            PayoutReturned(r.item_id, r.amount.minor, r.reason, r.settled_before),
            desk.actor,
        )
        for r in returned
        if r.case_id is not None
    ]
    refused = [NotTold(result.case_id, str(result.why)) for result in await desk.tell(facts)]
    for one in refused:
        log.error("bank_word_not_taken", case_id=str(one.case_id))
        await open_fix_task(
            desk,
            one.case_id,
            f"not_told:{desk.moment.now.isoformat()}",
            "case_did_not_take_the_banks_word",
        )
    for back in returned:
        if back.settled_before:
            await give_back_return(desk.session, back.item_id, actor=desk.actor, at=desk.at)
        if back.case_id is None:
            await open_fix_task(desk, None, str(back.item_id), back.reason)
    return refused


async def _to_payers(desk: Desk, settled: Sequence[ItemSettled]) -> list[engine.Fact]:
    """Money the claimants refused has reached its payer: their case is told."""
    ids = [s.item_id for s in settled if s.kind == "payer_return"]
    if not ids:
        return []
    rows = await desk.session.execute(
        select(MovementHold.case_id, MovementHold.movement_id, PayoutItem.amount_minor)
        .join(PayoutItem, PayoutItem.movement_id == MovementHold.movement_id)
        .where(PayoutItem.id.in_(ids), MovementHold.outcome == "refused")
    )
    return [
        engine.Fact(r.case_id, MoneyReturned(r.movement_id, r.amount_minor), desk.actor)
        for r in rows
    ]


async def open_fix_task(desk: Desk, case_id: UUID | None, key: str, reason: str) -> None:
    await desk.session.execute(
        insert(TaskRow)
        .values(
            id=new_id(),
            case_id=case_id,
            kind=TaskKind.FIX_PAYOUT.value,
            key=key,
            role="finance",
            state="open",
            due_at=desk.moment.now,
            priority=FIX_PRIORITY,
            priority_reason=reason,
            subject_id=None,
            assignee_id=None,
            opened_at=desk.moment.now,
            closed_at=None,
            closed_by=None,
        )
        .on_conflict_do_nothing()
    )


async def close_fix_tasks(desk: Desk, movement_id: UUID) -> None:
    """The return of this money is prepared anew: the task about the one that failed is done."""
    failed = select(cast(PayoutItem.id, Text)).where(PayoutItem.movement_id == movement_id)
    await desk.session.execute(
        update(TaskRow)
        .where(
            TaskRow.kind == TaskKind.FIX_PAYOUT.value,
            TaskRow.state == "open",
            TaskRow.case_id.is_(None),
            TaskRow.key.in_(failed),
        )
        .values(state="done", closed_at=desk.moment.now, closed_by=desk.actor)
    )
