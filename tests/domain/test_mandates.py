"""Waiting for the time to withdraw to be over, one claimant at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.domain import events as e
from app.domain import position
from app.domain.case import LetterState, Outcome, PauseKind, Stage, TimerKind, WaitingOn
from app.domain.closing import ended_mandates
from app.domain.decision import TaskKind
from app.domain.errors import StaleEvent, StartNeeded, TransitionRefused, WithdrawalWait
from app.domain.playbook import Playbook
from app.domain.signatures import SignatureTooWeak
from app.law.adulthood import is_minor
from tests.domain.life import PLAYBOOK, Life

WAIT = timedelta(days=15)


def sign(life: Life, at: int, *, waits: bool) -> None:
    who = life.case.claimants[at]
    life.tell(e.MandateSigned(who.id, life.id(), True, life.now + WAIT if waits else None))


def end_of_wait(life: Life, at: int) -> None:
    timer = life.case.timer(TimerKind.WITHDRAWAL_END, str(life.case.claimants[at].id))
    assert timer is not None
    life.now = timer.due_at
    life.tell(e.TimerFired(timer.kind, timer.key, timer.step, timer.due_at))


def test_one_who_waits_alone_holds_the_case_until_time_begins_it() -> None:
    life = Life().submit().accept()
    sign(life, 0, waits=True)
    assert (life.case.stage, life.case.waiting_on) == ("agreement", WaitingOn.DATE)
    assert life.case.due_at == life.now + WAIT and not life.case.timer(TimerKind.NUDGE)
    assert not position.mandate_stands(life.case)
    end_of_wait(life, 0)
    assert life.case.stage == "contact" and position.mandate_stands(life.case)


def test_a_late_signer_stops_nothing_that_runs_for_others() -> None:
    life = Life((10_000, 5_000)).submit().accept()
    sign(life, 1, waits=True)
    sign(life, 0, waits=False)
    assert life.case.stage is Stage.CONTACT and not life.case.pauses
    assert [c.position for c in position.acted_for(life.case)] == [0]
    first = life.letter().n
    life.tell(e.StartAsked(life.case.claimants[1].id))
    # The letter that had not left lists both now.
    assert life.letter().n == first + 1 and len(position.acted_for(life.case)) == 2
    with pytest.raises(StaleEvent):
        life.tell(e.StartAsked(life.case.claimants[1].id))


def test_the_wait_ends_with_the_mandate_and_nothing_leaves_for_who_waits() -> None:
    life = Life((10_000, 5_000)).submit().accept()
    sign(life, 0, waits=False)
    sign(life, 1, waits=True)
    life.render()
    assert life.letter().state is LetterState.RELEASED
    life.tell(e.MandateRevoked(life.case.claimants[0].id))
    assert life.case.paused_for(PauseKind.WITHDRAWAL) and not position.mandate_stands(life.case)
    end_of_wait(life, 1)
    assert not life.case.pauses and life.letter().state is LetterState.RENDERING
    other = Life((10_000, 5_000)).submit().accept()
    sign(other, 0, waits=True)
    sign(other, 1, waits=True)
    for one in other.case.claimants:
        assert other.case.outcome is None
        other.tell(e.MandateRevoked(one.id))
    assert other.case.outcome is Outcome.WITHDRAWN and not other.case.timers


def test_no_person_of_ours_lifts_the_wait_nor_the_last_day_of_the_claim() -> None:
    life = Life().submit().accept()
    sign(life, 0, waits=True)
    (pause,) = life.case.pauses
    with pytest.raises(WithdrawalWait) as refused:
        life.tell(e.HoldLifted(pause.key, "senior"))
    assert refused.value.code == "withdrawal_wait"
    soon = Life().submit()
    soon.accept(limitation_on=(soon.now + timedelta(days=9)).date())
    with pytest.raises(StartNeeded):
        sign(soon, 0, waits=True)
    sign(soon, 0, waits=False)


def test_a_last_day_that_comes_first_begins_nothing_by_itself_but_a_person_calls() -> None:
    life = Life((10_000, 5_000)).submit().accept()
    sign(life, 0, waits=True)
    sign(life, 1, waits=True)
    day = (life.now + timedelta(days=5)).date()
    life.tell(e.LimitationMoved("correction", life.now.date(), day, "anna"))
    life.tell(e.MandateRevoked(life.case.claimants[1].id))
    end_of_wait(life, 0)
    assert life.now.date() == day and (TaskKind.CALL_CONSUMER, "start") in life.tasks
    assert life.case.stage is Stage.AGREEMENT and life.case.paused_for(PauseKind.WITHDRAWAL)


def test_who_leaves_takes_the_mandate_along_and_signs_anew_after_reopening() -> None:
    life = Life((10_000, 5_000)).on_ladder().letter_arrives()
    before = life.case
    life.tell(e.CaseWithdrawn("consumer"))
    assert ended_mandates(before, life.case) == [c.mandate_id for c in before.claimants]
    life.tell(e.CaseReopened("mind_changed", "anna"))
    assert life.case.stage is Stage.AGREEMENT
    with pytest.raises(TransitionRefused):
        life.tell(e.NextStepChosen(Stage.REMINDER, "on", "anna"))
    sign(life, 0, waits=False)
    assert life.case.stage is Stage.AGREEMENT  # the other one is asked too
    sign(life, 1, waits=False)
    assert life.case.stage is not Stage.AGREEMENT


def stronger_body(level: str) -> Playbook:
    first, *others = PLAYBOOK.bodies
    return replace(PLAYBOOK, bodies=(replace(first, mandate_level=level), *others))


def test_a_complaint_does_not_leave_under_a_signature_that_is_too_weak() -> None:
    life = Life(playbook=stronger_body("drawn")).on_ladder(Stage.COMPLAINT)
    who = life.case.claimants[0]
    assert life.case.letter is None and life.case.waiting_on is WaitingOn.CONSUMER
    (asked,) = life.notices("stronger_signature")
    assert dict(asked.params)["level"] == "drawn" and asked.claimant_id == who.id
    assert (TaskKind.CALL_CONSUMER, "stronger_signature") in life.tasks
    with pytest.raises(TransitionRefused):  # nothing stronger than what is held
        life.tell(e.MandateSigned(who.id, life.id(), level="typed"))
    life.tell(e.MandateSigned(who.id, life.id(), level="drawn"))
    assert life.letter().state is LetterState.RENDERING and not life.tasks.get(
        (TaskKind.CALL_CONSUMER, "stronger_signature")
    )
    # Nobody answers: a person decides.
    silent = Life(playbook=stronger_body("wet_ink")).on_ladder(Stage.COMPLAINT)
    silent.fire(TimerKind.DEADLINE)
    assert silent.case.letter is None and silent.case.waiting_on is WaitingOn.HANDLER


def test_a_company_that_begins_to_insist_stops_the_letter_and_its_approval() -> None:
    life = Life().on_ladder()
    life.insists = "qualified"
    life.render()
    assert life.letter().state is LetterState.RENDERING
    assert life.case.waiting_on is WaitingOn.CONSUMER
    assert dict(life.notices("stronger_signature")[0].params)["level"] == "qualified"
    other = Life().on_ladder(Stage.COMPLAINT).render()
    other.playbook = stronger_body("wet_ink")
    with pytest.raises(SignatureTooWeak) as refused:
        other.approve()
    assert "level wet_ink" in str(refused.value) and "claimant 1" in str(refused.value)


def test_a_mandate_that_ends_is_told_of_before_and_stops_all_after() -> None:
    life = Life().submit().accept()
    who = life.case.claimants[0]
    last = (life.now + timedelta(days=40)).date()
    life.tell(e.MandateSigned(who.id, life.id(), valid_until=last))
    before = life.case
    life.fire(TimerKind.MANDATE_END, f"warn:{who.id}")
    assert life.notices("mandate_ends_soon") and position.mandate_stands(life.case)
    life.fire(TimerKind.MANDATE_END, f"end:{who.id}")
    assert life.case.claimants[0].mandate == "expired"
    assert life.now.astimezone(ZoneInfo("Europe/Helsinki")).date() > last
    assert not position.mandate_stands(life.case) and life.case.paused_for(PauseKind.MANDATE)
    assert ended_mandates(before, life.case) == [before.claimants[0].mandate_id]
    life.tell(e.MandateSigned(who.id, life.id()))
    assert not life.case.pauses and position.mandate_stands(life.case)


def test_one_mandate_that_ends_stops_nothing_for_the_others() -> None:
    life = Life((10_000, 5_000)).submit().accept()
    first, second = life.case.claimants
    life.tell(e.MandateSigned(first.id, life.id()))
    life.tell(e.MandateSigned(second.id, life.id(), valid_until=life.now.date()))
    n = life.letter().n
    life.fire(TimerKind.MANDATE_END, f"end:{second.id}")
    assert not life.case.pauses and [c.id for c in position.acted_for(life.case)] == [first.id]
    assert life.letter().n == n + 1


def test_age_is_counted_by_the_place_one_lives_in() -> None:
    born = date(2008, 11, 28)
    assert is_minor(born, date(2026, 11, 27), "FI") and not is_minor(born, date(2026, 11, 28), "FI")
    assert is_minor(born, date(2026, 11, 28), "US-MS") and is_minor(born, born, "ZZ")
    leap = date(2008, 2, 29)
    assert is_minor(leap, date(2026, 2, 28), "SE") and not is_minor(leap, date(2026, 3, 1), "SE")
