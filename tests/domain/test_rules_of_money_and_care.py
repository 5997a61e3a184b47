"""Rules beside the ladder, one sentence each: money, unknown outcomes, care, law."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from app.domain import events as e
from app.domain.case import (
    LetterState,
    Outcome,
    PauseKind,
    Stage,
    WaitingOn,
)
from app.domain.decision import TaskKind
from app.domain.errors import TransitionRefused
from app.domain.wanted import still_wanted
from tests.domain.life import Life

# --- money ----------------------------------------------------------------------------------


def test_a_part_payment_is_paid_out_while_the_ladder_goes_on() -> None:
    life = Life().contacted()
    life.tell(e.PayoutAccountGiven(life.case.claimants[0].id))
    due = life.case.due_at
    life.paid(3_000, 750)
    assert life.has_task(TaskKind.PREPARE_PAYOUT)
    assert (life.stage(), life.case.due_at) == (Stage.CONTACT, due)


def test_without_an_account_the_consumer_is_asked_for_one() -> None:
    life = Life().contacted().paid(10_000, 2_500)
    assert (life.stage(), life.waits()) == (Stage.SETTLEMENT, WaitingOn.CONSUMER)
    life.tell(e.PayoutAccountGiven(life.case.claimants[0].id))
    assert life.waits() is WaitingOn.BANK and life.has_task(TaskKind.PREPARE_PAYOUT)


def test_client_money_never_pays_more_than_came_in() -> None:
    life = Life().contacted().paid(10_000, 2_500)
    with pytest.raises(TransitionRefused):
        life.tell(e.PayoutApproved(life.id(), 7_501))


def test_a_returned_payout_is_fixed_and_the_consumer_told() -> None:
    life = Life().contacted()
    life.tell(e.PayoutAccountGiven(life.case.claimants[0].id))
    life.paid(10_000, 2_500)
    item = life.id()
    life.tell(e.PayoutApproved(item, 7_500))
    life.tell(e.PayoutReturned(item, 7_500, "closed_account", False))
    assert life.has_task(TaskKind.FIX_PAYOUT) and life.notices("payout_returned")
    assert life.case.money.in_flight == 0


def test_money_after_closing_is_paid_out_without_a_letter() -> None:
    life = Life().contacted()
    life.tell(e.PayoutAccountGiven(life.case.claimants[0].id))
    life.tell(e.CaseClosed(Outcome.REFUSED_FINAL, "no_way_left", "anna"))
    life.paid(10_000, 2_500)
    assert life.stage() is Stage.CLOSED and life.has_task(TaskKind.PREPARE_PAYOUT)


def test_a_payment_to_the_consumer_is_checked_before_the_next_letter() -> None:
    life = Life().contacted()
    life.tell(e.PaidDirectReported(life.id(), 10_000, date(2026, 3, 2)))
    assert life.has_task(TaskKind.CHECK_DIRECT_PAYMENT) and life.paused(PauseKind.HOLD)
    life.tell(e.PaidDirectConfirmed(10_000, 2_500, True, "anna"))
    assert life.outcome() is Outcome.PAID_DIRECT


# --- effects, care, law ---------------------------------------------------------------------


def test_an_unknown_outcome_blocks_and_a_person_settles_it() -> None:
    life = Life().on_ladder().render()
    effect = life.sends()[-1]
    life.tell(e.EffectUnknown(effect.id, "send_letter"))
    assert life.waits() is WaitingOn.HANDLER and life.has_task(TaskKind.SETTLE_EFFECT)
    life.tell(e.EffectSettled(effect.id, "send_letter", "sent", "anna"))
    assert life.letter().state is LetterState.HANDED_OVER
    assert life.waits() is WaitingOn.DELIVERY


def test_sending_again_is_a_new_order_by_a_recorded_decision() -> None:
    life = Life().on_ladder().render()
    effect = life.sends()[-1]
    life.tell(e.EffectUnknown(effect.id, "send_letter"))
    life.tell(e.EffectSettled(effect.id, "send_letter", "again", "anna"))
    again = life.sends()[-1]
    assert (again.n, again.sha256) == (effect.n + 1, effect.sha256)
    assert again.business_key != effect.business_key
    assert still_wanted(again, life.case) and not still_wanted(effect, life.case)


def test_distress_stops_letters_but_no_clock_and_brings_care_today() -> None:
    life = Life().contacted()
    due = life.case.due_at
    life.tell(e.DistressNoticed("anna"))
    task = life.tasks[TaskKind.CARE, "distress"]
    assert task.priority == 0 and task.due_at.date() == life.now.date()
    assert life.case.due_at == due
    sends = len(life.sends())
    life.silence()
    assert life.waits() is WaitingOn.HANDLER and len(life.sends()) == sends


def test_a_legal_threat_pauses_automation_until_a_person_lifts_it() -> None:
    life = Life().contacted()
    life.tell(e.LegalThreatened(life.now + timedelta(days=5), "anna"))
    assert life.tasks[TaskKind.LEGAL, "legal"].role == "legal"
    life.wait_until(life.now + timedelta(days=30))
    assert life.paused(PauseKind.LEGAL)
    life.tell(e.HoldLifted("legal", "lena"))
    assert life.waits() is WaitingOn.COMPANY


def test_an_incident_reaches_senior_and_legal_the_same_day_and_the_consumer() -> None:
    life = Life().contacted()
    life.tell(e.IncidentRecorded(life.id(), "filed_late", "anna"))
    due = [t for (k, _), t in life.tasks.items() if k is TaskKind.INCIDENT]
    assert {t.role for t in due} == {"senior", "legal"}
    assert all(t.due_at.date() == life.now.date() for t in due)
    assert dict(life.notices("incident")[0].params)["advice"] == "independent"
