"""Letters beside the steps, and the fitting letter of a step that follows an answer."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

import pytest

from app.domain import events as e
from app.domain.case import (
    Letter,
    LetterKind,
    LetterState,
    OfferKind,
    Outcome,
    Stage,
    TimerKind,
)
from app.domain.decision import TaskKind
from app.domain.effects import RenderLetter, SendLetter
from app.domain.errors import StaleEvent, TransitionRefused
from app.domain.wanted import still_wanted
from tests.domain.life import Life


def ask(life: Life, kind: LetterKind, topic: str = "it", to: str = "company") -> Letter:
    life.tell(e.LetterRequested(life.id(), kind, topic, "email", to, "anna"))
    return life.case.others[-1]


def made(life: Life, letter: Letter) -> Letter:
    life.tell(e.LetterRendered(letter.id, letter.step, "bb", letter.n))
    return newest(life, letter.id)


def newest(life: Life, letter_id: uuid.UUID) -> Letter:
    return next(one for one in life.case.others if one.id == letter_id)


def approved(life: Life, letter: Letter) -> SendLetter:
    life.tell(e.LetterApproved(letter.id, "bb", "berit"))
    return next(x for x in life.last.effects if isinstance(x, SendLetter))


def test_a_letter_asked_for_is_read_by_a_person_and_leaves_once() -> None:
    life = Life().contacted()
    before = (life.stage(), life.case.step, life.waits(), life.case.due_at, life.case.letter)
    letter = ask(life, LetterKind.MANDATE_NOTICE)
    render = next(x for x in life.last.effects if isinstance(x, RenderLetter))
    assert still_wanted(render, life.case)
    letter = made(life, letter)
    assert letter.state is LetterState.AWAITING_APPROVAL and life.last.case.letter is not letter
    assert not still_wanted(render, life.case), "it has been made"
    assert (TaskKind.APPROVE_LETTER, f"{letter.id}:1") in life.tasks
    with pytest.raises(TransitionRefused, match="made again"):
        life.tell(e.LetterApproved(letter.id, "cc", "berit"))
    send = approved(life, letter)
    assert still_wanted(send, life.case)
    assert send.not_before is not None and life.case.last_sent_at is not None
    assert send.not_before > life.case.last_sent_at, "never two letters to one company on one day"
    life.tell(e.LetterHandedOver(letter.id, life.now, "smtp", True))
    assert newest(life, letter.id).state is LetterState.DELIVERED
    assert not still_wanted(send, life.case)
    with pytest.raises(StaleEvent):
        life.tell(e.LetterHandedOver(letter.id, life.now, "smtp", True))
    with pytest.raises(TransitionRefused, match="made already"):
        ask(life, LetterKind.MANDATE_NOTICE)
    after = (life.stage(), life.case.step, life.waits(), life.case.due_at, life.case.letter)
    assert after == before, "it moves nothing"


def test_a_letter_sent_back_may_be_asked_for_again() -> None:
    life = Life().contacted()
    letter = made(life, ask(life, LetterKind.DECLARATION))
    life.tell(e.LetterReturned(letter.id, "tone", "berit"))
    assert newest(life, letter.id).state is LetterState.CANCELLED
    assert not life.has_task(TaskKind.APPROVE_LETTER)
    assert ask(life, LetterKind.DECLARATION).state is LetterState.RENDERING


@pytest.mark.parametrize(
    ("life", "kind", "to", "why"),
    [
        (Life().submit().accept(), LetterKind.MANDATE_NOTICE, "company", "nobody has signed"),
        (Life().contacted(), LetterKind.CLOSING_COMPANY, "company", "needs a closed case"),
        (Life().contacted(), LetterKind.MORE_TIME, "company", "no offer is open"),
        (Life().contacted(), LetterKind.CONTACT, "company", "not by choice"),
        (Life().contacted(), LetterKind.OFFER_ACCEPTED, "company", "not by choice"),
    ],
    ids=lambda each: str(each)[:20],
)
def test_what_the_state_forbids_is_refused_with_the_reason(
    life: Life, kind: LetterKind, to: str, why: str
) -> None:
    with pytest.raises(TransitionRefused, match=why):
        ask(life, kind, to=to)


def test_a_legal_matter_and_a_revoked_mandate_stop_what_has_not_left() -> None:
    life = Life().contacted()
    letter = made(life, ask(life, LetterKind.DEBT_DISPUTE, to="other"))
    send = approved(life, letter)
    life.tell(e.LegalThreatened(life.now.replace(month=6), "anna"))
    assert not still_wanted(send, life.case)
    with pytest.raises(TransitionRefused, match="legal"):
        ask(life, LetterKind.MANDATE_NOTICE)
    life.tell(e.MandateRevoked(life.case.claimants[0].id))
    assert newest(life, letter.id).state is LetterState.CANCELLED
    assert not still_wanted(send, life.case)


def test_a_closed_case_has_closing_letters_only() -> None:
    life = Life().contacted()
    pending = made(life, ask(life, LetterKind.MANDATE_NOTICE))
    life.tell(e.CaseClosed(Outcome.REFUSED_FINAL, "no_way_left", "anna"))
    assert newest(life, pending.id).state is LetterState.CANCELLED
    with pytest.raises(TransitionRefused, match="closed case"):
        ask(life, LetterKind.DECLARATION)
    letter = made(life, ask(life, LetterKind.CLOSING_CONSUMER, "closing", "consumer"))
    send = approved(life, letter)
    assert still_wanted(send, life.case)
    life.tell(e.LetterHandedOver(letter.id, life.now, "smtp", False))
    assert newest(life, letter.id).state is LetterState.HANDED_OVER
    assert life.stage() is Stage.CLOSED


def test_one_failing_order_touches_its_own_letter_alone() -> None:
    life = Life().on_ladder().render()
    step = life.letter()
    letter = made(life, ask(life, LetterKind.DECLARATION))
    send = approved(life, letter)
    life.tell(e.EffectFailed(send.id, "SendLetter", "550", letter.id))
    assert newest(life, letter.id).state is LetterState.BOUNCED
    assert life.letter().state is step.state and not life.case.dead_channels
    assert (TaskKind.FIX_CHANNEL, str(letter.id)) in life.tasks
    other = ask(life, LetterKind.MANDATE_NOTICE)
    life.tell(e.EffectFailed(life.id(), "RenderLetter", "lacks reasons", other.id))
    assert newest(life, other.id).state is LetterState.CANCELLED
    assert life.letter().state is step.state


@pytest.mark.parametrize(
    ("verdict", "state"),
    [("sent", LetterState.HANDED_OVER), ("not_sent", LetterState.CANCELLED), ("again", None)],
)
def test_a_person_settles_what_nobody_saw(verdict: str, state: LetterState | None) -> None:
    life = Life().contacted()
    letter = made(life, ask(life, LetterKind.DECLARATION))
    send = approved(life, letter)
    life.tell(e.EffectUnknown(send.id, "SendLetter"))
    life.tell(e.EffectSettled(send.id, "SendLetter", verdict, "anna", letter.id))
    now = newest(life, letter.id)
    assert not life.case.pauses and not life.has_task(TaskKind.SETTLE_EFFECT)
    if state is None:
        again = next(x for x in life.last.effects if isinstance(x, SendLetter))
        assert now.n == 2 and again.business_key != send.business_key
        assert still_wanted(again, life.case) and not still_wanted(send, life.case)
    else:
        assert now.state is state


def _of(life: Life, kind: LetterKind) -> Any:
    return next((one for one in life.case.others if one.kind is kind), None)


def test_an_accepted_offer_writes_to_the_company() -> None:
    life = Life().contacted()
    offer_id = life.offer()
    life.tell(e.OfferAccepted(offer_id, life.case.claimants[0].id))
    letter = _of(life, LetterKind.OFFER_ACCEPTED)
    assert life.stage() is Stage.SETTLEMENT and letter.topic == str(offer_id)


def test_before_an_offer_lapses_more_time_is_asked_for() -> None:
    life = Life().contacted()
    offer_id = life.offer(days=10)
    life.fire(TimerKind.OFFER_WARNING)
    letter = made(life, _of(life, LetterKind.MORE_TIME))
    send = approved(life, letter)
    assert still_wanted(send, life.case), "the pause of the offer does not hold this letter"
    life.tell(e.OfferRefused(offer_id, life.case.claimants[0].id))
    assert not still_wanted(send, life.case), "an answered offer needs no more time"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [("refuse", LetterKind.OFFER_REFUSED), ("counter", LetterKind.OFFER_REFUSED), ("lapse", None)],
)
def test_after_a_refused_offer_the_step_has_the_fitting_letter(
    answer: str, kind: LetterKind | None
) -> None:
    life = Life().contacted()
    offer_id, who = life.offer(), life.case.claimants[0].id
    if answer == "refuse":
        life.tell(e.OfferRefused(offer_id, who))
    elif answer == "counter":
        life.tell(e.OfferCountered(offer_id, who, 9_000))
    else:
        life.fire(TimerKind.OFFER_EXPIRY)
    assert (life.stage(), life.letter().kind) == (Stage.CONTACT, kind or LetterKind.CONTACT)
    assert life.case.short_wait_days == 7


def test_an_offer_refused_before_the_demand_left_is_followed_by_the_demand() -> None:
    life = Life().on_ladder()
    life.tell(e.OfferRefused(life.offer(), life.case.claimants[0].id))
    assert life.letter().kind is LetterKind.CONTACT


def test_money_in_full_settlement_that_is_refused_is_answered_by_a_letter_somebody_reads() -> None:
    life = Life().contacted()
    offer_id = life.id()
    life.tell(e.MoneyHeldInFull(life.id(), offer_id, 4_000, life.now.replace(year=2027)))
    life.tell(e.OfferRefused(offer_id, life.case.claimants[0].id))
    assert life.letter().kind is LetterKind.FULL_SETTLEMENT_REFUSED
    life.render()
    assert life.letter().state is LetterState.AWAITING_APPROVAL


def test_a_broken_promise_is_followed_by_its_letter() -> None:
    life = Life().contacted()
    life.tell(e.CompanyPromised(life.id(), 10_000, date(2026, 3, 20), True, "anna"))
    life.wait_until(life.now.replace(year=2026, month=3, day=25))
    assert life.letter().kind is LetterKind.PROMISE_BROKEN
    assert life.case.short_wait_days == 7


def test_a_denial_is_answered_at_its_stage_by_a_handlers_choice() -> None:
    life = Life().contacted()
    choice = e.NextStepChosen(Stage.CONTACT, "weather", "anna", LetterKind.DENIAL_ANSWER)
    with pytest.raises(TransitionRefused, match="refused nothing"):
        life.tell(choice)
    life.tell(e.CompanyDenied(None, "weather", "anna"))
    for stage, letter in (
        (Stage.REMINDER, LetterKind.DENIAL_ANSWER),
        (Stage.CONTACT, "closing_company"),
    ):
        with pytest.raises(TransitionRefused):
            life.tell(e.NextStepChosen(stage, "x", "anna", LetterKind(letter)))
    life.tell(choice)
    assert life.letter().kind is LetterKind.DENIAL_ANSWER
    life.render()
    assert life.letter().state is LetterState.AWAITING_APPROVAL, "somebody reads it first"
    life.approve().hand_over()
    assert life.case.due_at is not None and life.stage() is Stage.CONTACT


def test_the_wrong_party_is_asked_who_the_right_one_is() -> None:
    life = Life().contacted()
    stale = made(life, ask(life, LetterKind.MANDATE_NOTICE))
    life.tell(e.WrongParty("anna"))
    assert newest(life, stale.id).state is LetterState.CANCELLED
    assert _of(life, LetterKind.WRONG_PARTY).state is LetterState.RENDERING
    never = Life().on_ladder()
    never.tell(e.WrongParty("anna"))
    assert _of(never, LetterKind.WRONG_PARTY) is None, "who never heard of us is asked nothing"


def test_a_recommendation_is_answered_to_the_body_and_not_by_letter() -> None:
    life = Life().on_ladder(Stage.COMPLAINT).letter_arrives()
    offer_id = life.offer(kind=OfferKind.RECOMMENDATION)
    life.tell(e.OfferAccepted(offer_id, life.case.claimants[0].id))
    assert _of(life, LetterKind.OFFER_ACCEPTED) is None
