"""The whole state machine: one event meets one case, and a Decision comes out.

`decide` is synchronous, total and pure: no session, clock, randomness or I/O. It raises
TransitionRefused where the stage does not allow the event, and StaleEvent where the event belongs
to a step, letter, offer or timer the case has left (its deliverer drops it). The rules stand by
theme in the modules imported below; this file says which event goes to which rule.
"""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from app.domain import events as e
from app.domain import (
    intake_rules,
    ladder,
    learned,
    legal_clocks,
    letters_rules,
    mandates,
    money_rules,
    offers,
    other_letters,
    recount,
    replies,
    steering,
    timers,
)
from app.domain.case import Case, Stage
from app.domain.decision import Decision
from app.domain.playbook import Rules
from app.domain.turn import Turn

# Facts that only mean something while a case is open; the rest answer for themselves.
NEEDS_OPEN = (
    e.CompanyAsked
    | e.CompanyDenied
    | e.CompanyPromised
    | e.WrongParty
    | e.BodyAsked
    | e.BodyAnswered
    | e.BodyDismissed
    | e.BodyDecided
    | e.OfferAccepted
    | e.OfferRefused
    | e.OfferCountered
    | e.OfferExtended
    | e.LetterRendered
    | e.LetterApproved
    | e.LetterReturned
    | e.NextStepChosen
    | e.VoucherTaken
)


def decide(case: Case, event: e.Event, rules: Rules, now: datetime) -> Decision:
    """What `event` makes of `case` at `now` (aware UTC business time)."""
    assert now.tzinfo is not None, "instants are aware"
    turn = Turn(case, type(event).__name__, rules, now)
    beside = other_letters.find(case, getattr(event, "letter_id", None))
    if case.stage is Stage.CLOSED and isinstance(event, NEEDS_OPEN) and beside is None:
        turn.refuse("the case is closed")
    _apply(turn, event)
    legal_clocks.keep_body_limits(turn)
    return turn.finish()


def _apply(t: Turn, event: e.Event) -> None:
    """By theme; the type checker proves that the themes together are the whole union."""
    if isinstance(event, _Intake):
        _intake(t, event)
    elif isinstance(event, _Letters):
        _letters(t, event)
    elif isinstance(event, _Replies):
        _replies(t, event)
    elif isinstance(event, _Offers):
        _offers(t, event)
    elif isinstance(event, _Money):
        _money(t, event)
    elif isinstance(event, _Steering):
        _steering(t, event)
    elif isinstance(event, e.NextStepChosen):
        ladder.chosen(t, event)
    elif isinstance(event, e.TimerFired):
        timers.fired(t, event)
    else:
        assert_never(event)


_Intake = (
    e.CaseDrafted
    | e.CaseSubmitted
    | e.CaseAccepted
    | e.CaseRejected
    | e.QuestionAsked
    | e.QuestionAnswered
    | e.MandateSigned
    | e.MandateRevoked
    | e.StartAsked
    | e.MandateRendered
)


def _intake(t: Turn, event: _Intake) -> None:
    match event:
        case e.CaseDrafted():
            intake_rules.drafted(t)
        case e.CaseSubmitted():
            intake_rules.submitted(t, event)
        case e.CaseAccepted():
            intake_rules.accepted(t, event)
        case e.CaseRejected():
            intake_rules.rejected(t, event)
        case e.QuestionAsked():
            intake_rules.asked(t, event)
        case e.QuestionAnswered():
            intake_rules.answered(t, event)
        case e.MandateSigned():
            mandates.signed(t, event)
        case e.MandateRevoked():
            mandates.revoked(t, event)
        case e.StartAsked():
            mandates.start_asked(t, event)
        case e.MandateRendered():
            mandates.document_made(t, event)
        case _:
            assert_never(event)


_Letters = (
    e.LetterRequested
    | e.LetterRendered
    | e.LetterApproved
    | e.LetterReturned
    | e.LetterHandedOver
    | e.LetterDelivered
    | e.LetterBounced
    | e.ChannelMended
    | e.EffectUnknown
    | e.EffectSettled
    | e.EffectFailed
)


def _letters(t: Turn, event: _Letters) -> None:
    beside = other_letters.find(t.case, getattr(event, "letter_id", None))
    if beside is not None and isinstance(event, other_letters.Fact):
        if isinstance(event, e.EffectSettled):
            letters_rules.settle_pause(t, event)
        other_letters.handle(t, beside, event)
        return
    match event:
        case e.LetterRequested():
            other_letters.requested(t, event)
        case e.LetterRendered():
            letters_rules.rendered(t, event)
        case e.LetterApproved():
            letters_rules.approved(t, event)
        case e.LetterReturned():
            letters_rules.returned(t, event)
        case e.LetterHandedOver():
            letters_rules.was_handed_over(t, event)
        case e.LetterDelivered():
            letters_rules.arrived(t, event)
        case e.ChannelMended():
            letters_rules.channel_mended(t, event)
        case e.LetterBounced():
            letters_rules.letter_bounced(t, event)
        case e.EffectUnknown():
            letters_rules.effect_unknown(t, event)
        case e.EffectSettled():
            letters_rules.effect_settled(t, event)
        case e.EffectFailed():
            letters_rules.effect_failed(t, event)
        case _:
            assert_never(event)


