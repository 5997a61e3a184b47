"""Offers at any stage: the ladder pauses, each claimant answers, silence never accepts."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from app.domain import position
from app.domain.case import (
    LetterKind,
    Offer,
    OfferKind,
    OfferState,
    PauseKind,
    Stage,
    TimerKind,
    WaitingOn,
)
from app.domain.closing import return_money
from app.domain.counting import Period
from app.domain.decision import TaskKind
from app.domain.effects import SECOND_CHANNEL
from app.domain.errors import StaleEvent
from app.domain.events import (
    CompanyOffered,
    MoneyHeldInFull,
    OfferAccepted,
    OfferCountered,
    OfferExtended,
    OfferRefused,
)
from app.domain.ladder import SETTLEMENT_DAYS, enter_settlement, return_to_stage
from app.domain.letters import go_on
from app.domain.other_letters import draft, more_time, offer_accepted
from app.domain.replies import body_is_done
from app.domain.turn import Turn

WARNING_BEFORE: Final = timedelta(days=3)


def offered(t: Turn, event: CompanyOffered) -> None:
    _may_receive(t, event.amount_minor, event.answer_by)
    if event.message_id is not None:
        t.drop_pause(PauseKind.UNREAD_REPLY, str(event.message_id))
        t.done(TaskKind.READ_REPLY, str(event.message_id))
    t.change(agreed_at=t.case.agreed_at or t.now)
    _open(
        t,
        Offer(
            event.offer_id,
            event.kind,
            event.amount_minor,
            OfferState.OPEN,
            t.now,
            t.before_limitation(event.answer_by),
            event.in_full_settlement,
        ),
    )


def held_in_full(t: Turn, event: MoneyHeldInFull) -> None:
    """Money "in full settlement" is an offer of that sum; refused, it goes back."""
    if not t.case.is_open:
        # Nobody is left to accept for a closed case: a person decides, the money stays apart.
        _hold_money(t, event.amount_minor)
        t.task(TaskKind.RETURN_MONEY, "held", reason="came_after_closing", role="finance")
        t.say("money_in_full", amount=event.amount_minor)
        t.notify("money_after_closing", str(event.movement_id), amount=event.amount_minor)
        return
    _may_receive(t, event.amount_minor, event.answer_by)
    _hold_money(t, event.amount_minor)
    t.change(agreed_at=t.case.agreed_at or t.now)
    t.say("money_in_full", amount=event.amount_minor)
    _open(
        t,
        Offer(
            event.offer_id,
            OfferKind.PART,
            event.amount_minor,
            OfferState.OPEN,
            t.now,
            t.before_limitation(event.answer_by),
        ),
    )


def _hold_money(t: Turn, amount: int) -> None:
    if amount <= 0:
        t.refuse("an amount above zero is needed")
    held = t.case.money.unallocated_in_full + amount
    t.change(money=replace(t.case.money, unallocated_in_full=held))


def _may_receive(t: Turn, amount: int, answer_by: datetime) -> None:
    if t.case.stage in (Stage.INTAKE, Stage.CLOSED):
        t.refuse("an offer needs a case that is under way")
    if position.covered(t.case):
        t.refuse("the whole has been paid")
    if amount <= 0:
        t.refuse("an offer names an amount above zero")
    if answer_by <= t.now:
        t.refuse("the date to answer by has passed")


def _open(t: Turn, offer: Offer) -> None:
    if position.offer_open(t.case) and t.case.offer is not None:
        _drop_clocks(t, t.case.offer)
        t.say("offer_replaced", offer=t.case.offer.id)
    t.change(offer=offer)
    key = str(offer.id)
    t.say("offered", kind=offer.kind, amount=offer.amount_minor, answer_by=offer.answer_by)
    _set_clocks(t, offer)
    for claimant in position.standing(t.case):
        t.notify(
            "offer",
            key,
            to=claimant.id,
            kind=offer.kind,
            amount=offer.amount_minor,
            answer_by=offer.answer_by,
            silence="lapses",
        )


def _set_clocks(t: Turn, offer: Offer) -> None:
    key = str(offer.id)
    t.pause(PauseKind.OFFER, key, offer.answer_by, offer.kind)
    warn_at = offer.answer_by - WARNING_BEFORE
    if warn_at > t.now:
        t.arm(TimerKind.OFFER_WARNING, warn_at, t.our_basis("offer_warning", "3 days before"), key)


def _drop_clocks(t: Turn, offer: Offer) -> None:
    t.drop_pause(PauseKind.OFFER, str(offer.id))
    t.disarm(TimerKind.OFFER_WARNING, str(offer.id))
    t.done(TaskKind.OFFER_LAPSING, done=False)


def _the_offer(t: Turn, offer_id: uuid.UUID) -> Offer:
    offer = t.case.offer
    if offer is None:
        t.refuse("there is no offer")
    if offer.id != offer_id:
        raise StaleEvent("another offer has replaced this one")
    if offer.state is not OfferState.OPEN:
        raise StaleEvent(f"this offer is {offer.state}")
    return offer


def _answers(t: Turn, offer_id: uuid.UUID, claimant_id: uuid.UUID) -> Offer:
    offer = _the_offer(t, offer_id)
    if all(c.id != claimant_id for c in position.standing(t.case)):
        t.refuse("this person is not a claimant here")
    return offer


def accepted(t: Turn, event: OfferAccepted) -> None:
    offer = _answers(t, event.offer_id, event.claimant_id)
    if event.claimant_id in offer.accepted_by:
        raise StaleEvent("this claimant has already accepted")
    yes = offer.accepted_by | {event.claimant_id}
    t.change(offer=replace(offer, accepted_by=yes))
    t.say("offer_accepted", offer=offer.id, claimants=len(yes))
    if any(c.id not in yes for c in position.standing(t.case)):
        t.notify("offer_needs_others", str(offer.id), to=event.claimant_id)
        return
    _all_accepted(t, offer)


def all_accepted_now(t: Turn) -> bool:
    """After a claimant left: the rest may all have accepted already."""
    offer = t.case.offer
    people = position.standing(t.case)
    if offer is None or not position.offer_open(t.case) or not people:
        return False
    if any(c.id not in offer.accepted_by for c in people):
        return False
    _all_accepted(t, offer)
    return True


def _all_accepted(t: Turn, offer: Offer) -> None:
    assert t.case.offer is not None, "checked by the caller"
    t.change(offer=replace(t.case.offer, state=OfferState.ACCEPTED))
    _drop_clocks(t, offer)
    t.say("offer_agreed", offer=offer.id, amount=offer.amount_minor)
    offer_accepted(t)
    if not offer.in_full_settlement:
        # A payment without strings: the claim for the rest goes on.
        t.notify("offer_agreed", str(offer.id), amount=offer.amount_minor)
        go_on(t)
        return
    t.change(agreed_minor=offer.amount_minor)
    enter_settlement(t, "offer_accepted")
    _wait_for_value(t, offer)
    t.notify("offer_agreed", str(offer.id), amount=offer.amount_minor)


def _wait_for_value(t: Turn, offer: Offer) -> None:
    if offer.kind is OfferKind.VOUCHER:
        t.task(TaskKind.REGISTER_VOUCHER, str(offer.id), reason="voucher_accepted", working_days=5)
    if t.case.money.unallocated_in_full > 0:
        t.task(
            TaskKind.PREPARE_PAYOUT,
            str(offer.id),
            reason="allocate_held_money",
            role="finance",
            working_days=2,
        )
        t.wait_for_us("allocate_held_money", 2, WaitingOn.BANK)
        return
    wait_for_agreed(t)


def wait_for_agreed(t: Turn) -> None:
    """The agreed sum: 21 days where no date was promised."""
    period = Period(SETTLEMENT_DAYS, "days")
    deadline = t.place.deadline(
        t.now, period, start_event="agreed", rule="house.settlement", whose="ours"
    )
    t.wait(WaitingOn.COMPANY, deadline.act_at, deadline.basis)


def refused(t: Turn, event: OfferRefused) -> None:
    offer = _answers(t, event.offer_id, event.claimant_id)
    t.say("offer_refused", offer=offer.id)
    back(t, offer, OfferState.REFUSED)


def countered(t: Turn, event: OfferCountered) -> None:
    offer = _answers(t, event.offer_id, event.claimant_id)
    if event.amount_minor <= offer.amount_minor:
        t.refuse("a counter-offer asks for more than was offered")
    t.say("offer_countered", offer=offer.id, amount=event.amount_minor)
    back(t, offer, OfferState.COUNTERED)


def back(t: Turn, offer: Offer, state: OfferState) -> None:
    """Not accepted: held money returns, and the ladder goes on from the stage it left."""
    t.change(offer=replace(offer, state=state))
    _drop_clocks(t, offer)
    fitting = _fitting(t, state)
    if t.case.money.unallocated_in_full > 0:
        return_money(t)
    before_ladder = t.case.stage in (Stage.ASSESSMENT, Stage.AGREEMENT)
    if before_ladder or t.case.stage is Stage.SETTLEMENT:
        go_on(t)
    elif offer.kind is OfferKind.RECOMMENDATION and t.case.stage is Stage.COMPLAINT:
        body_is_done(t, "recommendation_not_accepted")
    elif position.at_body(t.case):
        if fitting is not None:
            draft(t, fitting, str(offer.id))
        go_on(t)
    else:
        return_to_stage(t, f"offer_{state}", fitting)
    t.notify("offer_over", str(offer.id), result=state)


def _fitting(t: Turn, state: OfferState) -> LetterKind | None:
    """The letter that answers the company; an offer that lapsed in silence has none."""
    if state not in (OfferState.REFUSED, OfferState.COUNTERED):
        return None
    if t.case.money.unallocated_in_full > 0:
        return LetterKind.FULL_SETTLEMENT_REFUSED
    return LetterKind.OFFER_REFUSED


def extended(t: Turn, event: OfferExtended) -> None:
    offer = _the_offer(t, event.offer_id)
    if event.answer_by <= offer.answer_by:
        t.refuse("more time means a later date")
    new = replace(offer, answer_by=t.before_limitation(event.answer_by))
    t.change(offer=new)
    t.done(TaskKind.OFFER_LAPSING)
    t.say("offer_extended", offer=offer.id, answer_by=new.answer_by, by=event.decided_by)
    _set_clocks(t, new)
    t.notify("offer_extended", answer_by=new.answer_by)


def warn(t: Turn, key: str) -> None:
    """Three days before it lapses: more time is asked for, and a second channel is tried beside the
    usual one, for whoever has two."""
    offer = t.case.offer
    if offer is None or str(offer.id) != key or offer.state is not OfferState.OPEN:
        raise StaleEvent("this offer is no longer open")
    t.task(
        TaskKind.OFFER_LAPSING,
        key,
        reason="offer_lapses_in_3_days",
        priority=15,
        subject=offer.id,
    )
    t.say("offer_lapsing", offer=offer.id)
    more_time(t)
    for claimant in position.standing(t.case):
        if claimant.id in offer.accepted_by:
            continue
        said = {"amount": offer.amount_minor, "answer_by": offer.answer_by}
        t.notify("offer_lapsing", key, to=claimant.id, given=said)
        second = said | {"channel": SECOND_CHANNEL}
        t.notify("offer_lapsing", f"{key}:second", to=claimant.id, given=second)


def expire(t: Turn, key: str) -> None:
    """Silence never accepts."""
    offer = t.case.offer
    if offer is None or str(offer.id) != key or offer.state is not OfferState.OPEN:
        raise StaleEvent("this offer is no longer open")
    t.say("offer_lapsed", offer=offer.id)
    back(t, offer, OfferState.LAPSED)
