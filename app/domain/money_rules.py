"""Money beside the ladder: what came in, what the company paid itself, what went out."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Final

from app.domain import position
from app.domain.case import (
    BEFORE_MANDATE,
    MoneyState,
    OfferState,
    Outcome,
    PauseKind,
    Stage,
    WaitingOn,
)
from app.domain.closing import close, return_money
from app.domain.decision import TaskKind
from app.domain.errors import StaleEvent
from app.domain.events import (
    AllocationUndone,
    MoneyAllocated,
    MoneyCorrected,
    MoneyReturned,
    PaidDirectConfirmed,
    PaidDirectReported,
    PayoutAccountGiven,
    PayoutApproved,
    PayoutReturned,
    PayoutSettled,
    VoucherTaken,
)
from app.domain.ladder import choose, enter_settlement
from app.domain.letters import go_on
from app.domain.offers import wait_for_agreed
from app.domain.turn import Turn

PAYOUT_WORKING_DAYS: Final = 3  # prepared, approved by another person, on the statement
ACCOUNT_DAYS: Final = 14
PROOF_WORKING_DAYS: Final = 3  # a person looks at the proof of a direct payment


def _money(t: Turn, **changes: int) -> None:
    money: MoneyState = replace(t.case.money, **changes)
    if money.paid_out + money.in_flight + money.fee > money.received + money.adjusted:
        t.refuse("client money never pays more than came in for that client")
    if min(money.received, money.fee, money.in_flight, money.paid_out) < 0:
        t.refuse("more is taken back than was there")
    t.change(money=money)


def allocated(t: Turn, event: MoneyAllocated) -> None:
    if event.amount_minor <= 0:
        t.refuse("an allocation is above zero")
    money = t.case.money
    third = event.amount_minor if event.third_party else 0
    used = money.unallocated_in_full
    if not position.offer_open(t.case):
        used = max(0, used - event.amount_minor)
    _money(
        t,
        received=money.received + event.amount_minor,
        fee=money.fee + event.fee_minor,
        third_party=money.third_party + third,
        unallocated_in_full=used,
    )
    key = str(event.allocation_id)
    t.say("money_arrived", amount=event.amount_minor, fee=event.fee_minor)
    if not t.case.is_open:
        _pay_out_beside(t, key)
        t.notify("money_after_closing", key, amount=event.amount_minor)
        return
    t.notify("money_arrived", key, amount=event.amount_minor, fee=event.fee_minor)
    go_on_with_money(t, key)


def go_on_with_money(t: Turn, key: str) -> None:
    """The whole is here: settlement. A part: it is paid out and the ladder goes on for the rest."""
    if position.covered(t.case) and t.case.stage is not Stage.INTAKE:
        _whole(t, key)
        return
    _promise_kept(t)
    _pay_out_beside(t, key)


def _promise_kept(t: Turn) -> None:
    promise = t.case.promise
    if promise is None or t.case.stage is Stage.SETTLEMENT:
        return
    if t.case.recovered_minor - promise.recovered_before < promise.amount_minor:
        return
    t.change(promise=None)
    t.drop_pause(PauseKind.PROMISE, str(promise.id))
    t.say("promise_kept", amount=promise.amount_minor)
    if t.case.letter is not None and t.case.letter.state not in position.LEFT_US:
        # The letter of this step was stopped by the promise: a person says what the rest needs.
        choose(t, "rest_after_promise")
    go_on(t)


def _whole(t: Turn, key: str) -> None:
    _drop_offer(t)
    enter_settlement(t, "whole_received")
    t.drop_pause(PauseKind.HOLD)
    if _finished(t):
        return
    if position.payable(t.case) <= 0:
        t.wait_for_us("payout", PAYOUT_WORKING_DAYS, WaitingOn.BANK)
    elif position.accounts_known(t.case):
        _prepare_payout(t, key)
        t.wait_for_us("payout", PAYOUT_WORKING_DAYS, WaitingOn.BANK)
    else:
        t.wait_days(WaitingOn.CONSUMER, ACCOUNT_DAYS, "account_needed")
        t.notify("account_needed")


def _drop_offer(t: Turn) -> None:
    offer = t.case.offer
    if offer is None or offer.state is not OfferState.OPEN:
        return
    t.change(offer=replace(offer, state=OfferState.WITHDRAWN))
    t.drop_pause(PauseKind.OFFER)
    t.say("offer_overtaken_by_payment", offer=offer.id)
    if t.case.money.unallocated_in_full > 0:
        return_money(t)


def _pay_out_beside(t: Turn, key: str) -> None:
    if position.payable(t.case) <= 0:
        return
    if position.accounts_known(t.case):
        _prepare_payout(t, key)
    else:
        t.notify("account_needed")


def _prepare_payout(t: Turn, key: str) -> None:
    t.task(
        TaskKind.PREPARE_PAYOUT,
        key,
        reason="money_to_pay_out",
        role="finance",
        working_days=2,
        priority=20,
    )


def _finished(t: Turn) -> bool:
    """Everything recovered is where it belongs: the case ends."""
    case = t.case
    money = case.money
    open_money = position.payable(case) or money.in_flight or money.unallocated_in_full
    if case.stage is not Stage.SETTLEMENT or not position.covered(case) or open_money:
        return False
    close(t, _outcome(t), "settled", received=money.received, direct=money.direct)
    return True


def _outcome(t: Turn) -> Outcome:
    money = t.case.money
    if money.received == 0 and money.direct == 0:
        return Outcome.VOUCHER_ACCEPTED
    if money.received == 0:
        return Outcome.PAID_DIRECT
    if money.third_party >= money.received and money.direct == 0:
        return Outcome.PAID_BY_THIRD_PARTY
    full = t.case.recovered_minor >= position.claimed(t.case)
    return Outcome.REFUNDED_FULL if full else Outcome.REFUNDED_PART


def undone(t: Turn, event: AllocationUndone) -> None:
    """It belonged elsewhere. What left already cannot be undone here."""
    money = t.case.money
    _money(
        t,
        received=money.received - event.amount_minor,
        fee=money.fee - event.fee_minor,
        third_party=min(money.third_party, money.received - event.amount_minor),
    )
    t.say("allocation_undone", amount=event.amount_minor)
    t.notify("allocation_undone", str(event.allocation_id), amount=event.amount_minor)
    if t.case.stage is not Stage.SETTLEMENT or position.covered(t.case):
        return
    if t.case.agreed_minor is not None:
        wait_for_agreed(t)
    else:
        choose(t, "whole_no_longer_here")


def corrected(t: Turn, event: MoneyCorrected) -> None:
    """The books say more or less for this case; told before the next letter or payout."""
    if t.case.stage in BEFORE_MANDATE:
        t.refuse("there is no money of ours here before the agreement")
    before, money = position.payable(t.case), t.case.money
    _money(
        t,
        received=money.received + event.received_minor,
        fee=money.fee + event.fee_minor,
        fee_direct=money.fee_direct + event.fee_direct_minor,
        third_party=min(money.third_party, money.received + event.received_minor),
        adjusted=money.adjusted + event.adjusted_minor,
    )
    code, amount = _in_words(event, position.payable(t.case) - before)
    key = str(event.entry_id)
    t.say(code, amount=amount, what=event.why)
    t.notify(code, key, amount=amount)
    _pay_out_beside(t, key)
    if event.received_minor < 0:
        _taken_back(t, event.entry_id)
    elif t.case.is_open:
        _finished(t)


def _in_words(event: MoneyCorrected, change: int) -> tuple[str, int]:
    if event.received_minor < 0:
        return "money_taken_back", -event.received_minor
    if event.fee_direct_minor < 0:
        return "invoice_lowered", -event.fee_direct_minor
    if event.fee_direct_minor > 0:
        return "fee_invoiced", event.fee_direct_minor
    return ("money_added", change) if change >= 0 else ("money_set_off", -change)


def _taken_back(t: Turn, entry_id: uuid.UUID) -> None:
    """A person says what follows: the claim is open again, whether the case is or not."""
    if not t.case.is_open:
        t.task(
            TaskKind.FIX_PAYOUT, str(entry_id), reason="money_taken_back", role="finance",
            working_days=2, priority=10, subject=entry_id,
        )  # fmt: skip
    elif t.case.stage is Stage.SETTLEMENT and not position.covered(t.case):
        choose(t, "whole_no_longer_here")


def returned_to_payer(t: Turn, event: MoneyReturned) -> None:
    left = t.case.money.unallocated_in_full - event.amount_minor
    if left < 0:
        t.refuse("more is returned than was held")
    t.change(money=replace(t.case.money, unallocated_in_full=left))
    t.done(TaskKind.RETURN_MONEY)
    t.say("money_returned", amount=event.amount_minor)
    if t.case.is_open and _finished(t):
        return
    t.notify("money_returned", str(event.movement_id), amount=event.amount_minor)


# --- paid to the consumer, vouchers ----------------------------------------------------------


def direct_reported(t: Turn, event: PaidDirectReported) -> None:
    """Checked by a person before the next letter could ask for money already paid."""
    if t.case.stage is Stage.INTAKE:
        t.refuse("a draft has no claim to pay")
    key = str(event.report_id)
    t.task(
        TaskKind.CHECK_DIRECT_PAYMENT,
        key,
        reason="consumer_says_paid",
        working_days=2,
        priority=20,
        subject=event.report_id,
    )
    t.say("paid_direct_reported", amount=event.amount_minor, on=event.on)
    if t.case.is_open:
        until = t.working_days(PROOF_WORKING_DAYS)
        t.pause(PauseKind.HOLD, f"direct:{key}", until, "direct_payment_checked")
    t.notify("paid_direct_reported", key)


def direct_confirmed(t: Turn, event: PaidDirectConfirmed) -> None:
    if t.case.stage is Stage.INTAKE:
        t.refuse("a draft has no claim to pay")
    if event.amount_minor <= 0 or event.fee_minor < 0:
        t.refuse("a payment is above zero")
    money = t.case.money
    t.change(
        money=replace(
            money,
            direct=money.direct + event.amount_minor,
            fee_direct=money.fee_direct + event.fee_minor,
        )
    )
    t.done(TaskKind.CHECK_DIRECT_PAYMENT)
    t.say("paid_direct", amount=event.amount_minor, whole=event.whole, by=event.decided_by)
    if not t.case.is_open:
        t.notify("paid_direct", amount=event.amount_minor)
        return
    for pause in t.case.pauses:
        if pause.kind is PauseKind.HOLD and pause.key.startswith("direct:"):
            t.drop_pause(PauseKind.HOLD, pause.key)
    if event.whole and not position.covered(t.case):
        t.change(agreed_minor=t.case.recovered_minor)
    t.notify("paid_direct", amount=event.amount_minor)
    go_on_with_money(t, "direct")
    go_on(t)


def voucher_taken(t: Turn, event: VoucherTaken) -> None:
    if t.case.stage is not Stage.SETTLEMENT:
        t.refuse("a voucher is registered after its offer was accepted")
    if event.value_minor <= 0:
        t.refuse("a voucher has a value above zero")
    money = t.case.money
    t.change(money=replace(money, voucher=money.voucher + event.value_minor))
    t.done(TaskKind.REGISTER_VOUCHER)
    t.say("voucher_taken", value=event.value_minor, by=event.decided_by)
    t.notify("voucher_taken", value=event.value_minor)
    go_on_with_money(t, "voucher")


# --- payouts ---------------------------------------------------------------------------------


def account_given(t: Turn, event: PayoutAccountGiven) -> None:
    if all(c.id != event.claimant_id for c in t.case.claimants):
        t.refuse("this person is not a claimant here")
    claimants = tuple(
        replace(c, has_account=True) if c.id == event.claimant_id else c for c in t.case.claimants
    )
    t.change(claimants=claimants)
    t.say("account_given")
    t.notify("account_given", to=event.claimant_id)
    if not position.accounts_known(t.case) or position.payable(t.case) <= 0:
        return
    _prepare_payout(t, f"account:{t.now.isoformat()}")
    waits = t.waits_on() in (WaitingOn.CONSUMER, WaitingOn.BANK)
    if t.case.stage is Stage.SETTLEMENT and waits and position.covered(t.case):
        t.wait_for_us("payout", PAYOUT_WORKING_DAYS, WaitingOn.BANK)


def payout_approved(t: Turn, event: PayoutApproved) -> None:
    if event.amount_minor <= 0:
        t.refuse("a payout is above zero")
    _money(t, in_flight=t.case.money.in_flight + event.amount_minor)
    if position.payable(t.case) == 0:
        t.done(TaskKind.PREPARE_PAYOUT)
    t.say("payout_approved", amount=event.amount_minor)
    if t.case.stage is Stage.SETTLEMENT and t.waits_on() is WaitingOn.BANK:
        t.wait_for_us("payout_on_its_way", PAYOUT_WORKING_DAYS, WaitingOn.BANK)
    t.notify("payout_approved", str(event.item_id), amount=event.amount_minor)


def payout_settled(t: Turn, event: PayoutSettled) -> None:
    money = t.case.money
    if money.in_flight < event.amount_minor:
        raise StaleEvent("this payout has already been settled or returned")
    _money(
        t,
        in_flight=money.in_flight - event.amount_minor,
        paid_out=money.paid_out + event.amount_minor,
    )
    t.say("paid_out", amount=event.amount_minor)
    t.notify("paid_out", str(event.item_id), amount=event.amount_minor)
    if t.case.is_open:
        _finished(t)


def payout_returned(t: Turn, event: PayoutReturned) -> None:
    money = t.case.money
    there = money.paid_out if event.settled_before else money.in_flight
    if there < event.amount_minor:
        raise StaleEvent("this payout has already been returned")
    if event.settled_before:
        _money(t, paid_out=there - event.amount_minor)
    else:
        _money(t, in_flight=there - event.amount_minor)
    t.task(
        TaskKind.FIX_PAYOUT,
        str(event.item_id),
        reason=event.reason,
        role="finance",
        working_days=2,
        priority=10,
        subject=event.item_id,
    )
    t.say("payout_returned", amount=event.amount_minor, reason=event.reason)
    if t.case.stage is Stage.SETTLEMENT and t.waits_on() is WaitingOn.BANK:
        t.wait_for_us("fix_payout", 2)
    t.notify("payout_returned", str(event.item_id), amount=event.amount_minor)
