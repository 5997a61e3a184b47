"""When a body may be asked: from which day on, until which day, and for which sums. Pure.

The one place that counts these days: for the check of an intake and for the ladder of a case.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from app.domain.case import Case
from app.domain.counting import ONE_DAY, Calendar, Period, next_working_day, plus
from app.domain.playbook import Body, BodyTerms, Playbook


@dataclass(frozen=True, slots=True)
class Facts:
    """What a body's dates run from; None: it did not happen, or is not known."""

    first_complaint: date | None
    refused_on: date | None = None
    bill_on: date | None = None


def facts_of(case: Case) -> Facts:
    """What a case knows of them."""
    return Facts(case.first_written_complaint, case.refused_on, case.bill_on)


def opens_on(terms: BodyTerms, facts: Facts, calendar: Calendar) -> date | None:
    """The first day of the body: its wait after the first written complaint, or a refusal where
    that opens it. None: no complaint is known; or it has no wait and nobody refused, then it is
    open once the company's time to answer has passed."""
    first, refused = facts.first_complaint, facts.refused_on
    if first is None:
        return None
    opens = _after(first, wait, calendar) if (wait := _wait(terms, first)) else None
    if refused is None or (opens is not None and not terms.opens_on_refusal):
        return opens
    at_once = max(refused, first)
    return at_once if opens is None else min(opens, at_once)


def closes_on(terms: BodyTerms, facts: Facts, calendar: Calendar) -> date | None:
    """The last day of the body; None: it has none, or its start is not known (`closing_known`)."""
    start = closing_start(terms, facts, calendar)
    if terms.closes_after is None or start is None:
        return None
    return _after(start, terms.closes_after, calendar)


def closing_start(terms: BodyTerms, facts: Facts, calendar: Calendar) -> date | None:
    """The day its last day is counted from, by `closes_from`; None: not known."""
    match terms.closes_from:
        case "answer":
            return facts.refused_on
        case "opening":
            return opens_on(terms, facts, calendar)
        case "bill":
            return facts.bill_on
        case _:
            return facts.first_complaint


def closing_known(terms: BodyTerms, facts: Facts) -> bool:
    """False: the body has a last day, but nobody knows from when it runs. A term that runs from a
    refusal does not run before there is one."""
    if terms.closes_after is None or terms.closes_from == "answer":
        return True
    return (facts.bill_on if terms.closes_from == "bill" else facts.first_complaint) is not None


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


def _wait(terms: BodyTerms, first: date) -> Period | None:
    if terms.earlier_wait is not None and first < terms.earlier_wait[0]:
        return terms.earlier_wait[1]
    return terms.opens_after


def _after(start: date, period: Period, calendar: Calendar) -> date:
    """Demands and waits of bodies do not move off closed days; working days count over them."""
    if not period.unit.endswith("working_days"):
        return plus(start, period)
    day = start
    for _ in range(period.value):
        day = next_working_day(calendar, day + ONE_DAY)
    return day
