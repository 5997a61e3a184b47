"""Open deadlines counted again after holidays or a rule changed, and moved only when approved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest

from app.domain import events as e
from app.domain.counting import Period
from app.domain.errors import StaleEvent
from app.domain.periods import place
from app.domain.recount import Recounted, by_playbook, by_todays_calendar
from tests.domain.life import Life, Weekdays


@dataclass
class OneMoreHoliday(Weekdays):
    day: date

    def closed_because(self, day: date) -> str:
        return "a new holiday" if day == self.day else super().closed_because(day)


def due_day(life: Life) -> date:
    basis = life.case.due_basis
    assert basis is not None and basis.due is not None
    return basis.due


def with_holiday(life: Life, day: date) -> Life:
    life.calendar = OneMoreHoliday(day)
    return life


def counted(life: Life) -> Recounted:
    there = place(life.playbook.zone, life.calendar, life.playbook.regime)
    return by_todays_calendar(life.case, there, life.now)


def test_nothing_moves_while_nothing_changed() -> None:
    assert not counted(Life().contacted()).moves


def test_a_new_holiday_on_the_last_day_moves_it_and_says_why() -> None:
    life = Life().contacted()
    found = counted(with_holiday(life, due_day(life)))
    assert found.moves and found.basis is not None and found.now is not None
    assert (due_day(life), "a new holiday") in found.basis.skipped
    assert found.was is not None and found.now > found.was


def test_the_approved_difference_is_applied_and_the_consumer_hears() -> None:
    life = Life().contacted()
    found = counted(with_holiday(life, due_day(life)))
    assert found.was is not None and found.now is not None
    life.tell(e.DateRecounted(found.was, found.now, "berit"))
    assert life.case.due_at == found.now
    assert "date_recounted" in life.said
    assert not counted(life).moves


def test_another_difference_than_the_approved_one_changes_nothing() -> None:
    life = Life().contacted()
    found = counted(with_holiday(life, due_day(life)))
    assert found.was is not None and found.now is not None
    with pytest.raises(StaleEvent):
        life.tell(e.DateRecounted(found.was, found.now + timedelta(days=1), "berit"))


def test_a_date_that_passed_by_the_new_count_is_acted_on_now() -> None:
    life = Life().contacted()
    life.now += timedelta(days=9)
    short = replace(life.playbook, ladder=tuple(
        replace(step, wait=Period(7, "days")) for step in life.playbook.ladder
    ))  # fmt: skip
    there = place(short.zone, life.calendar, short.regime)
    assert by_playbook(life.case, short, there, life.now).now == life.now


def test_a_longer_wait_of_a_new_playbook_gives_a_later_date() -> None:
    life = Life().contacted()
    longer = replace(life.playbook, version=9, ladder=tuple(
        replace(step, wait=Period(21, "days")) for step in life.playbook.ladder
    ))  # fmt: skip
    there = place(longer.zone, life.calendar, longer.regime)
    found = by_playbook(life.case, longer, there, life.now)
    assert found.basis is not None and found.basis.due == due_day(life) + timedelta(days=7)
    assert found.basis.rule.endswith("@test.fi@9")


def test_a_date_that_no_playbook_counted_stands() -> None:
    assert counted(Life().submit()).why_not == "a date of our own"


def test_a_date_that_stands_still_is_counted_when_it_runs_again() -> None:
    life = Life().contacted()
    life.offer()
    assert counted(life).why_not == "paused"


def test_a_date_that_a_person_extended_stands() -> None:
    life = Life().contacted()
    life.tell(e.DeadlineExtended(life.now + timedelta(days=30), "asked", "anna"))
    assert not counted(with_holiday(life, due_day(life))).moves
