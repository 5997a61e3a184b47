"""How a law makes its interest rate, and the first day that bears interest."""

from __future__ import annotations

from calendar import isleap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Final, Literal

from app.domain.counting import Calendar, Period, next_working_day, plus
from app.domain.interest.rates import Missing, Rate, Series

ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DayCount:
    """How many days a year is divided by, and a leap year."""

    id: str
    year: int
    leap_year: int

    @property
    def looks_at_years(self) -> bool:
        return self.year != self.leap_year

    def days_in(self, day: date) -> int:
        return self.leap_year if isleap(day.year) else self.year


@dataclass(frozen=True, slots=True)
class Tier:
    """`add` points from the `from_day`-th day of interest on (1 = the first)."""

    from_day: int
    add: Fraction


@dataclass(frozen=True, slots=True)
class Increase:
    """`add` more points once `period` after the event has passed."""

    add: Fraction
    event: str
    period: Period


@dataclass(frozen=True, slots=True)
class StartLine:
    """The day `period` after an event; `after`: interest begins on the day that follows it."""

    event: str
    period: Period | None
    after: bool

    def first_day(self, happened: date, calendar: Calendar) -> date:
        """No end of such a period moves off a closed day: interest begins, nobody acts."""
        day = happened
        if self.period and self.period.unit == "working_days":
            for _ in range(self.period.value):
                day = next_working_day(calendar, day + ONE_DAY)
        elif self.period:
            day = plus(happened, self.period)
        return day + ONE_DAY if self.after else day


@dataclass(frozen=True, slots=True)
class Piece:
    """Days of one rate: percent a year, with the days its year has. `confirmed` as in Rate."""

    first: date
    last: date
    rate: Fraction
    year_days: int
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Formula:
    """One record of interest.yaml. `tiers` None: the law's rate is not known."""

    id: str
    version: int
    jurisdiction: str
    law: str
    source: str
    series: Series | None
    tiers: tuple[Tier, ...] | None
    day_count: DayCount
    other_day_counts: tuple[DayCount, ...] = ()
    claim: Literal["claimed", "will_be_claimed"] = "claimed"
    increase: Increase | None = None
    starts: Mapping[str, tuple[StartLine, ...]] = field(default_factory=dict)
    in_letters: tuple[str, ...] = ()
    cited: Mapping[str, str] = field(default_factory=dict)
    confirmed: bool = True  # the law itself was read in a source
    unverified: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """`id@version`, as letters remember it."""
        return f"{self.id}@{self.version}"

    @property
    def gives_sums(self) -> bool:
        """Whether a letter may name a sum by it: somebody has read its rate in a source."""
        return self.confirmed and "tiers" not in self.unverified

    def cite(self, language: str) -> str:
        return self.cited.get(language, self.law)

    def first_day(self, how: str, events: Mapping[str, date], calendar: Calendar) -> date | None:
        """The first day that bears interest: the latest of the lines of start `how`.

        None as long as one of its events has not happened or is not known."""
        lines = self.starts[how]
        if any(line.event not in events for line in lines):
            return None
        return max(line.first_day(events[line.event], calendar) for line in lines)

    def pieces(
        self, start: date, first: date, last: date, events: Mapping[str, date]
    ) -> Iterator[Piece | Missing]:
        """The days from `first` to `last` of a debt that bears interest since `start`."""
        if self.tiers is None:
            yield Missing(self.id, first, last)
            return
        raised = self._raised_from(events)
        cuts = self._cuts(start, first, last, raised)
        for one, after in pairwise(cuts):
            yield from self._of_series(start, one, after - ONE_DAY, raised)

    def _of_series(
        self, start: date, first: date, last: date, raised: date | None
    ) -> Iterator[Piece | Missing]:
        """Days of one tier, cut where the series changes."""
        more = self._points(start, first, raised)
        zero = Rate(first, last, Fraction(0))
        for found in self.series.stretches(first, last) if self.series else (zero,):
            if found.value is None:
                assert self.series is not None, "a fixed rate is always known"
                yield from self.series.named(found.first, found.last)
                continue
            year_days = self.day_count.days_in(found.first)
            yield Piece(found.first, found.last, found.value + more, year_days, found.confirmed)

    def _points(self, start: date, day: date, raised: date | None) -> Fraction:
        nth = (day - start).days + 1
        assert self.tiers is not None, f"{self.id} has no rate"
        points = next(t.add for t in reversed(self.tiers) if t.from_day <= nth)
        if raised is not None and self.increase is not None and day >= raised:
            points += self.increase.add
        return points

    def _raised_from(self, events: Mapping[str, date]) -> date | None:
        """The first day of the increase: the one after its period has run out."""
        happened = events.get(self.increase.event) if self.increase else None
        if self.increase is None or happened is None:
            return None
        return plus(happened, self.increase.period) + ONE_DAY

    def _cuts(self, start: date, first: date, last: date, raised: date | None) -> list[date]:
        """First days of pieces that lie in one tier (and year, where it matters), then the end."""
        days = {start + ONE_DAY * (tier.from_day - 1) for tier in self.tiers or ()}
        if raised is not None:
            days.add(raised)
        if self.day_count.looks_at_years:
            days |= {date(year, 1, 1) for year in range(first.year, last.year + 1)}
        end = last + ONE_DAY
        return sorted({first, end} | {day for day in days if first < day < end})
