"""Legal dates: the claim's own last day, what moves it, and the last days of bodies."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from app.domain import events as e
from app.domain.case import LimitSource, Stage, TimerKind, WaitingOn
from app.domain.counting import Period
from app.domain.decision import TaskKind
from app.domain.errors import TransitionRefused
from app.domain.playbook import Limitation, LimitationAct
from app.playbooks import book
from tests.domain.life import PLAYBOOK, START, Life

REMINDS = LimitationAct("informal_reminder", "interrupts", ("consumer", "agency"), "lim.test")
SUSPENDS = LimitationAct("claim_to_dispute_body", "suspends", ("consumer",), "lim.test")


def with_limitation(*acts: LimitationAct, to_year_end: bool = False) -> Life:
    limitation = Limitation(Period(3, "years"), "lim.test", to_year_end, acts)
    return Life(playbook=replace(PLAYBOOK, limitations=(("*", limitation),)))


def with_closing_body(days: int) -> Life:
    """The first body closes so many days after the first complaint, made when the case is new."""
    first = replace(PLAYBOOK.bodies[0], closes_after=Period(days, "days"))
    return Life(playbook=replace(PLAYBOOK, bodies=(first, PLAYBOOK.bodies[1])))


def keys(life: Life, kind: TimerKind) -> list[str]:
    return [t.key for t in life.case.timers if t.kind is kind]


def test_a_claim_without_a_known_last_day_is_work_for_a_senior() -> None:
    life = Life().on_ladder()
    assert life.tasks[TaskKind.LIMITATION, "unknown"].role == "senior"


def test_on_the_last_safe_working_day_a_senior_is_called_with_the_acts_that_may_save_it() -> None:
    life = with_limitation(REMINDS, SUSPENDS).on_ladder(limitation_on=date(2027, 8, 2))  # a Monday
    stop = life.case.timer(TimerKind.LIMITATION, "stop")
    assert stop is not None and stop.due_at.date() == date(2027, 7, 30)  # the Friday before
    life.fire(TimerKind.LIMITATION, "stop")
    task = life.tasks[TaskKind.LIMITATION, "stop"]
    assert (task.role, task.priority) == ("senior", 0)
    said = next(h for h in life.last.history if h.code == "limitation_stop")
    acts = dict(said.params)["acts"]
    assert acts == "informal_reminder (consumer, agency); claim_to_dispute_body (consumer)"


def test_our_delivered_demand_begins_a_new_period_where_the_agencys_reminder_interrupts() -> None:
    life = with_limitation(REMINDS).on_ladder(limitation_on=date(2027, 3, 2)).letter_arrives()
    arrived = life.letter().delivered_at
    assert arrived is not None
    assert life.case.limitation_on == arrived.date().replace(year=arrived.year + 3)
    assert "limitation_moved" in life.said


def test_the_last_day_says_which_rule_and_fact_it_rests_on_and_what_moved_it() -> None:
    life = with_limitation(REMINDS)
    law = LimitSource("flight_date", date(2024, 3, 2), "lim.test", "3 years")
    life.on_ladder(limitation_on=date(2027, 3, 2), limitation=law)
    basis = life.case.limitation_basis
    assert basis is not None
    assert (basis.rule, basis.start_event) == ("lim.test@test.fi@1", "flight_date")
    assert (basis.start.date(), basis.due) == (date(2024, 3, 2), date(2027, 3, 2))
    life.letter_arrives()
    moved = life.case.limitation_basis
    assert moved is not None and moved.due == life.case.limitation_on
    assert (moved.start_event, moved.period, moved.whose) == (REMINDS.id, "3 years", "law")


def test_a_day_without_its_rule_is_a_persons_word() -> None:
    life = Life().on_ladder(limitation_on=date(2027, 3, 2))
    basis = life.case.limitation_basis
    assert basis is not None
    assert (basis.rule, basis.whose) == ("person.limitation@test.fi@1", "word")


def test_where_the_law_counts_to_the_end_of_the_year_so_does_the_new_period() -> None:
    life = with_limitation(REMINDS, to_year_end=True).on_ladder(limitation_on=date(2027, 3, 2))
    life.letter_arrives()
    assert life.case.limitation_on == date(2029, 12, 31)


@pytest.mark.parametrize("acts", [(), (SUSPENDS,)], ids=["no acts", "not the agency's"])
def test_elsewhere_our_demand_moves_nothing(acts: tuple[LimitationAct, ...]) -> None:
    life = with_limitation(*acts).on_ladder(limitation_on=date(2027, 3, 2)).letter_arrives()
    assert life.case.limitation_on == date(2027, 3, 2)


def test_a_period_nobody_has_read_or_approved_moves_nothing() -> None:
    life = with_limitation(REMINDS)
    life.playbook = replace(life.playbook, unverified=("lim.test",))
    life.on_ladder(limitation_on=date(2027, 3, 2)).letter_arrives()
    assert life.case.limitation_on == date(2027, 3, 2)


def test_a_recorded_act_moves_the_day_and_arms_the_warnings_anew() -> None:
    life = with_limitation(SUSPENDS).on_ladder(limitation_on=date(2026, 5, 1))
    life.tell(e.LimitationMoved(SUSPENDS.id, life.now.date(), date(2027, 5, 3), "anna"))
    assert life.case.limitation_on == date(2027, 5, 3)
    assert sorted(keys(life, TimerKind.LIMITATION)) == ["0", "30", "7", "90", "stop"]


def test_an_act_the_playbook_does_not_know_is_refused_with_those_it_knows() -> None:
    life = with_limitation(SUSPENDS).on_ladder(limitation_on=date(2027, 3, 2))
    with pytest.raises(TransitionRefused, match="claim_to_dispute_body, correction"):
        life.tell(e.LimitationMoved("a_wish", life.now.date(), date(2028, 3, 2), "anna"))


def test_a_wait_that_ends_when_the_claim_may_be_too_old_starts_the_rescue_at_once() -> None:
    life = with_limitation(SUSPENDS).on_ladder(limitation_on=date(2026, 3, 12)).letter_arrives()
    assert life.tasks[TaskKind.LIMITATION, "rescue"].role == "senior"


def test_a_body_that_closes_is_watched_90_30_and_7_days_before() -> None:
    life = with_closing_body(365).on_ladder(first_written_complaint=date(2026, 2, 27))
    assert keys(life, TimerKind.BODY_LIMIT) == [
        "fi.first:90", "fi.first:30", "fi.first:7", "fi.first:0",
    ]  # fmt: skip
    timer = life.case.timer(TimerKind.BODY_LIMIT, "fi.first:30")
    assert timer is not None
    assert timer.basis.due == date(2027, 2, 27)
    assert timer.due_at.date() == date(2027, 1, 28)
    life.fire(TimerKind.BODY_LIMIT, "fi.first:30")
    assert life.tasks[TaskKind.BODY_LIMIT, "fi.first:30"].role == "senior"
    said = next(h for h in life.last.history if h.code == "body_limit_near")
    assert dict(said.params)["next"] == "fi.second"


@pytest.mark.parametrize(
    ("start", "said", "since", "last"),
    [
        ("complaint", "first_written_complaint", date(2026, 1, 30), date(2027, 1, 30)),
        ("answer", "refusal", date(2026, 2, 20), date(2027, 2, 20)),
        ("opening", "body_opens", date(2026, 3, 30), date(2027, 3, 30)),
        ("bill", "bill_date", date(2026, 1, 5), date(2027, 1, 5)),
    ],
)
def test_a_body_is_watched_from_the_fact_its_time_runs_from(
    start: str, said: str, since: date, last: date
) -> None:
    body = replace(
        PLAYBOOK.bodies[0], opens_after=Period(2, "months"), closes_after=Period(1, "years"),
        closes_from=start,
    )  # fmt: skip
    life = Life(playbook=replace(PLAYBOOK, bodies=(body,)))
    life.on_ladder(
        first_written_complaint=date(2026, 1, 30), refused_on=date(2026, 2, 20),
        bill_on=date(2026, 1, 5),
    )  # fmt: skip
    timer = life.case.timer(TimerKind.BODY_LIMIT, "fi.first:30")
    assert timer is not None
    assert (timer.basis.start_event, timer.basis.start.date()) == (said, since)
    assert timer.basis.due == last


def test_the_us_bill_dispute_is_watched_from_the_bill() -> None:
    """120 days from the bill, whoever complained when: us.cms_no_surprises."""
    life = Life(playbook=book.get("house.us.health@1"))
    life.on_ladder(bill_on=date(2026, 2, 2))
    last = {t.basis.due for t in life.case.timers if t.kind is TimerKind.BODY_LIMIT}
    assert last == {date(2026, 6, 2)}


def test_a_last_day_from_a_bill_nobody_dated_is_a_persons_work() -> None:
    life = Life(playbook=book.get("house.us.health@1"))
    life.on_ladder(first_written_complaint=date(2026, 1, 30))
    task = life.tasks[TaskKind.BODY_LIMIT, "us.cms_no_surprises:unknown"]
    assert task.priority_reason == "body_term_unknown"
    assert life.said.count("body_term_unknown") == 1


def test_a_body_closed_before_the_case_came_is_a_persons_work_at_once_and_once() -> None:
    life = with_closing_body(30).on_ladder(first_written_complaint=date(2026, 1, 2))
    task = life.tasks[TaskKind.BODY_LIMIT, "fi.first:closed"]
    assert (task.priority_reason, task.role, task.due_at) == ("body_closed", "senior", life.now)
    assert keys(life, TimerKind.BODY_LIMIT) == []
    life.letter_arrives()
    assert life.said.count("body_closed") == 1


def test_a_body_that_closes_on_the_very_day_is_said_on_it() -> None:
    first = replace(PLAYBOOK.bodies[0], closes_after=Period(1, "years"), closes_from="bill")
    life = Life(playbook=replace(PLAYBOOK, bodies=(first, PLAYBOOK.bodies[1])))
    life.on_ladder(bill_on=START.date() - timedelta(days=365))
    assert life.tasks[TaskKind.BODY_LIMIT, "fi.first:closed"].priority_reason == (
        "body_closes_in_0_days"
    )


def test_without_a_first_complaint_no_body_is_watched() -> None:
    assert keys(with_closing_body(365).on_ladder(), TimerKind.BODY_LIMIT) == []


def test_a_body_that_closes_within_a_month_is_said_at_once_and_once() -> None:
    life = with_closing_body(20).on_ladder(first_written_complaint=date(2026, 2, 27))
    assert life.tasks[TaskKind.BODY_LIMIT, "fi.first:30"].role == "senior"
    before = life.said.count("body_limit_near")
    life.letter_arrives()
    assert life.said.count("body_limit_near") == before == 1


def test_a_filed_complaint_has_met_the_last_day_of_its_body() -> None:
    life = with_closing_body(365).on_ladder(first_written_complaint=date(2026, 2, 27))
    assert keys(life, TimerKind.BODY_LIMIT) != []
    life.tell(e.NextStepChosen(Stage.COMPLAINT, "they_are_silent", "anna"))
    assert keys(life, TimerKind.BODY_LIMIT) != []
    life.letter_arrives()
    assert keys(life, TimerKind.BODY_LIMIT) == []
    life.tell(e.BodyDismissed("no_ground", "anna"))
    assert keys(life, TimerKind.BODY_LIMIT) == []


def test_a_closed_case_watches_nothing() -> None:
    life = with_closing_body(365).on_ladder(first_written_complaint=date(2026, 2, 27))
    life.now += timedelta(hours=1)
    life.tell(e.CaseWithdrawn("consumer"))
    assert life.case.timers == ()


def test_a_bill_dated_while_the_case_runs_starts_its_bodys_last_day() -> None:
    first = replace(PLAYBOOK.bodies[0], closes_after=Period(120, "days"), closes_from="bill")
    life = Life(playbook=replace(PLAYBOOK, bodies=(first, PLAYBOOK.bodies[1]))).contacted()
    assert keys(life, TimerKind.BODY_LIMIT) == []
    today = life.now.date()
    life.tell(e.FactsLearned("bill_on", "anna", bill_on=today))
    assert life.case.bill_on == today
    watched = [t for t in life.case.timers if t.kind is TimerKind.BODY_LIMIT]
    assert {t.basis.due for t in watched} == {today + timedelta(days=120)}


def test_a_complaint_waits_for_the_first_day_that_follows_from_the_facts_known_now() -> None:
    later = replace(PLAYBOOK.bodies[0], opens_after=Period(56, "days"))
    life = Life(playbook=replace(PLAYBOOK, bodies=(later, PLAYBOOK.bodies[1])))
    life.on_ladder(Stage.COMPLAINT, first_written_complaint=START.date())
    assert life.case.waiting_on is WaitingOn.DATE
    earlier = START.date() - timedelta(days=7)
    was = life.case.due_at
    life.tell(e.FactsLearned("first_written_complaint", "anna", first_written_complaint=earlier))
    assert life.case.due_at is not None and was is not None and life.case.due_at < was


def test_what_was_learnt_makes_no_claim_too_old_by_itself() -> None:
    life = Life().on_ladder()
    past = life.now.date() - timedelta(days=1)
    why = LimitSource("flight_date", past, "lim.test", "3 years")
    with pytest.raises(TransitionRefused):
        life.tell(e.FactsLearned("x", "anna", limitation_on=past, limitation=why))
