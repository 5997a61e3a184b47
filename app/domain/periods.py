"""Legal periods and working days -> the day that counts, with its explanation (promise 4).

Pure. Two dates are told apart everywhere: `due` is the law's last day (it ends at 24:00 in the
zone of its statute), the acting instant is ours: 09:00 there on the next working day. How
a law counts stands in `app.domain.counting`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.domain import counting
from app.domain.case import Basis
from app.domain.counting import Calendar, Period, Regime, Skipped

ACT_AT: Final = time(9, 0)  # office opening: a letter dated after the last day, read the same day
ONE_DAY: Final = timedelta(days=1)


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
        return self.morning(self.next_working_day(due + ONE_DAY))

    def next_working_day(self, day: date) -> date:
        """`day` itself when it is one."""
        return counting.next_working_day(self.calendar, day)

    def working_days_later(self, at: datetime, days: int) -> datetime:
        """The same wall time `days` working days later: our own dates, which no law counts."""
        local = at.astimezone(self.zone)
        day = local.date()
        for _ in range(days):
            day = self.next_working_day(day + ONE_DAY)
        return self._utc(datetime.combine(day, local.time(), self.zone))

    def last_day(
        self, start: date, period: Period, purpose: str | None = None
    ) -> tuple[date, Skipped]:
        """The last day of `period`; the day of the event itself is not counted."""
        counted = counting.count(start, (period,), self.regime, self.calendar, purpose=purpose)
        return counted.due, counted.skipped

    def deadline(
        self, start: datetime, period: Period, *, start_event: str, rule: str, whose: str
    ) -> Deadline:
        due, skipped = self.last_day(self.local_day(start), period)
        text = f"{period.value} {period.unit}"  # as stored with every timer
        basis = Basis(start_event, start, rule, text, whose, skipped, due)
        return Deadline(due, self.acting_instant(due), basis)

    @staticmethod
    def _utc(local: datetime) -> datetime:
        return local.astimezone(ZoneInfo("UTC"))


def place(zone: str, calendar: Calendar, regime: Regime) -> Place:
    return Place(ZoneInfo(zone), calendar, regime)
