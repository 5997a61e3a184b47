"""When a step and a body are open, what passes a body over, and what a person decides first."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from app.domain import events as e
from app.domain.bodies import (
    Facts,
    closes_on,
    closing_known,
    deciding_body,
    opens_on,
    out_of_range,
)
from app.domain.case import Stage, TimerKind, WaitingOn
from app.domain.counting import Period
from app.domain.decision import TaskKind
from app.domain.errors import TransitionRefused
from app.domain.playbook import Body, BodyFee, PaymentPeriod, Playbook, Window
from tests.domain.life import PLAYBOOK, START, Life, Weekdays

TODAY = START.date()  # Monday 2 March 2026
LONG_AGO = date(2025, 9, 1)
FIRST, SECOND = PLAYBOOK.bodies


def with_bodies(*bodies: Body, **more: object) -> Playbook:
    return replace(PLAYBOOK, bodies=bodies, **more)  # type: ignore[arg-type]  # as in Playbook


def by_the_rule(playbook: Playbook, **more: object) -> Life:
    """The formal notice has run out in silence: the ladder itself comes to the complaint."""
    life = Life(playbook=playbook)
    life.on_ladder(Stage.FORMAL_NOTICE, first_written_complaint=LONG_AGO, **more)
    life.letter_arrives().silence()
    return life


def reason(life: Life) -> str:
    return next(
        t.priority_reason
        for (kind, _), t in life.tasks.items()
        if kind is TaskKind.CHOOSE_NEXT_STEP
    )


# --- dates of a body ------------------------------------------------------------------------


def opens(body: Body, **facts: date | None) -> date | None:
    given = {"first_complaint": date(2026, 1, 31), **facts}
    return opens_on(body, Facts(**given), Weekdays())


def test_a_body_opens_its_wait_after_the_first_complaint() -> None:
    assert opens(replace(FIRST, opens_after=Period(1, "months"))) == date(2026, 2, 28)
    assert opens(replace(FIRST, opens_after=Period(10, "working_days"))) == date(2026, 2, 13)


def test_without_a_wait_a_refusal_opens_it_or_the_end_of_the_companys_time() -> None:
    assert opens(FIRST, refused_on=date(2026, 2, 3)) == date(2026, 2, 3)
    assert opens(FIRST, refused_on=date(2026, 1, 2)) == date(2026, 1, 31), "not before we wrote"
    assert opens(FIRST) is None


def test_without_a_known_complaint_nobody_knows_when_it_opens() -> None:
    assert opens(FIRST, first_complaint=None) is None


def test_a_refusal_opens_the_bodies_that_say_so_and_no_other() -> None:
    waits = replace(FIRST, opens_after=Period(8, "weeks"))
    refused = date(2026, 2, 3)
    assert opens(replace(waits, opens_on_refusal=True), refused_on=refused) == refused
    assert opens(waits, refused_on=refused) == date(2026, 3, 28)


def test_a_complaint_from_before_a_change_waits_as_long_as_then() -> None:
    body = replace(
        FIRST,
        opens_after=Period(6, "weeks"),
        earlier_wait=(date(2026, 4, 8), Period(8, "weeks")),
    )
    assert opens(body, first_complaint=date(2026, 4, 7)) == date(2026, 6, 2)
    assert opens(body, first_complaint=date(2026, 4, 8)) == date(2026, 5, 20)


@pytest.mark.parametrize(
    ("start", "last"),
    [
        ("complaint", date(2027, 1, 31)),
        ("answer", date(2027, 2, 3)),
        ("opening", date(2027, 3, 31)),
        ("bill", date(2027, 1, 5)),
    ],
)
def test_the_last_day_runs_from_what_the_record_says(start: str, last: date) -> None:
    body = replace(
        FIRST,
        opens_after=Period(2, "months"),
        closes_after=Period(1, "years"),
        closes_from=start,
    )
    facts = Facts(date(2026, 1, 31), date(2026, 2, 3), date(2026, 1, 5))
    assert closes_on(body, facts, Weekdays()) == last


def test_a_term_from_a_bill_nobody_has_is_not_known() -> None:
    body = replace(FIRST, closes_after=Period(120, "days"), closes_from="bill")
    assert not closing_known(body, Facts(date(2026, 1, 31)))
    assert closes_on(body, Facts(date(2026, 1, 31)), Weekdays()) is None


def test_limits_hold_in_their_own_currency_only() -> None:
    body = replace(FIRST, min_amount_minor=50_000, max_amount_minor=90_000, amount_currency="SEK")
    assert out_of_range(body, 49_999, "SEK") == "below_minimum"
    assert out_of_range(body, 90_001, "SEK") == "above_maximum"
    assert out_of_range(body, 50_000, "SEK") is None
    assert out_of_range(body, 100, "EUR") is None


# --- the chain ------------------------------------------------------------------------------


def test_a_body_whose_last_day_has_passed_is_passed_over_with_its_reason() -> None:
    closed = replace(FIRST, closes_after=Period(1, "months"))
    life = by_the_rule(with_bodies(closed, SECOND))
    assert life.case.body_index == 1
    passed = next(h for h in life.last.history if h.code == "body_passed_over")
    assert dict(passed.params)["why"] == "closed"


def test_a_sum_too_big_for_a_body_goes_to_the_next() -> None:
    small = replace(FIRST, max_amount_minor=9_999, amount_currency="EUR")
    assert by_the_rule(with_bodies(small, SECOND)).case.body_index == 1


def test_a_refusal_of_the_company_opens_the_body_the_same_day() -> None:
    body = replace(FIRST, opens_after=Period(12, "months"), opens_on_refusal=True)
    life = Life(playbook=with_bodies(body))
    life.on_ladder(Stage.FORMAL_NOTICE, first_written_complaint=LONG_AGO).letter_arrives()
    life.tell(e.CompanyDenied(None, "anna", "no_ground"))
    assert life.case.refused_on == TODAY
    life.tell(e.NextStepChosen(Stage.COMPLAINT, "refused", "anna"))
    assert life.letter().recipient == "body"


def test_a_refusal_on_file_comes_with_the_acceptance() -> None:
    body = replace(FIRST, opens_after=Period(12, "months"), opens_on_refusal=True)
    life = Life(playbook=with_bodies(body))
    life.on_ladder(Stage.COMPLAINT, first_written_complaint=LONG_AGO, refused_on=date(2025, 10, 1))
    assert life.letter().recipient == "body"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (replace(FIRST, fee=BodyFee(2_500, "GBP")), "body_costs_a_fee"),
        (replace(FIRST, kind="court"), "body_is_a_court"),
        (replace(FIRST, verified=False), "body_unconfirmed"),
        (replace(FIRST, closes_after=Period(120, "days"), closes_from="bill"), "body_term_unknown"),
    ],
)
def test_a_person_decides_before_such_a_body_is_asked(body: Body, why: str) -> None:
    life = by_the_rule(with_bodies(body))
    assert (life.stage(), life.waits(), life.case.letter) == (
        Stage.COMPLAINT, WaitingOn.HANDLER, None,
    )  # fmt: skip
    assert reason(life) == why
    life.tell(e.NextStepChosen(Stage.COMPLAINT, "it pays", "anna"))
    assert life.letter().recipient == "body"


def test_an_approved_playbook_asks_nobody_about_its_unverified_body() -> None:
    body = replace(FIRST, verified=False)
    life = by_the_rule(with_bodies(body, reviewed_by="A. Lawyer", unverified=(body.id,)))
    assert life.letter().recipient == "body"
    other = by_the_rule(with_bodies(body, reviewed_by="A. Lawyer"))  # it did not hold this body
    assert reason(other) == "body_unconfirmed"


def test_below_the_stop_line_a_person_decides_whether_a_complaint_pays() -> None:
    playbook = with_bodies(FIRST, stop_below_minor=(("EUR", 10_001),))
    assert reason(by_the_rule(playbook)) == "below_stop_line"
    assert by_the_rule(with_bodies(FIRST, stop_below_minor=(("EUR", 10_000),))).case.letter


def test_where_the_answers_decide_the_body_and_nobody_named_it_a_person_is_asked() -> None:
    assert reason(by_the_rule(with_bodies(FIRST, bodies_by_case=True))) == "body_not_named"


def test_acceptance_pins_the_bodies_of_the_case() -> None:
    life = Life().submit().accept(bodies=("fi.second", "fi.first"))
    assert life.case.bodies == ("fi.second", "fi.first")


def test_a_draft_of_a_playbook_cannot_be_pinned() -> None:
    with pytest.raises(TransitionRefused, match="draft"):
        Life(playbook=replace(PLAYBOOK, draft=True)).submit().accept()


def test_a_company_is_told_of_the_body_that_decides_not_of_the_advice_before_it() -> None:
    advice = replace(FIRST, kind="step")
    case = Life().case
    assert deciding_body(case, with_bodies(advice, SECOND)) == SECOND
    assert deciding_body(case, with_bodies(advice)) == advice
    assert deciding_body(case, with_bodies()) is None


# --- waits and windows of the ladder --------------------------------------------------------


def deadline(life: Life) -> tuple[str, date | None, str]:
    timer = life.case.timer(TimerKind.DEADLINE)
    assert timer is not None
    return timer.basis.rule.partition("@")[0], timer.basis.due, timer.basis.whose


def paying(wait: Period, **more: object) -> Playbook:
    law = replace(PaymentPeriod("online_purchase", wait, "law.pays"), **more)  # type: ignore[arg-type]  # as in PaymentPeriod
    return replace(PLAYBOOK, payment_periods=(law,))


def test_the_first_demand_gives_the_statutory_period_to_pay() -> None:
    life = Life(playbook=paying(Period(20, "days"))).contacted()
    assert deadline(life) == ("law.pays", TODAY + timedelta(days=21), "law")  # 22 March: a Sunday


def test_a_period_shorter_than_the_houses_floor_is_given_the_floor() -> None:
    life = Life(playbook=paying(Period(1, "working_days"))).contacted()
    assert deadline(life) == ("house.contact_floor", TODAY + timedelta(days=7), "ours")


def test_without_a_statutory_period_the_houses_wait_holds() -> None:
    assert deadline(Life().contacted())[0] == "house.contact_wait"


def test_an_unverified_period_holds_once_somebody_approved_it() -> None:
    doubted = paying(Period(20, "days"), verified=False)
    assert deadline(Life(playbook=doubted).contacted())[0] == "house.contact_wait"
    held = "law.pays.debtor_pays_within"
    approved = replace(doubted, reviewed_by="A. Lawyer", unverified=(held,))
    assert deadline(Life(playbook=approved).contacted())[0] == "law.pays"


def test_a_period_for_some_lines_holds_where_only_those_are_claimed() -> None:
    fees = paying(Period(20, "days"), for_items=("fee",))
    assert deadline(Life(playbook=fees).contacted())[0] == "house.contact_wait"
    price = paying(Period(20, "days"), for_items=("price", "fee"))
    assert deadline(Life(playbook=price).contacted())[0] == "law.pays"


def windowed(window: Window) -> Playbook:
    ladder = tuple(
        replace(s, window=window) if s.stage is Stage.FORMAL_NOTICE else s for s in PLAYBOOK.ladder
    )
    return replace(PLAYBOOK, ladder=ladder)


def test_a_step_waits_for_the_first_day_of_its_window() -> None:
    window = Window("payment_due", "law.after_due", opens=Period(1, "days"))
    life = Life(playbook=windowed(window))
    life.on_ladder(Stage.FORMAL_NOTICE, first_written_complaint=TODAY - timedelta(days=4))
    assert (life.waits(), life.case.letter) == (WaitingOn.DATE, None)
    life.silence()  # 14 days from 26 February, and one more
    assert life.now.date() == date(2026, 3, 13)
    assert life.letter().recipient == "company"


def test_a_step_whose_window_has_closed_is_a_persons_choice() -> None:
    window = Window("first_written_complaint", "law.in_time", closes=Period(2, "months"))
    life = Life(playbook=windowed(window))
    life.on_ladder(Stage.REMINDER, first_written_complaint=LONG_AGO).letter_arrives().silence()
    assert (life.stage(), life.case.letter) == (Stage.FORMAL_NOTICE, None)
    assert reason(life) == "step_window_closed"


def test_a_window_from_a_fact_nobody_knows_is_a_persons_choice() -> None:
    window = Window("refusal", "law.after_refusal", opens=Period(1, "days"))
    life = Life(playbook=windowed(window))
    life.on_ladder(Stage.REMINDER).letter_arrives().silence()
    assert reason(life) == "step_window_unknown"
