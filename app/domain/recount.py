"""An open deadline counted again: by the holidays and rules as they are now, or by another
playbook. Only dates that a playbook's period gave are counted; what a person set, or somebody said,
stands. Pure; nothing moves without the event that a person approved.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.domain.case import Basis, Case, Stage, Timer, TimerKind, WaitingOn
from app.domain.counting import UNITS, Period
from app.domain.errors import StaleEvent
from app.domain.events import DateRecounted
from app.domain.periods import Place
from app.domain.playbook import Playbook
from app.domain.turn import Turn
from app.domain.waits import company_wait

_PERIOD: Final = re.compile(r"(\d{1,5}) (\w+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Recounted:
    """What the ladder waits for, and until when: `was` on file, `now` as counted here. `why_not`:
    the date is none that can be counted."""

    was: datetime | None
    now: datetime | None
    basis: Basis | None
    why_not: str = ""

    @property
    def moves(self) -> bool:
        return self.now is not None and self.now != self.was


def by_todays_calendar(case: Case, place: Place, at: datetime) -> Recounted:
    """The same period from the same fact, with the closed days known today."""
    found = _counted_date(case)
    if isinstance(found, str):
        return Recounted(None, None, None, found)
    timer, period = found
    basis = timer.basis
    if case.waiting_on is WaitingOn.DATE:
        assert basis.due is not None, "a first day that is waited for is named"
        opens = place.morning(place.next_working_day(basis.due))
        return Recounted(timer.due_at, max(opens, at), basis)
    return _again(timer, period, basis.rule, basis.whose, place, at)


def by_playbook(case: Case, playbook: Playbook, place: Place, at: datetime) -> Recounted:
    """The date as another playbook would have given it: its wait, counted its way."""
    found = _counted_date(case)
    if isinstance(found, str):
        return Recounted(None, None, None, found)
    timer, period = found
    if case.waiting_on is WaitingOn.DATE:
        return Recounted(timer.due_at, None, None, "the first day of a body")
    whose, rule = timer.basis.whose, timer.basis.rule.partition("@")[0]
    if case.stage is Stage.COMPLAINT:
        if case.body_index >= len(playbook.bodies):
            return Recounted(timer.due_at, None, None, "it has no such body")
        body = playbook.bodies[case.body_index]
        period, rule = body.wait, f"body.{body.id}"
    elif case.waiting_on is WaitingOn.COMPANY and case.stage is not Stage.SETTLEMENT:
        wait = company_wait(case, playbook)
        period, rule, whose = wait.period, wait.rule, wait.whose
    return _again(timer, period, f"{rule}@{playbook.key}", whose, place, at)


def applied(t: Turn, event: DateRecounted) -> None:
    """A person approved exactly this difference; a case that moved on since is left alone."""
    found = by_todays_calendar(t.case, t.place, t.now)
    if (found.was, found.now) != (event.was, event.due) or not found.moves:
        raise StaleEvent("the date is not the one that was approved")
    assert t.case.waiting_on is not None and found.now and found.basis, "a counted date stands"
    t.wait(t.case.waiting_on, found.now, found.basis)
    t.say("date_recounted", was=event.was, due=event.due, rule=found.basis.rule, by=event.by)
    t.notify("date_recounted", event.due.date().isoformat(), was=event.was, due=event.due)


def _counted_date(case: Case) -> tuple[Timer, Period] | str:
    """The deadline and its period, or why it is none that is counted."""
    timer = case.timer(TimerKind.DEADLINE)
    if timer is None:
        return "paused" if case.is_open else "closed"
    basis = timer.basis
    if "@" not in basis.rule:
        return "a date of our own"
    if basis.whose == "word":
        return "rests on somebody's word"
    found = _PERIOD.fullmatch(basis.period)
    if case.waiting_on is WaitingOn.DATE:
        return timer, Period(1, "days")
    if found is None or found[2] not in UNITS:
        return "a person or a pause moved it"
    return timer, Period(int(found[1]), found[2])


def _again(
    timer: Timer, period: Period, rule: str, whose: str, place: Place, at: datetime
) -> Recounted:
    old = timer.basis
    new = place.deadline(old.start, period, start_event=old.start_event, rule=rule, whose=whose)
    # What has passed by the new count is acted on now, not in the past.
    return Recounted(timer.due_at, max(new.act_at, at), new.basis)
