"""Entering a step only when it is open: windows of the ladder, the chain of bodies, what a person
decides before a body is asked."""

from __future__ import annotations

from datetime import date
from typing import Final

from app.domain import position
from app.domain.bodies import closes_on, closing_known, facts_of, opens_on, out_of_range
from app.domain.case import Basis, Stage, WaitingOn
from app.domain.playbook import Body
from app.domain.recipients import current_body
from app.domain.turn import Turn
from app.domain.waits import window_days

OPEN: Final = ""  # no reason against the step


def window_holds(t: Turn) -> str:
    """OPEN, `wait` (the first day is armed), or the reason for which a person decides."""
    playbook = t.rules.playbook
    window = playbook.step_for(t.case.stage).window
    if window is None:
        return OPEN
    # The letter of the step before is gone from the case already.
    case = t.case.with_(letter=t.before.letter)
    days = window_days(window, case, playbook, t.place)
    by_person = t.case.prepared_by is not None
    if days is None:
        return OPEN if by_person else "step_window_unknown"
    opens, closes = days
    if closes is not None and t.place.local_day(t.now) > closes and not by_person:
        return "step_window_closed"
    if opens is None or not wait_until(t, opens, window.since, window.rule, str(window.opens)):
        return OPEN
    t.say("step_not_open_yet", opens=opens, rule=window.rule)
    return "wait"


def wait_until(t: Turn, opens: date, fact: str, rule: str, period: str) -> bool:
    """Wait for a first day, at 09:00 of its working day; False: it has come."""
    at = t.place.morning(t.place.next_working_day(opens))
    if at <= t.now:
        return False
    start = t.place.morning(t.case.first_written_complaint or opens)
    name = f"{rule}@{t.rules.playbook.key}"
    whose = "theirs" if t.case.stage is Stage.COMPLAINT else "law"
    t.wait(WaitingOn.DATE, at, Basis(fact, start, name, period, whose, (), opens))
    return True


def next_admissible(t: Turn) -> Body | None:
    """The first body from `body_index` on that takes this sum and has not closed; those passed
    over are said with their reason. None: no body is left."""
    while (body := current_body(t)) is not None:
        why = out_of_range(body, position.claimed(t.case), t.case.currency) or _closed(t, body)
        if not why:
            return body
        t.say("body_passed_over", body=body.id, why=why)
        t.change(body_index=t.case.body_index + 1)
    return None


def person_decides(t: Turn, body: Body) -> str:
    """Why a person has to decide before this body is asked; OPEN: the ladder goes on by itself."""
    playbook = t.rules.playbook
    line = dict(playbook.stop_below_minor).get(t.case.currency, 0)
    facts = facts_of(t.case)
    reasons = (
        ("body_not_named", playbook.bodies_by_case),
        ("body_is_a_court", body.kind == "court"),
        ("body_costs_a_fee", body.fee is not None),
        ("below_stop_line", position.claimed(t.case) < line),
        ("body_unconfirmed", not playbook.confirmed(body.verified, body.id)),
        ("first_complaint_unknown", facts.first_complaint is None),
        ("body_term_unknown", not closing_known(body, facts)),
    )
    return next((code for code, holds in reasons if holds), OPEN)


def not_open_yet(t: Turn, body: Body) -> bool:
    """The body's first day is still to come: the ladder waits for it."""
    opens = opens_on(body, facts_of(t.case), t.rules.calendar)
    if opens is None:
        return False
    period = str(body.opens_after or "with the refusal")
    rule = f"body.{body.id}.opens"
    if not wait_until(t, opens, "first_written_complaint", rule, period):
        return False
    t.say("body_not_open_yet", body=body.id, opens=opens)
    return True


def _closed(t: Turn, body: Body) -> str | None:
    closes = closes_on(body, facts_of(t.case), t.rules.calendar)
    return "closed" if closes is not None and t.place.local_day(t.now) > closes else None
