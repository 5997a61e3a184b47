"""How long the company is given at a step, and from when until when a step may be taken. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from app.domain.case import Case, Stage
from app.domain.counting import ONE_DAY, Period, plus
from app.domain.periods import Place
from app.domain.playbook import Playbook, Window

# Shortest waits the house allows (design, "The ladder"): nobody answers a letter in a day.
WAIT_DAYS_MIN: Final = {
    Stage.CONTACT: 7,
    Stage.REMINDER: 7,
    Stage.FORMAL_NOTICE: 8,
    Stage.COMPLAINT: 14,
}
FLOOR_RULE: Final = "house.contact_floor"
_DAYS_PER: Final = {
    "days": 1, "working_days": 1, "clear_working_days": 1, "weeks": 7, "months": 28, "years": 365,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wait:
    period: Period
    rule: str
    whose: str  # law | ours


def days_of(period: Period) -> int:
    """Roughly, for comparing lengths: a working day counts as a day, a month as four weeks."""
    return period.value * _DAYS_PER[period.unit]


def company_wait(case: Case, playbook: Playbook) -> Wait:
    """What a letter of the case's stage gives the company: at the contact the statutory period to
    pay, where there is one that may be used; never less than the house's floor."""
    step = playbook.step_for(case.stage)
    if case.short_wait_days is not None:
        return Wait(Period(case.short_wait_days, "days"), "house.short_wait", step.whose)
    if case.stage is Stage.CONTACT:
        law = statutory_wait(case, playbook)
        if law is not None:
            floor = WAIT_DAYS_MIN[Stage.CONTACT]
            short = days_of(law.period) < floor
            return Wait(Period(floor, "days"), FLOOR_RULE, "ours") if short else law
    return Wait(step.wait, step.rule, step.whose)


def statutory_wait(case: Case, playbook: Playbook) -> Wait | None:
    """The law's period to pay for what is claimed; None: it gives none, or none we may use."""
    items = {item.kind for item in case.items if item.counted}
    found = playbook.payment_period(case.claim_kind, items)
    if found is None or not playbook.confirmed(found.verified, found.rule):
        return None
    return Wait(found.wait, found.rule, "law")


def payment_due_on(case: Case, playbook: Playbook, place: Place) -> date | None:
    """The last day of the company's time to pay, from the first written complaint on."""
    if case.first_written_complaint is None:
        return None
    wait = statutory_wait(case, playbook)
    period = wait.period if wait else playbook.step_for(Stage.CONTACT).wait
    return place.last_day(case.first_written_complaint, period)[0]


def window_days(
    window: Window, case: Case, playbook: Playbook, place: Place
) -> tuple[date | None, date | None] | None:
    """(first day, last day) of a window, None where it is open on that side. None as a whole: the
    fact it runs from is not known."""
    start = _fact(window.since, case, playbook, place)
    if start is None:
        return None
    return (
        _after(start, window.opens, place) if window.opens else None,
        _after(start, window.closes, place) if window.closes else None,
    )


def _fact(name: str, case: Case, playbook: Playbook, place: Place) -> date | None:
    match name:
        case "first_written_complaint":
            return case.first_written_complaint
        case "first_contact":
            return place.local_day(case.first_contact_at) if case.first_contact_at else None
        case "refusal":
            return case.refused_on
        case "delivered":
            at = case.letter.delivered_at if case.letter else None
            return place.local_day(at) if at else None
        case _:
            assert name == "payment_due", f"unknown fact of a window: {name}"
            return payment_due_on(case, playbook, place)


def _after(start: date, period: Period, place: Place) -> date:
    if not period.unit.endswith("working_days"):
        return plus(start, period)
    day = start
    for _ in range(period.value):
        day = place.next_working_day(day + ONE_DAY)
    return day
