"""A published rate over time: percent a year, from day to day, with what is not known named."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Final, Literal

ONE_DAY: Final = timedelta(days=1)
Turn = tuple[int, int]  # month and day on which a rate may change


@dataclass(frozen=True, slots=True)
class Rate:
    """`value` percent a year on every day from `first` to `last`; None: nobody has found it.

    `confirmed`: read in a source, or approved by a named reviewer."""

    first: date
    last: date
    value: Fraction | None
    confirmed: bool = True


@dataclass(frozen=True, slots=True)
class Missing:
    """A rate somebody has to find: of which series (or formula), for which days."""

    series: str
    first: date
    last: date

    @property
    def key(self) -> str:
        """One per series and period, for the task that asks for it."""
        return f"{self.series}:{self.first.isoformat()}"

    def __str__(self) -> str:
        return f"{self.series} {self.first.isoformat()} to {self.last.isoformat()}"


@dataclass(frozen=True, slots=True)
class Follows:
    """How a publisher makes the rate of another one: `quotes` are that one's values by day.

    `up_to_step`: the last quote before the turn, rounded up to the next multiple of `step`.
    `by_difference`: the rate before the turn, moved as far as the quote moved since the last turn.
    """

    how: Literal["up_to_step", "by_difference"]
    quotes: Mapping[date, Fraction]
    step: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True)
class Series:
    """`rates` in order, without overlaps. `turns`: where a year is cut; () = on any day."""

    id: str
    rates: tuple[Rate, ...]
    turns: tuple[Turn, ...] = ()
    follows: Follows | None = None
    _firsts: tuple[date, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for one, after in pairwise(self.rates):
            assert one.last < after.first, f"{self.id}: {after.first} stands in two rates"
        object.__setattr__(self, "_firsts", tuple(rate.first for rate in self.rates))

    def on(self, day: date) -> Rate | None:
        """The record that holds on `day`, also one without a value; None where there is none."""
        at = bisect.bisect_right(self._firsts, day) - 1
        return self.rates[at] if at >= 0 and day <= self.rates[at].last else None

    def stretches(self, first: date, last: date) -> Iterator[Rate]:
        """The days from `first` to `last` in pieces of one rate; days without one get None."""
        day = first
        while day <= last:
            found = self.on(day)
            if found is None:
                at = bisect.bisect_right(self._firsts, day)
                until = self._firsts[at] - ONE_DAY if at < len(self._firsts) else last
                found = Rate(day, until, None, confirmed=False)
            end = min(found.last, last)
            yield Rate(day, end, found.value, found.confirmed)
            day = end + ONE_DAY

    def named(self, first: date, last: date) -> tuple[Missing, ...]:
        """The whole publishing periods that `first` to `last` touch: what to ask for."""
        if not self.turns:
            return (Missing(self.id, first, last),)
        found = []
        turn = self.turn_before(first)
        while turn <= last:
            after = self.turn_after(turn)
            found.append(Missing(self.id, turn, after - ONE_DAY))
            turn = after
        return tuple(found)

    def gaps(self, first: date, last: date) -> tuple[Missing, ...]:
        """What is not known between two days."""
        found: dict[Missing, None] = {}
        for piece in self.stretches(first, last):
            if piece.value is None:
                found |= dict.fromkeys(self.named(piece.first, piece.last))
        return tuple(found)

    def turn_before(self, day: date) -> date:
        """The last turn on or before `day`."""
        years = (day.year, day.year - 1)
        return max(t for y in years for m, d in self.turns if (t := date(y, m, d)) <= day)

    def turn_after(self, day: date) -> date:
        """The first turn after `day`."""
        years = (day.year, day.year + 1)
        return min(t for y in years for m, d in self.turns if (t := date(y, m, d)) > day)

    def follows_to(self, turn: date) -> Fraction | None:
        """What the publisher's own rule gives for the period that begins at `turn`: to check a
        published value, never to stand in for it. None where a quote it needs is not known."""
        if self.follows is None:
            return None
        now = self._quote_before(turn)
        if now is None:
            return None
        if self.follows.how == "up_to_step":
            return rounded_up(now, self.follows.step)
        before = self._quote_before(self.turn_before(turn - ONE_DAY))
        rate = self.on(turn - ONE_DAY)
        if before is None or rate is None or rate.value is None:
            return None
        return rate.value + now - before

    def _quote_before(self, turn: date) -> Fraction | None:
        """The last quote inside the period before `turn`; an older one may have moved since."""
        assert self.follows is not None, f"{self.id} follows nothing"
        since = self.turn_before(turn - ONE_DAY)
        days = [day for day in self.follows.quotes if since <= day < turn]
        return self.follows.quotes[max(days)] if days else None


def rounded_up(value: Fraction, step: Fraction) -> Fraction:
    """To the next multiple of `step`, a multiple staying what it is (2.15 -> 2.5, -0.5 -> -0.5)."""
    return -(-value // step) * step


def percent(rate: Fraction) -> str:
    """A rate as digits, `9.5`: every rate is a finite decimal."""
    return f"{Decimal(rate.numerator) / Decimal(rate.denominator):f}"
