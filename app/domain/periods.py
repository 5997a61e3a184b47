"""Legal periods and working days -> the day that counts, with its explanation (promise 4).

Pure calendar arithmetic. Two dates are told apart everywhere: `due` is the law's last day (it ends
at 24:00 in the zone of its statute), the acting instant is ours: 09:00 there on the next working
day. Sources of the regimes: Regulation (EEC, Euratom) 1182/71 art. 3; FRCP 6(a); for England the
common law of clear days (private periods do not move); FI Act 150/1930 s.5; FR CPC art. 640-642;
DE BGB s.187-193; SE Act 1930:173 s.2.
"""

from __future__ import annotations

import calendar as months
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.domain.case import Basis
from app.domain.playbook import Calendar, Period

ACT_AT: Final = time(9, 0)  # office opening: a letter dated after the last day, read the same day
ONE_DAY: Final = timedelta(days=1)

# Longest run of closed days we believe; a calendar that closes more is broken, not on holiday.
CLOSED_RUN_MAX_DAYS: Final = 31

# Longest period a playbook may state, so that no typing mistake reaches the end of the calendar.
PERIOD_MAX: Final = {"days": 3_660, "working_days": 1_000, "weeks": 520, "months": 240}


@dataclass(frozen=True, slots=True)
class Regime:
    """How a law counts: does a last day on a closed day move, and is there a two-day minimum."""

    id: str
    rolls: bool
    two_working_days: bool = False


REGIMES: Final = {
    regime.id: regime
    for regime in (
        Regime("EU_1182_71", rolls=True, two_working_days=True),
        Regime("FI_150_1930", rolls=True),
        Regime("FR_CPC_640_642", rolls=True),
        Regime("DE_BGB_187_193", rolls=True),
        Regime("SE_1930_173", rolls=True),
        Regime("GB_EW", rolls=False),
        Regime("US", rolls=True),
    )
}

Skipped = tuple[tuple[date, str], ...]


@dataclass(frozen=True, slots=True)
class Deadline:
    """`due`: the law's last day. `act_at`: when we act. `basis`: why."""

    due: date
    act_at: datetime
    basis: Basis


@dataclass(frozen=True, slots=True)
class Place:
    """Where a period runs: the zone, the working days and the regime that counts them."""

    zone: ZoneInfo
    calendar: Calendar
    regime: Regime

    def local_day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def day_end(self, day: date) -> datetime:
        """24:00 of `day`, as an aware instant."""
        return self._utc(datetime.combine(day + ONE_DAY, time(0, 0), self.zone))

    def morning(self, day: date) -> datetime:
        """09:00 of `day`."""
        return self._utc(datetime.combine(day, ACT_AT, self.zone))

    def acting_instant(self, due: date) -> datetime:
        """09:00 of the first working day after the law's last day."""
        return self.morning(self.next_working_day(due + ONE_DAY)[0])

    def next_working_day(self, day: date) -> tuple[date, Skipped]:
        """`day` itself when it is one; the days passed over, with their reasons."""
        skipped: list[tuple[date, str]] = []
        while reason := self.calendar.closed_because(day):
            skipped.append((day, reason))
            day += ONE_DAY
            assert len(skipped) <= CLOSED_RUN_MAX_DAYS, "the calendar never opens again"
        return day, tuple(skipped)

    def working_days_later(self, at: datetime, days: int) -> datetime:
        """The same wall time `days` working days later: our own dates, which no law counts."""
        local = at.astimezone(self.zone)
        day, _ = self._count_working_days(local.date(), days)
        return self._utc(datetime.combine(day, local.time(), self.zone))

    def last_day(self, start: date, period: Period) -> tuple[date, Skipped]:
        """The last day of `period`; the day of the event itself is not counted."""
        assert 0 < period.value <= PERIOD_MAX[period.unit], f"impossible period: {period}"
        if period.unit == "working_days":
            return self._count_working_days(start, period.value)
        day = _plus(start, period)
        skipped: Skipped = ()
        if self.regime.rolls:
            day, skipped = self.next_working_day(day)
        if self.regime.two_working_days and (day - start).days >= 2:
            day, more = self._hold_two_working_days(start, day)
            skipped += more
        return day, skipped

    def deadline(
        self, start: datetime, period: Period, *, start_event: str, rule: str, whose: str
    ) -> Deadline:
        due, skipped = self.last_day(self.local_day(start), period)
        text = f"{period.value} {period.unit}"
        basis = Basis(start_event, start, rule, text, whose, skipped, due)
        return Deadline(due, self.acting_instant(due), basis)

    def _count_working_days(self, start: date, days: int) -> tuple[date, Skipped]:
        day, skipped = start, ()  # type: date, Skipped
        for _ in range(days):
            day, more = self.next_working_day(day + ONE_DAY)
            skipped += more
        return day, skipped

    def _hold_two_working_days(self, start: date, day: date) -> tuple[date, Skipped]:
        """Art. 3(5): a period of two days or more holds at least two working days."""
        # A period of 14 days or more holds two working days in every calendar we ship.
        if (day - start).days >= 14:
            return day, ()
        length = (day - start).days
        inside = (start + ONE_DAY * i for i in range(1, length + 1))
        working = sum(1 for d in inside if not self.calendar.closed_because(d))
        skipped: Skipped = ()
        while working < 2:
            day, more = self.next_working_day(day + ONE_DAY)
            skipped += more
            working += 1
        return day, skipped

    @staticmethod
    def _utc(local: datetime) -> datetime:
        return local.astimezone(ZoneInfo("UTC"))


def place(zone: str, calendar: Calendar, regime: str) -> Place:
    """Raises KeyError for a regime we do not know; the loader refuses those at start."""
    return Place(ZoneInfo(zone), calendar, REGIMES[regime])


def _plus(start: date, period: Period) -> date:
    if period.unit == "days":
        return start + timedelta(days=period.value)
    if period.unit == "weeks":
        return start + timedelta(weeks=period.value)
    assert period.unit == "months", f"unknown unit: {period.unit}"
    index = start.year * 12 + start.month - 1 + period.value
    year, month = index // 12, index % 12 + 1
    # 31 January + 1 month: the last day of February (art. 3(2)(c)), then rolled like any other.
    return date(year, month, min(start.day, months.monthrange(year, month)[1]))
