"""Rules of the ladder, one sentence each: replies, offers, promises, pauses, leaving, care."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from app.domain import events as e
from app.domain.case import (
    LetterKind,
    LetterState,
    OfferKind,
    OfferState,
    Outcome,
    PauseKind,
    Stage,
    TimerKind,
    WaitingOn,
)
from app.domain.decision import TaskKind
from app.domain.effects import AcknowledgeMessage, RenderLetter
from app.domain.errors import StaleEvent, TransitionRefused
from app.domain.wanted import still_wanted
from tests.domain.life import PLAYBOOK, Life

# --- intake, assessment, agreement ----------------------------------------------------------


def test_a_draft_is_nudged_on_days_1_5_and_20_and_lapses_after_30() -> None:
    life = Life()
    life.tell(e.CaseDrafted())
    started = life.now
    life.wait_until(started + timedelta(days=29))
    assert len(life.notices("nudge_draft")) == 3
    life.wait_until(started + timedelta(days=30))
    assert life.outcome() is Outcome.LAPSED


def test_an_unsigned_agreement_is_nudged_and_closes_as_not_signed() -> None:
    life = Life().submit().accept()
    life.wait_until(life.now + timedelta(days=14))
    assert life.outcome() is Outcome.NOT_SIGNED
    assert len(life.notices("nudge_agreement")) == 3


def test_the_ladder_starts_only_when_every_claimant_has_signed() -> None:
    life = Life(claims=(5_000, 5_000)).submit().accept()
    first, second = life.case.claimants
    life.tell(e.MandateSigned(first.id, life.id()))
    assert life.stage() is Stage.AGREEMENT
    life.tell(e.MandateSigned(second.id, life.id()))
    assert life.stage() is Stage.CONTACT


def test_signed_before_the_merit_decision_the_case_enters_at_once() -> None:
    life = Life().submit().sign().accept(Stage.REMINDER)
    assert (life.stage(), life.case.step) == (Stage.REMINDER, 1)


def test_a_rejection_names_its_rule_and_what_would_change_it_and_offers_a_person() -> None:
    life = Life().submit()
    with pytest.raises(TransitionRefused):
        life.tell(e.CaseRejected(Outcome.NO_MERIT, "", "", "anna"))
    life.tell(e.CaseRejected(Outcome.NO_MERIT, "air.late", "proof of 3 hours", "anna"))
    params = dict(life.notices("rejected")[0].params)
    assert params["offers"] == "person" and params["pack"] == "self_filing"
    assert params["would_change"] == "proof of 3 hours"


def test_an_unconfirmed_company_gets_no_letter() -> None:
    life = Life()
    life.case = life.case.with_(company_known=False)
    life.submit()
    assert life.has_task(TaskKind.CONFIRM_COMPANY)
    with pytest.raises(TransitionRefused):
        life.accept()


def test_a_question_pauses_is_nudged_twice_and_silence_brings_its_written_default() -> None:
    life = Life().contacted()
    question = life.id()
    life.tell(e.QuestionAsked(question, "receipt", "proceed", 9))
    assert (life.waits(), life.case.due_at) == (
        WaitingOn.CONSUMER,
        life.now + timedelta(days=9),
    )
    life.wait_until(life.now + timedelta(days=9))
    assert len(life.notices("nudge_question")) == 2
    assert life.waits() is WaitingOn.COMPANY
    with pytest.raises(StaleEvent):
        life.tell(e.QuestionAnswered(question))


def test_silence_on_a_question_that_said_so_closes_the_case() -> None:
    life = Life().submit()
    life.tell(e.QuestionAsked(life.id(), "receipt", "close", 9))
    life.wait_until(life.now + timedelta(days=9))
    assert life.outcome() is Outcome.CONSUMER_SILENT


# --- replies --------------------------------------------------------------------------------


def test_an_automatic_reply_never_stops_the_clock() -> None:
    life = Life().contacted()
    before = life.case
    life.tell(e.MessageArrived(life.id(), "company", automatic=True))
    assert life.case == before


def test_an_unread_human_reply_blocks_until_a_person_has_read_it() -> None:
    life = Life().contacted()
    due = life.case.due_at
    message = life.reply()
    assert life.waits() is WaitingOn.HANDLER
    assert life.case.timer(TimerKind.DEADLINE) is None
    life.tell(e.MessageSetAside(message, "anna"))
    assert (life.waits(), life.case.due_at) == (WaitingOn.COMPANY, due)


def test_a_reply_nobody_reads_grows_louder_and_still_blocks() -> None:
    life = Life().contacted()
    message = life.reply()
    life.wait_until(life.now + timedelta(days=3))
    task = life.tasks[TaskKind.READ_REPLY, str(message)]
    assert (task.role, task.priority) == ("senior", 0)
    assert life.paused(PauseKind.UNREAD_REPLY)


def test_a_consumers_message_is_acknowledged_and_read_without_stopping_the_clock() -> None:
    life = Life().contacted()
    before = life.case.timer(TimerKind.DEADLINE)
    life.reply("consumer")
    assert any(isinstance(x, AcknowledgeMessage) for x in life.last.effects)
    assert life.has_task(TaskKind.READ_REPLY)
    assert life.case.timer(TimerKind.DEADLINE) == before


def test_any_denial_stops_reminders_until_a_person_has_chosen() -> None:
    life = Life().contacted()
    message = life.reply()
    life.tell(e.CompanyDenied(message, "", "anna"))
    assert life.waits() is WaitingOn.HANDLER
    sends = len(life.sends())
    life.wait_until(life.now + timedelta(days=20))
    assert len(life.sends()) == sends
    life.tell(e.NextStepChosen(Stage.FORMAL_NOTICE, "denied", "anna", LetterKind.FORMAL_NOTICE))
    assert (life.stage(), life.case.step) == (Stage.FORMAL_NOTICE, 2)


def test_the_ladder_never_goes_backwards() -> None:
    life = Life().on_ladder(Stage.FORMAL_NOTICE).letter_arrives()
    life.tell(e.CompanyDenied(None, "", "anna"))
    with pytest.raises(TransitionRefused):
        life.tell(e.NextStepChosen(Stage.REMINDER, "softer", "anna"))


def test_the_wrong_party_leads_to_a_new_first_demand_and_limitation_runs_on() -> None:
    life = Life().on_ladder(limitation_on=date(2027, 3, 2)).letter_arrives()
    limits = [t for t in life.case.timers if t.kind is TimerKind.LIMITATION]
    life.tell(e.WrongParty("anna"))
    assert life.has_task(TaskKind.CONFIRM_COMPANY)
    life.tell(e.NextStepChosen(Stage.CONTACT, "new_respondent", "anna"))
    assert (life.stage(), life.case.step) == (Stage.CONTACT, 3)
    assert [t for t in life.case.timers if t.kind is TimerKind.LIMITATION] == limits


# --- offers ---------------------------------------------------------------------------------


def test_an_offer_pauses_the_ladder_and_reaches_every_claimant() -> None:
    life = Life(claims=(5_000, 5_000)).contacted()
    life.offer()
    told = {n.claimant_id for n in life.notices("offer")}
    assert told == {c.id for c in life.case.claimants}
    assert life.waits() is WaitingOn.CONSUMER


def test_an_offer_needs_every_claimants_yes() -> None:
    life = Life(claims=(5_000, 5_000)).contacted()
    offer = life.offer()
    first, second = life.case.claimants
    life.tell(e.OfferAccepted(offer, first.id))
    assert life.stage() is Stage.CONTACT
    with pytest.raises(StaleEvent):
        life.tell(e.OfferAccepted(offer, first.id))
    life.tell(e.OfferAccepted(offer, second.id))
    assert (life.stage(), life.case.agreed_minor) == (Stage.SETTLEMENT, 6_000)
    assert life.waits() is WaitingOn.COMPANY


def test_a_refused_offer_returns_to_its_stage_one_step_up_with_7_days() -> None:
    life = Life().contacted()
    offer = life.offer()
    life.tell(e.OfferRefused(offer, life.case.claimants[0].id))
    assert (life.stage(), life.case.step) == (Stage.CONTACT, 2)
    life.letter_arrives()
    basis = life.case.due_basis
    assert basis is not None and basis.period == "7 days"
    life.silence()
    assert life.stage() is Stage.REMINDER


def test_silence_never_accepts_an_offer() -> None:
    life = Life().contacted()
    offer = life.offer(days=10)
    life.fire(TimerKind.OFFER_WARNING)
    assert life.has_task(TaskKind.OFFER_LAPSING)
    usual, second = life.notices("offer_lapsing")
    assert "channel" not in dict(usual.params) and dict(second.params)["channel"] == "second"
    life.fire(TimerKind.OFFER_EXPIRY)
    assert life.case.offer is not None and life.case.offer.id == offer
    assert life.case.offer.state is OfferState.LAPSED
    assert (life.stage(), life.case.step, life.case.agreed_minor) == (Stage.CONTACT, 2, None)


def test_an_acceptance_may_lie_in_the_unread_mailbox_so_the_offer_waits_for_it() -> None:
    life = Life().contacted()
    life.offer()
    life.blind = True
    life.fire(TimerKind.OFFER_EXPIRY)
    assert life.paused(PauseKind.OFFER)


def test_more_time_for_an_offer_moves_its_date() -> None:
    life = Life().contacted()
    offer = life.offer(days=10)
    later = life.now + timedelta(days=20)
    life.tell(e.OfferExtended(offer, later, "anna"))
    assert life.case.due_at == later


def test_a_part_payment_without_strings_leaves_the_claim_for_the_rest() -> None:
    life = Life().contacted()
    offer = life.offer(in_full_settlement=False)
    life.tell(e.OfferAccepted(offer, life.case.claimants[0].id))
    assert life.stage() is Stage.CONTACT and life.waits() is WaitingOn.COMPANY


def test_money_in_full_settlement_waits_for_the_claimants_and_goes_back_when_refused() -> None:
    life = Life().contacted()
    offer = life.id()
    answer_by = life.now + timedelta(days=10)
    life.tell(e.MoneyHeldInFull(life.id(), offer, 6_000, answer_by))
    assert life.case.money.received == 0
    life.tell(e.OfferRefused(offer, life.case.claimants[0].id))
    assert life.has_task(TaskKind.RETURN_MONEY)
    life.tell(e.MoneyReturned(life.id(), 6_000))
    assert life.case.money.unallocated_in_full == 0
    assert not life.has_task(TaskKind.RETURN_MONEY)


def test_accepted_money_in_full_settlement_is_allocated_and_paid_out() -> None:
    life = Life().contacted()
    life.tell(e.PayoutAccountGiven(life.case.claimants[0].id))
    offer = life.id()
    life.tell(e.MoneyHeldInFull(life.id(), offer, 6_000, life.now + timedelta(days=10)))
    life.tell(e.OfferAccepted(offer, life.case.claimants[0].id))
    assert life.waits() is WaitingOn.BANK
    life.paid(6_000, 1_500)
    life.tell(e.PayoutApproved(life.id(), 4_500))
    life.tell(e.PayoutSettled(life.id(), 4_500))
    assert life.outcome() is Outcome.REFUNDED_PART


def test_a_voucher_is_registered_before_the_case_closes() -> None:
    life = Life().contacted()
    offer = life.offer(kind=OfferKind.VOUCHER)
    life.tell(e.OfferAccepted(offer, life.case.claimants[0].id))
    assert life.has_task(TaskKind.REGISTER_VOUCHER)
    life.tell(e.VoucherTaken(6_000, "anna"))
    assert life.outcome() is Outcome.VOUCHER_ACCEPTED


def test_a_recommendation_not_accepted_goes_to_the_next_body() -> None:
    life = Life().on_ladder(Stage.COMPLAINT).letter_arrives()
    offer = life.offer(kind=OfferKind.RECOMMENDATION)
    life.tell(e.OfferRefused(offer, life.case.claimants[0].id))
    assert (life.stage(), life.case.body_index) == (Stage.COMPLAINT, 1)


# --- promises -------------------------------------------------------------------------------


def promise(life: Life, amount: int = 10_000, days: int = 10, *, whole: bool = True) -> None:
    day = (life.now + timedelta(days=days)).date()
    life.tell(e.CompanyPromised(life.id(), amount, day, whole, "anna"))


def test_a_promise_of_the_whole_is_watched_until_its_day_and_then_broken() -> None:
    life = Life().contacted()
    promise(life)
    assert (life.stage(), life.waits()) == (Stage.SETTLEMENT, WaitingOn.COMPANY)
    basis = life.case.due_basis
    assert basis is not None and basis.whose == "word"
    life.silence()
    assert life.has_task(TaskKind.PROMISE_BROKEN)
    assert (life.stage(), life.case.step) == (Stage.CONTACT, 3)
    life.letter_arrives()
    assert life.case.due_basis is not None and life.case.due_basis.period == "7 days"
    life.silence()
    assert life.stage() is Stage.REMINDER


def test_a_second_promise_suspends_nothing() -> None:
    life = Life().contacted()
    promise(life)
    life.silence()
    life.letter_arrives()
    due = life.case.due_at
    promise(life, days=30)
    assert (life.stage(), life.case.due_at) == (Stage.CONTACT, due)


def test_a_kept_part_promise_lets_the_ladder_go_on_for_the_rest() -> None:
    life = Life().contacted()
    promise(life, 4_000, whole=False)
    assert life.paused(PauseKind.PROMISE)
    life.paid(4_000, 1_000)
    assert not life.paused(PauseKind.PROMISE)
    assert (life.stage(), life.waits()) == (Stage.CONTACT, WaitingOn.COMPANY)


def test_a_broken_part_promise_returns_with_7_days() -> None:
    life = Life().contacted()
    promise(life, 4_000, whole=False)
    life.fire(TimerKind.PROMISE_DUE)
    assert life.has_task(TaskKind.PROMISE_BROKEN)
    assert (life.stage(), life.case.step, life.case.short_wait_days) == (Stage.CONTACT, 2, 7)


def test_a_bodys_decision_is_watched_like_a_promise_and_a_person_says_what_follows() -> None:
    life = Life().on_ladder(Stage.COMPLAINT).letter_arrives()
    life.tell(e.BodyDecided(life.id(), 9_000, date(2026, 4, 30), "anna"))
    assert (life.stage(), life.case.agreed_minor) == (Stage.SETTLEMENT, 9_000)
    life.silence()
    assert (life.stage(), life.waits()) == (Stage.COMPLAINT, WaitingOn.HANDLER)


# --- pauses and clocks ----------------------------------------------------------------------


def test_what_was_left_is_kept_once_and_at_least_2_working_days_remain() -> None:
    life = Life().contacted()
    due = life.case.due_at
    assert due is not None
    life.now = due - timedelta(hours=2)
    life.tell(e.CaseHeld("a", "travel", life.now + timedelta(days=10), "anna"))
    life.tell(e.CaseHeld("b", "travel", life.now + timedelta(days=5), "anna"))
    left = life.case.remaining_seconds
    life.tell(e.HoldLifted("b", "anna"))
    assert life.case.remaining_seconds == left == 7_200
    life.silence_of_hold("a")
    assert life.case.due_at is not None
    assert life.case.due_at >= life.now + timedelta(days=2)


def test_an_unsent_letter_is_made_anew_after_a_pause() -> None:
    life = Life().on_ladder().render()
    old = life.sends()[-1]
    message = life.reply()
    life.tell(e.MessageSetAside(message, "anna"))
    assert life.letter().n == 2
    assert isinstance(life.last.effects[0], RenderLetter)
    assert not still_wanted(old, life.case)


def test_a_letter_already_on_its_way_when_the_pause_came_is_not_sent_twice() -> None:
    life = Life().on_ladder().render()
    message = life.reply()
    life.tell(e.MessageSetAside(message, "anna"))
    life.hand_over()
    assert life.letter().state is LetterState.DELIVERED
    with pytest.raises(StaleEvent):
        life.render()


def test_an_approval_is_refused_while_a_reply_is_unread() -> None:
    life = Life().on_ladder(Stage.COMPLAINT).render()
    life.reply()
    with pytest.raises(TransitionRefused):
        life.approve()


def test_a_hold_is_dated_and_never_runs_past_limitation() -> None:
    # Where no letter of ours moves the last day.
    life = Life(playbook=replace(PLAYBOOK, limitations=()))
    life.on_ladder(limitation_on=date(2026, 4, 1)).letter_arrives()
    with pytest.raises(TransitionRefused):
        life.tell(e.CaseHeld("a", "travel", life.now, "anna"))
    with pytest.raises(TransitionRefused):
        life.tell(e.CaseHeld("a", "travel", life.now + timedelta(days=60), "anna"))
    life.offer(days=60)
    assert life.case.due_at is not None and life.case.due_at.date() == date(2026, 4, 1)


def test_an_extension_counts_from_the_base_date_and_only_moves_later() -> None:
    life = Life().contacted()
    base = life.case.due_basis
    assert base is not None
    life.tell(e.DeadlineExtended(life.now + timedelta(days=30), "asked", "anna"))
    assert life.case.due_basis is not None
    assert life.case.due_basis.start == base.start
    with pytest.raises(TransitionRefused):
        life.tell(e.DeadlineExtended(life.now + timedelta(days=3), "asked", "anna"))


def test_a_new_fact_restarts_the_whole_period() -> None:
    life = Life().contacted()
    before = life.case.due_at
    life.now += timedelta(days=7)
    life.tell(e.ClockRestarted("new_document", life.now, "anna"))
    assert before is not None and life.case.due_at == before + timedelta(days=7)


def test_a_duplicate_stands_still_until_it_is_unlinked() -> None:
    life = Life().contacted()
    other = life.id()
    life.tell(e.DuplicateLinked(other, "anna"))
    assert (life.waits(), life.case.duplicate_of) == (WaitingOn.DATE, other)
    life.tell(e.DuplicateUnlinked("anna"))
    assert life.waits() is WaitingOn.COMPANY


def test_warning_bands_precede_limitation() -> None:
    life = Life().on_ladder(limitation_on=date(2026, 6, 30))
    keys = sorted(t.key for t in life.case.timers if t.kind is TimerKind.LIMITATION)
    assert keys == ["0", "30", "7", "90", "stop"]
    life.fire(TimerKind.LIMITATION, "30")
    assert life.tasks[TaskKind.LIMITATION, "30"].role == "senior"


# --- promise 1 and 9 ------------------------------------------------------------------------


def test_the_consumer_hears_every_14_days_while_a_company_is_due() -> None:
    life = Life().contacted()
    life.tell(e.DeadlineExtended(life.now + timedelta(days=60), "asked", "anna"))
    step = life.case.step
    life.wait_until(life.now + timedelta(days=45))
    beats = life.notices("heartbeat")
    assert len(beats) == 3 and life.case.step == step
    params = dict(beats[0].params)
    assert {"did", "waiting_on", "until", "then"} <= set(params)


def test_at_a_body_the_rhythm_is_60_days_and_0_means_events_only() -> None:
    life = Life().on_ladder(Stage.COMPLAINT).letter_arrives()
    beat = life.case.timer(TimerKind.HEARTBEAT)
    assert beat is not None and beat.due_at == life.now + timedelta(days=60)
    quiet = Life()
    quiet.case = quiet.case.with_(heartbeat_days=0)
    assert quiet.contacted().case.timer(TimerKind.HEARTBEAT) is None


def test_30_days_after_our_own_date_the_consumer_is_told_and_may_leave_free() -> None:
    life = Life().submit()
    due = life.case.due_at
    assert due is not None
    with pytest.raises(TransitionRefused):
        life.tell(e.AgencyLeft())
    life.wait_until(due + timedelta(days=30))
    assert life.case.agency_late
    assert life.notices("agency_late")
    life.tell(e.AgencyLeft())
    assert life.outcome() is Outcome.AGENCY_LATE


# --- leaving --------------------------------------------------------------------------------


def test_leaving_is_free_before_an_offer_and_says_so_after_one() -> None:
    early = Life().contacted()
    early.tell(e.CaseWithdrawn("consumer"))
    assert dict(early.notices("withdrawn")[0].params)["fee_may_be_due"] == "no"
    assert len(early.stops()) == 1
    late = Life().contacted()
    late.offer()
    late.tell(e.CaseWithdrawn("consumer"))
    assert dict(late.notices("withdrawn")[0].params)["fee_may_be_due"] == "yes"


def test_who_wrote_is_read_although_the_case_closes() -> None:
    life = Life().contacted()
    message = life.reply("consumer")
    life.tell(e.CaseClosed(Outcome.UNECONOMIC, "too_small", "anna"))
    assert (TaskKind.READ_REPLY, str(message)) in life.tasks
    life.tell(e.MessageSetAside(message, "anna"))
    assert (TaskKind.READ_REPLY, str(message)) not in life.tasks


def test_before_the_agreement_nobody_is_told_that_we_stop() -> None:
    life = Life().submit()
    life.tell(e.CaseWithdrawn("consumer"))
    assert life.outcome() is Outcome.WITHDRAWN and not life.stops()


def test_one_of_two_may_leave_and_the_letter_lists_the_other_only() -> None:
    life = Life(claims=(4_000, 6_000)).on_ladder().render()
    life.tell(e.MandateRevoked(life.case.claimants[0].id))
    assert life.letter().n == 2 and life.case.is_open
    life.tell(e.MandateRevoked(life.case.claimants[1].id))
    assert life.outcome() is Outcome.WITHDRAWN


def test_the_last_yes_counts_when_the_other_claimant_leaves() -> None:
    life = Life(claims=(5_000, 5_000)).contacted()
    offer = life.offer()
    first, second = life.case.claimants
    life.tell(e.OfferAccepted(offer, first.id))
    life.tell(e.MandateRevoked(second.id))
    assert life.stage() is Stage.SETTLEMENT


def test_a_closed_case_reopens_within_a_year_and_a_person_chooses() -> None:
    life = Life().contacted()
    life.tell(e.CaseClosed(Outcome.REFUSED_FINAL, "no_way_left", "anna"))
    life.now += timedelta(days=300)
    life.tell(e.CaseReopened("new_proof", "anna"))
    assert (life.stage(), life.waits(), life.case.step) == (
        Stage.CONTACT,
        WaitingOn.HANDLER,
        2,
    )
    life.tell(e.CaseClosed(Outcome.REFUSED_FINAL, "no_way_left", "anna"))
    life.now += timedelta(days=400)
    with pytest.raises(TransitionRefused):
        life.tell(e.CaseReopened("new_proof", "anna"))