_Replies = (
    e.MessageArrived
    | e.MailGuessed
    | e.MailPlaced
    | e.MailUnplaced
    | e.CompanyAsked
    | e.CompanyDenied
    | e.CompanyPromised
    | e.MessageSetAside
    | e.WrongParty
    | e.BodyAsked
    | e.BodyAnswered
    | e.BodyDismissed
    | e.BodyDecided
)


def _replies(t: Turn, event: _Replies) -> None:
    match event:
        case e.MessageArrived():
            replies.message(t, event)
        case e.MailGuessed():
            replies.guessed(t, event)
        case e.MailPlaced():
            replies.placed(t, event)
        case e.MailUnplaced():
            replies.unplaced(t, event)
        case e.CompanyAsked():
            replies.asked(t, event)
        case e.CompanyDenied():
            replies.denied(t, event)
        case e.CompanyPromised():
            replies.promised(t, event)
        case e.MessageSetAside():
            replies.set_aside(t, event)
        case e.WrongParty():
            replies.wrong_party(t, event)
        case e.BodyAsked():
            replies.body_asked(t, event)
        case e.BodyAnswered():
            replies.body_answered(t, event)
        case e.BodyDismissed():
            replies.body_dismissed(t, event)
        case e.BodyDecided():
            replies.body_decided(t, event)
        case _:
            assert_never(event)


_Offers = (
    e.CompanyOffered
    | e.OfferAccepted
    | e.OfferRefused
    | e.OfferCountered
    | e.OfferExtended
    | e.MoneyHeldInFull
)


def _offers(t: Turn, event: _Offers) -> None:
    match event:
        case e.CompanyOffered():
            offers.offered(t, event)
        case e.OfferAccepted():
            offers.accepted(t, event)
        case e.OfferRefused():
            offers.refused(t, event)
        case e.OfferCountered():
            offers.countered(t, event)
        case e.OfferExtended():
            offers.extended(t, event)
        case e.MoneyHeldInFull():
            offers.held_in_full(t, event)
        case _:
            assert_never(event)


_Money = (
    e.PayoutAccountGiven
    | e.MoneyAllocated
    | e.AllocationUndone
    | e.MoneyCorrected
    | e.MoneyReturned
    | e.PaidDirectReported
    | e.PaidDirectConfirmed
    | e.VoucherTaken
    | e.PayoutApproved
    | e.PayoutSettled
    | e.PayoutReturned
)


def _money(t: Turn, event: _Money) -> None:
    match event:
        case e.PayoutAccountGiven():
            money_rules.account_given(t, event)
        case e.MoneyAllocated():
            money_rules.allocated(t, event)
        case e.AllocationUndone():
            money_rules.undone(t, event)
        case e.MoneyCorrected():
            money_rules.corrected(t, event)
        case e.MoneyReturned():
            money_rules.returned_to_payer(t, event)
        case e.PaidDirectReported():
            money_rules.direct_reported(t, event)
        case e.PaidDirectConfirmed():
            money_rules.direct_confirmed(t, event)
        case e.VoucherTaken():
            money_rules.voucher_taken(t, event)
        case e.PayoutApproved():
            money_rules.payout_approved(t, event)
        case e.PayoutSettled():
            money_rules.payout_settled(t, event)
        case e.PayoutReturned():
            money_rules.payout_returned(t, event)
        case _:
            assert_never(event)


_Steering = (
    e.CaseHeld
    | e.HoldLifted
    | e.DeadlineExtended
    | e.ClockRestarted
    | e.CaseReassigned
    | e.DuplicateLinked
    | e.DuplicateUnlinked
    | e.CaseWithdrawn
    | e.AgencyLeft
    | e.CaseClosed
    | e.CaseReopened
    | e.DistressNoticed
    | e.AlertRaised
    | e.LegalThreatened
    | e.LimitationMoved
    | e.FactsLearned
    | e.DateRecounted
    | e.IncidentRecorded
)


def _steering(t: Turn, event: _Steering) -> None:
    match event:
        case e.CaseHeld():
            steering.held(t, event)
        case e.HoldLifted():
            steering.hold_lifted(t, event)
        case e.DeadlineExtended():
            steering.extended(t, event)
        case e.ClockRestarted():
            steering.restarted(t, event)
        case e.CaseReassigned():
            steering.reassigned(t, event)
        case e.DuplicateLinked():
            steering.linked(t, event)
        case e.DuplicateUnlinked():
            steering.unlinked(t, event)
        case e.CaseWithdrawn():
            steering.withdrawn(t)
        case e.AgencyLeft():
            steering.agency_left(t)
        case e.CaseClosed():
            steering.closed_by_person(t, event)
        case e.CaseReopened():
            steering.reopened(t, event)
        case e.DistressNoticed():
            steering.distressed(t)
        case e.AlertRaised():
            steering.alerted(t, event)
        case e.LegalThreatened():
            steering.legal_threat(t, event)
        case e.LimitationMoved():
            legal_clocks.moved(t, event)
        case e.FactsLearned():
            learned.learned(t, event)
        case e.DateRecounted():
            recount.applied(t, event)
        case e.IncidentRecorded():
            steering.incident(t, event)
        case _:
            assert_never(event)
