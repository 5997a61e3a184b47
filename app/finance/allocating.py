"""Money against cases: allocate, take back, hold "in full settlement", send back to the payer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import insert, select

from app import engine, ledger
from app.banking import queries
from app.banking.case_money import CaseMoney, load_case_money
from app.banking.direct import pay_invoice
from app.banking.holds import hold_in_full_settlement, set_aside_for_payer, settle_hold
from app.banking.match_rules import load_rules
from app.banking.matching import learn_payer, unlearn
from app.banking.service import (
    AllocateMoney,
    AllocationDone,
    UndoDone,
    allocate,
    receipt_of,
    undo_allocation,
)
from app.crypto import Keyring
from app.domain.case import OfferKind, OfferState
from app.domain.errors import Conflict, NotFound
from app.domain.events import AllocationUndone, MoneyAllocated, MoneyHeldInFull
from app.domain.money import Money
from app.fields import FieldError, FieldsRefused
from app.finance.bank_schemas import AllocateIn, PayInvoiceIn
from app.finance.desk import Desk
from app.finance.entries import rests_on_it
from app.finance.telling import close_fix_tasks
from app.ids import new_id
from app.payouts.service import ItemDone, NothingToPay, PayoutWaits, return_to_payer
from app.tables.banking import Allocation, Movement, MovementHold
from app.tables.ledger import CommissionInvoice
from app.tables.payouts import PayoutItem
from app.tables.work import OfferRow

ANSWER_DAYS = 14  # of the claimants, for money that came in full settlement
BY_PERSON = "person"  # the rule of an allocation that no reference supports


class AnswerAwaited(Conflict):
    """The claimants have not answered yet, or their answer was yes."""

    code = "answer_awaited"


@dataclass(frozen=True, slots=True)
class Held:
    """Money that waits for the claimants; ``offer_id`` None: a closed case, a person decides."""

    movement_id: UUID
    case_id: UUID
    offer_id: UUID | None
    amount: Money


async def allocate_money(
    desk: Desk, keyring: Keyring, movement_id: UUID, body: AllocateIn
) -> AllocationDone | Held:
    """Set money of a movement against a case, its commission and invoice with it.

    Below the claim and "in full settlement" it is held for the claimants' answer instead. Raises
    NotFound, AboveClaim, MovementHeld, FundsMissing, currency_mismatch, TransitionRefused.
    """
    case = await load_case_money(desk.session, body.case_id, zone=desk.zone)
    movement = await receipt_of(desk.session, movement_id)
    left = await unallocated_of(desk, movement)
    amount = body.amount.money() if body.amount is not None else left
    if left.is_zero:
        raise NothingToPay("nothing of this money is unallocated", code="nothing_unallocated")
    if (
        body.in_full_settlement
        and amount.currency == case.currency
        and amount.minor < case.open_minor
    ):
        return await _hold(desk, case, movement, amount, left, body.answer_within_days)
    await _take_answer(desk, movement.id, case.case_id)
    why = await _why(desk, keyring, movement.id, case.case_id)
    done = await allocate_part(desk, movement.id, case, amount, why, third_party=body.third_party)
    if not body.third_party:
        await learn_payer(
            desk.session, keyring, movement, case.case_id, allocation_id=done.allocation_id,
            rules=load_rules(), actor=desk.actor, at=desk.at,
        )  # fmt: skip
    return done


async def allocate_part(
    desk: Desk,
    movement_id: UUID,
    case: CaseMoney,
    amount: Money,
    why: tuple[str, Mapping[str, str]],
    *,
    third_party: bool = False,
) -> AllocationDone:
    """Set a sum of a movement against a case and tell the case; ``why`` is rule and evidence."""
    rule, evidence = why
    done = await allocate(
        desk.session,
        AllocateMoney(
            id=new_id(),
            movement_id=movement_id,
            case=case,
            amount=amount,
            rule=rule,
            evidence=evidence,
            actor=desk.actor,
            at=desk.at,
        ),
    )
    await engine.advance(
        desk.session,
        case.case_id,
        MoneyAllocated(done.allocation_id, amount.minor, done.fee.minor, third_party),
        actor=desk.actor,
        moment=desk.moment,
    )
    return done


async def unallocated_of(desk: Desk, movement: Movement) -> Money:
    return await ledger.balance_of(desk.session, "C.UNALLOC", str(movement.id), movement.currency)


async def _why(
    desk: Desk, keyring: Keyring, movement_id: UUID, case_id: UUID
) -> tuple[str, dict[str, str]]:
    """The evidence that points at this case; a person's word where there is none."""
    for found in await queries.candidates(desk.session, movement_id, keyring=keyring):
        if found.case_id == case_id:
            return found.rule, found.evidence
    return BY_PERSON, {"step": BY_PERSON, "by": desk.actor}


async def _take_answer(desk: Desk, movement_id: UUID, case_id: UUID) -> None:
    """Held money whose offer stands accepted (or whose case is closed, where a person decides)
    may be allocated to its case. Otherwise the hold stays and `allocate` refuses."""
    hold = await desk.session.get(MovementHold, movement_id)
    if hold is None or hold.outcome != "waiting":
        return
    if hold.case_id != case_id:
        raise AnswerAwaited("this money is held for another case", case=str(hold.case_id))
    seen = await engine.peek(desk.session, case_id)
    assert seen is not None, "the case is locked by us"
    offer = seen.case.offer
    if not seen.case.is_open or (offer is not None and offer.state is OfferState.ACCEPTED):
        await settle_hold(desk.session, movement_id, accepted=True, actor=desk.actor, at=desk.at)


