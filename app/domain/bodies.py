"""When a body may be asked: from which day on, until which day, and for which sums. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from app.domain.case import Case
from app.domain.counting import ONE_DAY, Calendar, Period, next_working_day, plus
from app.domain.playbook import Body, Playbook


@dataclass(frozen=True, slots=True)
class Facts:
    """What a body's dates run from; None: it did not happen, or is not known."""

    first_complaint: date | None
    refused_on: date | None = None
    bill_on: date | None = None


def opens_on(body: Body, facts: Facts, calendar: Calendar) -> date | None:
    """The first day of the body: its wait after the first written complaint, or a refusal where
    that opens it. Without a wait it opens with the complaint. None: no complaint is known."""
    first = facts.first_complaint
    if first is None:
        return None
    wait = _wait(body, first)
    if wait is None:
        return first
    opens = _after(first, wait, calendar)
    if body.opens_on_refusal and facts.refused_on is not None:
        return min(opens, max(facts.refused_on, first))
    return opens


def closes_on(body: Body, facts: Facts, calendar: Calendar) -> date | None:
    """The last day of the body; None: it has none, or its start is not known (`closing_known`)."""
    start = _closing_start(body, facts, calendar)
    if body.closes_after is None or start is None:
        return None
    return _after(start, body.closes_after, calendar)


def closing_known(body: Body, facts: Facts) -> bool:
    """False: the body has a last day, but nobody knows from when it runs. A term that runs from a
    refusal does not run before there is one."""
    if body.closes_after is None or body.closes_from == "answer":
        return True
    return (facts.bill_on if body.closes_from == "bill" else facts.first_complaint) is not None


def out_of_range(body: Body, minor: int, currency: str) -> str | None:
    """`below_minimum` or `above_maximum`, where the body's limits are in the claim's currency."""
    if body.amount_currency not in (None, currency):
        return None
    if minor < body.min_amount_minor:
        return "below_minimum"
    if body.max_amount_minor is not None and minor > body.max_amount_minor:
        return "above_maximum"
    return None


def deciding_body(case: Case, playbook: Playbook) -> Body | None:
    """The body a company is told of: the first still to come that does more than advise."""
    left = playbook.bodies[case.body_index :]
    return next((b for b in left if b.kind != "step"), left[0] if left else None)


def _wait(body: Body, first: date) -> Period | None:
    if body.earlier_wait is not None and first < body.earlier_wait[0]:
        return body.earlier_wait[1]
    if body.opens_after is None and body.needs_complaint_days:
        return Period(body.needs_complaint_days, "days")
    return body.opens_after


def _closing_start(body: Body, facts: Facts, calendar: Calendar) -> date | None:
    match body.closes_from:
        case "answer":
            return facts.refused_on
        case "opening":
            return opens_on(body, facts, calendar)
        case "bill":
            return facts.bill_on
        case _:
            return facts.first_complaint


def _after(start: date, period: Period, calendar: Calendar) -> date:
    """Demands and waits of bodies do not move off closed days; working days count over them."""
    if not period.unit.endswith("working_days"):
        return plus(start, period)
    day = start
    for _ in range(period.value):
        day = next_working_day(calendar, day + ONE_DAY)
    return day
