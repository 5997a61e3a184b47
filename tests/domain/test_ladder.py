"""The climb in silence: every letter, every date, nothing skipped."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from app.domain import events as e
from app.domain.case import LetterState, Outcome, Stage, TimerKind, WaitingOn
from app.domain.counting import Period
from app.domain.decision import TaskKind
from app.domain.effects import RecallLetter, RenderLetter
from app.domain.errors import StaleEvent, TransitionRefused
from app.domain.wanted import still_wanted
from tests.domain.life import PLAYBOOK, Life


def test_silence_climbs_from_the_first_demand_to_the_body_without_skipping() -> None:
    life = Life()
    life.submit()
    assert (life.stage(), life.waits()) == (Stage.ASSESSMENT, WaitingOn.HANDLER)
    life.accept()
    assert (life.stage(), life.waits()) == (Stage.AGREEMENT, WaitingOn.CONSUMER)
    life.sign()
    path = []
    for _ in range(4):
        path.append((life.stage(), life.case.step))
        assert life.waits() is WaitingOn.DELIVERY
        life.letter_arrives()
        if life.stage() is not Stage.COMPLAINT:
            assert life.waits() is WaitingOn.COMPANY
            life.silence()
    assert path == [
        (Stage.CONTACT, 1),
        (Stage.REMINDER, 2),
        (Stage.FORMAL_NOTICE, 3),
        (Stage.COMPLAINT, 4),
    ]
    assert life.waits() is WaitingOn.BODY
    assert len(life.sends()) == 4
    assert len({s.business_key for s in life.sends()}) == 4


def test_the_legal_day_and_the_day_we_act_are_told_apart_with_the_days_skipped() -> None:
    life = Life().on_ladder().render()
    life.now = life.now.replace(day=7)  # Saturday 7 March; 14 days later is Saturday 21
    life.hand_over()
    basis = life.case.due_basis
    assert basis is not None
    assert basis.due == date(2026, 3, 23)
    assert basis.skipped == ((date(2026, 3, 21), "Saturday"), (date(2026, 3, 22), "Sunday"))
    assert basis.rule == "house.contact_wait@test.fi@1"
    assert life.case.due_at is not None
    assert life.case.due_at.isoformat() == "2026-03-24T07:00:00+00:00"  # 09:00 in Helsinki


def test_the_payment_of_the_whole_is_paid_out_and_closes_the_case() -> None:
    life = Life().contacted()
    life.tell(e.PayoutAccountGiven(life.case.claimants[0].id))
    life.paid(10_000, 2_500)
    assert (life.stage(), life.waits()) == (Stage.SETTLEMENT, WaitingOn.BANK)
    assert life.has_task(TaskKind.PREPARE_PAYOUT)
    item = life.id()
    life.tell(e.PayoutApproved(item, 7_500))
    life.tell(e.PayoutSettled(item, 7_500))
    assert life.outcome() is Outcome.REFUNDED_FULL
    assert life.case.timers == ()


def test_a_letter_released_by_rule_goes_at_once_and_one_by_a_person_waits_30_seconds() -> None:
    life = Life().on_ladder().render()
    assert life.sends()[-1].not_before is None
    above_line = Life(claims=(60_000,)).on_ladder(Stage.FORMAL_NOTICE).render().approve()
    assert above_line.sends()[-1].not_before == above_line.now + timedelta(seconds=30)


@pytest.mark.parametrize(
    ("stage", "claim", "role"),
    [
        (Stage.CONTACT, 60_000, None),
        (Stage.FORMAL_NOTICE, 50_000, None),
        (Stage.FORMAL_NOTICE, 50_001, "senior"),
        (Stage.COMPLAINT, 100, "senior"),
    ],
)
def test_complaints_and_notices_above_the_line_are_approved_by_a_senior(
    stage: Stage, claim: int, role: str | None
) -> None:
    life = Life(claims=(claim,)).on_ladder(stage).render()
    roles = [t.role for k, t in life.tasks.items() if k[0] is TaskKind.APPROVE_LETTER]
    assert roles == ([role] if role else [])
    assert (life.waits() is WaitingOn.HANDLER) == (role is not None)


def test_who_prepared_a_letter_does_not_approve_it() -> None:
    life = Life().on_ladder(Stage.COMPLAINT).render()
    with pytest.raises(TransitionRefused):
        life.approve("anna")
    assert life.approve("berit").letter().state is LetterState.RELEASED


def test_an_approval_counts_for_the_bytes_that_were_read_only() -> None:
    life = Life().on_ladder(Stage.COMPLAINT).render("old")
    with pytest.raises(TransitionRefused):
        life.tell(e.LetterApproved(life.letter().id, "other", "berit"))


def test_a_returned_letter_is_made_again_as_the_next_revision() -> None:
    life = Life().on_ladder(Stage.COMPLAINT).render()
    letter = life.letter()
    life.tell(e.LetterReturned(letter.id, "tone", "berit"))
    assert (life.letter().id, life.letter().n) == (letter.id, 2)
    assert isinstance(life.last.effects[0], RenderLetter)
    with pytest.raises(StaleEvent):
        life.tell(e.LetterRendered(letter.id, letter.step, "aa", n=1))


def test_without_a_receipt_delivery_is_presumed_after_one_working_day_without_a_bounce() -> None:
    life = Life().on_ladder().render()
    life.hand_over(recipient_server=False)
    assert life.waits() is WaitingOn.DELIVERY
    assert life.case.due_at == life.now + timedelta(days=1)
    life.silence()
    assert life.letter().evidence_grade == "presumed"
    assert life.waits() is WaitingOn.COMPANY


def test_post_is_presumed_after_three_working_days_and_a_registered_receipt_is_proof() -> None:
    life = Life().on_ladder()
    life.render()
    life.tell(e.LetterBounced(life.letter().id, hard=True, reason="550"))
    assert (life.letter().channel, life.letter().n) == ("post", 2)
    life.render().hand_over(recipient_server=False, provider="printer")
    assert life.case.due_at == life.now + timedelta(days=3)
    life.tell(e.LetterDelivered(life.letter().id, life.now, "registered"))
    assert life.letter().evidence_grade == "registered"
    assert life.waits() is WaitingOn.COMPANY


def test_when_the_last_channel_is_dead_a_person_finds_one() -> None:
    life = Life().on_ladder().render()
    life.tell(e.LetterBounced(life.letter().id, hard=True, reason="550"))
    life.render()
    life.tell(e.EffectFailed(life.id(), "send_letter", "no_such_address"))
    assert life.waits() is WaitingOn.HANDLER
    assert life.has_task(TaskKind.FIX_CHANNEL)


def test_a_soft_bounce_of_what_is_still_with_us_changes_nothing() -> None:
    life = Life().on_ladder().render()
    before = life.case
    life.tell(e.LetterBounced(life.letter().id, hard=False, reason="mailbox full"))
    assert life.case == before


def test_a_soft_bounce_that_finally_failed_is_never_presumed_delivered() -> None:
    """Their server gave up on it: it goes another way, and the channel stays open for later."""
    life = Life().on_ladder().render().hand_over(recipient_server=False)
    sent = life.letter().id
    life.tell(e.LetterBounced(sent, hard=False, reason="4.4.7"))
    assert (life.letter().id, life.letter().n, life.letter().channel) == (sent, 2, "post")
    assert life.case.dead_channels == ()
    life.silence()
    assert life.letter().delivered_at is None and life.waits() is WaitingOn.DELIVERY


def test_a_bounce_after_presumed_delivery_takes_the_clock_back() -> None:
    life = Life().on_ladder().render().hand_over(recipient_server=False)
    life.silence()
    life.tell(e.LetterBounced(life.letter().id, hard=True, reason="550"))
    assert life.waits() is WaitingOn.DELIVERY
    assert life.letter().channel == "post"


def test_no_step_is_taken_while_our_mailbox_or_bank_feed_is_unread() -> None:
    life = Life().contacted()
    life.blind = True
    step = life.case.step
    life.silence()
    assert (life.stage(), life.case.step) == (Stage.CONTACT, step)
    assert life.has_task(TaskKind.FEED_SILENT)
    held = life.said.count("step_held_unread_feeds")
    life.silence()
    assert life.said.count("step_held_unread_feeds") == held, "one alarm, not one an hour"
    life.blind = False
    life.silence()
    assert life.stage() is Stage.REMINDER


def test_an_old_timer_does_nothing() -> None:
    life = Life().contacted()
    timer = life.case.timer(TimerKind.DEADLINE)
    assert timer is not None
    life.silence()
    with pytest.raises(StaleEvent):
        life.tell(e.TimerFired(timer.kind, timer.key, timer.step, timer.due_at))


def test_a_timer_is_not_fired_before_its_time() -> None:
    life = Life().contacted()
    timer = life.case.timer(TimerKind.DEADLINE)
    assert timer is not None
    with pytest.raises(StaleEvent):
        life.tell(e.TimerFired(timer.kind, timer.key, timer.step, timer.due_at))


def test_where_the_company_demands_it_the_consumer_writes_first_at_step_0() -> None:
    life = Life().on_ladder(consumer_writes_first_days=28)
    assert (life.stage(), life.case.step) == (Stage.CONTACT, 0)
    assert life.waits() is WaitingOn.CONSUMER
    assert not life.sends() and life.notices("write_first")
    life.tell(e.ClockRestarted("consumer_wrote", life.now, "anna"))
    assert life.waits() is WaitingOn.COMPANY
    life.silence()
    assert (life.stage(), life.case.step) == (Stage.CONTACT, 1)


def test_a_complaint_waits_for_the_day_its_body_opens() -> None:
    body = replace(PLAYBOOK.bodies[0], opens_after=Period(60, "days"))
    life = Life(playbook=replace(PLAYBOOK, bodies=(body,)))
    life.on_ladder(Stage.COMPLAINT, first_written_complaint=date(2026, 2, 20))
    assert life.waits() is WaitingOn.DATE
    assert life.case.letter is None
    life.silence()
    assert life.now.date() == date(2026, 4, 21)
    assert life.letter().recipient == "body"


def test_a_body_below_whose_minimum_the_claim_lies_is_passed_over() -> None:
    body = replace(PLAYBOOK.bodies[0], min_amount_minor=20_000)
    life = Life(playbook=replace(PLAYBOOK, bodies=(body, PLAYBOOK.bodies[1])))
    life.on_ladder(Stage.COMPLAINT)
    assert life.case.body_index == 1
    assert "body_passed_over" in life.said


def test_where_we_may_not_file_the_consumer_presses_send() -> None:
    life = Life(playbook=replace(PLAYBOOK, bodies=PLAYBOOK.bodies[1:]))
    life.on_ladder(Stage.COMPLAINT).render().approve()
    assert not life.sends()
    assert life.waits() is WaitingOn.CONSUMER
    assert life.has_task(TaskKind.FILE_COMPLAINT)
    life.hand_over(provider="consumer")
    assert life.waits() is WaitingOn.BODY
    assert not life.has_task(TaskKind.FILE_COMPLAINT)


def test_a_silent_body_is_asked_at_most_every_90_days() -> None:
    life = Life().on_ladder(Stage.COMPLAINT).letter_arrives()
    life.silence()
    asked = life.now
    assert life.waits() is WaitingOn.BODY
    life.silence()
    assert life.now - asked >= timedelta(days=90)


def test_a_dismissal_goes_to_the_next_body_and_after_the_last_to_a_person() -> None:
    life = Life().on_ladder(Stage.COMPLAINT, first_written_complaint=date(2026, 2, 20))
    life.letter_arrives()
    life.tell(e.BodyDismissed("no_ground", "anna"))
    assert (life.case.body_index, life.case.step) == (1, 2)
    life.render().approve().hand_over(provider="consumer")
    life.tell(e.BodyDismissed("no_ground", "anna"))
    assert life.waits() is WaitingOn.HANDLER
    assert life.has_task(TaskKind.CHOOSE_NEXT_STEP)


def test_a_bodys_own_date_is_our_clock_and_missing_it_is_an_incident() -> None:
    life = Life().on_ladder(Stage.COMPLAINT).letter_arrives()
    life.tell(e.BodyAsked(life.now + timedelta(days=7), "anna"))
    assert life.waits() is WaitingOn.HANDLER
    assert life.case.due_at == life.now + timedelta(days=7)
    life.silence()
    assert life.has_task(TaskKind.INCIDENT)
    life.tell(e.BodyAnswered("anna"))
    assert life.waits() is WaitingOn.BODY


def test_two_letters_to_one_company_never_go_within_a_day() -> None:
    life = Life().contacted()
    life.tell(e.CompanyDenied(None, "", "anna"))
    life.tell(e.NextStepChosen(Stage.CONTACT, "answer_to_denial", "anna"))
    life.render()
    assert life.sends()[-1].not_before == life.now + timedelta(days=1)


def test_a_letter_no_longer_wanted_is_stopped_at_the_relay() -> None:
    life = Life().on_ladder().render()
    send = life.sends()[-1]
    assert still_wanted(send, life.case)
    life.reply()
    assert not still_wanted(send, life.case), "an unread human reply holds it back"
    life.tell(e.CaseWithdrawn("consumer"))
    assert not still_wanted(send, life.case)


def test_withdrawal_recalls_what_the_printer_holds() -> None:
    playbook = replace(
        PLAYBOOK, ladder=tuple(replace(s, channels=("post",)) for s in PLAYBOOK.ladder)
    )
    life = Life(playbook=playbook).on_ladder().render()
    life.tell(e.CaseWithdrawn("consumer"))
    assert any(isinstance(x, RecallLetter) for x in life.last.effects)
    assert life.letter().state is LetterState.CANCELLED


def test_what_the_company_wrote_stays_unread_when_the_bodys_mail_is_answered() -> None:
    life = Life().on_ladder(Stage.COMPLAINT).letter_arrives()
    company, body = life.reply("company"), life.reply("body")
    life.tell(e.BodyAsked(life.now + timedelta(days=7), "anna", message_id=body))
    assert [p.key for p in life.case.pauses] == [str(company)]


def test_nobody_has_sent_a_letter_that_was_sent_back() -> None:
    life = Life().on_ladder(Stage.COMPLAINT).render()
    letter = life.letter()
    life.tell(e.LetterReturned(letter.id, "tone", "berit"))
    with pytest.raises(TransitionRefused, match="has not been approved"):
        life.tell(e.LetterHandedOver(letter.id, life.now, "consumer", False))