async def _hold(
    desk: Desk, case: CaseMoney, movement: Movement, amount: Money, left: Money, days: int | None
) -> Held:
    if amount != left:
        raise FieldsRefused(
            FieldError("/amount", "money in full settlement is held whole", "whole_movement_only")
        )
    await hold_in_full_settlement(
        desk.session, movement.id, case.case_id, actor=desk.actor, at=desk.at
    )
    seen = await engine.peek(desk.session, case.case_id)
    assert seen is not None, "the case is locked by us"
    offer_id = new_id()
    answer_by = desk.moment.now + timedelta(days=days or ANSWER_DAYS)
    if seen.case.is_open:
        await desk.session.execute(
            insert(OfferRow).values(
                id=offer_id,
                case_id=case.case_id,
                kind=OfferKind.PART.value,
                state=OfferState.OPEN.value,
                amount_minor=amount.minor,
                currency=amount.currency,
                made_at=desk.moment.now,
                answer_by=answer_by,
                in_full_settlement=True,
                message_id=None,
                words=movement.remittance,
                answers={},
                recorded_by=desk.actor,
            )
        )
    await engine.advance(
        desk.session,
        case.case_id,
        MoneyHeldInFull(movement.id, offer_id, amount.minor, answer_by),
        actor=desk.actor,
        moment=desk.moment,
    )
    return Held(movement.id, case.case_id, offer_id if seen.case.is_open else None, amount)


async def undo(desk: Desk, allocation_id: UUID, reason: str) -> UndoDone:
    """Take money, fee and the case's count back. Raises NotFound, AlreadyUndone, FundsMissing."""
    case_id = await desk.session.scalar(
        select(Allocation.case_id).where(Allocation.id == allocation_id)
    )
    if case_id is None:
        raise NotFound("there is no such allocation", code="allocation_not_found")
    await desk.lock_case(case_id)
    if await rests_on_it(desk, allocation_id, case_id):
        raise Conflict(
            "money of it was taken back or its fee waived: set it right by an entry",
            code="entry_rests_on_it",
        )
    done = await undo_allocation(
        desk.session, allocation_id, actor=desk.actor, at=desk.at, reason=reason
    )
    await unlearn(desk.session, allocation_id)
    await engine.advance(
        desk.session,
        case_id,
        AllocationUndone(allocation_id, done.amount.minor, -done.fee.minor),
        actor=desk.actor,
        moment=desk.moment,
    )
    return done


async def send_back(desk: Desk, movement_id: UUID) -> ItemDone:
    """Prepare the return of what is unallocated (or refused) to the account it came from.

    The case that refused it hears of it when the bank has sent it. Raises AnswerAwaited,
    NoPayoutRail (the statement names no account), NothingToPay, PayoutWaits, NotFound.
    """
    hold = await desk.session.get(MovementHold, movement_id)
    if hold is not None:
        await desk.lock_case(hold.case_id)
    movement = await receipt_of(desk.session, movement_id)
    if hold is not None:
        await _take_refusal(desk, movement_id)
    live = await desk.session.scalar(
        select(PayoutItem.id).where(
            PayoutItem.movement_id == movement_id,
            PayoutItem.state.in_(("draft", "proposed", "approved", "exported")),
        )
    )
    if live is not None:
        raise PayoutWaits("the return of this money is on its way", item=str(live))
    await close_fix_tasks(desk, movement_id)
    left = await unallocated_of(desk, movement)
    if not left.is_zero:
        await set_aside_for_payer(desk.session, movement_id, left, actor=desk.actor, at=desk.at)
    return await return_to_payer(
        desk.session,
        item_id=new_id(),
        movement_id=movement_id,
        remittance=f"Return {movement.bank_ref or movement.booked_on.isoformat()}"[:140],
        actor=desk.actor,
        at=desk.at,
    )


async def _take_refusal(desk: Desk, movement_id: UUID) -> None:
    hold = await desk.session.get(MovementHold, movement_id, populate_existing=True)
    assert hold is not None, "asked by who found it"
    seen = await engine.peek(desk.session, hold.case_id)
    assert seen is not None, "the case is locked by us"
    if hold.outcome == "accepted" and seen.case.money.unallocated_in_full > 0:
        raise AnswerAwaited("the claimants accepted: allocate it")
    if hold.outcome != "waiting":
        return
    offer = seen.case.offer
    if seen.case.is_open and offer is not None:
        if offer.state is OfferState.OPEN:
            raise AnswerAwaited(
                "the claimants may still accept", answer_by=offer.answer_by.isoformat()
            )
        if offer.state is OfferState.ACCEPTED:
            raise AnswerAwaited("the claimants accepted: allocate it")
    await settle_hold(desk.session, movement_id, accepted=False, actor=desk.actor, at=desk.at)


async def pay(desk: Desk, movement_id: UUID, body: PayInvoiceIn) -> Money:
    """A consumer paid our invoice on the client account (row 13); returns what stays open."""
    movement = await receipt_of(desk.session, movement_id)
    invoice = await desk.session.get(CommissionInvoice, body.invoice_id)
    if invoice is None:
        raise NotFound("there is no such invoice", code="invoice_not_found")
    left = await unallocated_of(desk, movement)
    amount = body.amount.money() if body.amount is not None else left
    if amount.is_zero:
        raise NothingToPay("nothing of this money is unallocated", code="nothing_unallocated")
    return await pay_invoice(
        desk.session, movement_id, body.invoice_id, amount, actor=desk.actor, at=desk.at
    )
