"""Counting a period by a regime: from a day, by days, weeks, months, to the law's last day.

Pure calendar arithmetic. What differs between laws stands in a `Regime`, a record of
app/law/data/regimes.yaml; nothing of any one country stands here. Common to all seven: the day of
the event is not counted; months and years end on the same-numbered day, or on the last of a month
that has no such day; months are counted before days.
"""

from __future__ import annotations

import calendar as months
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final, Literal, Protocol

ONE_DAY: Final = timedelta(days=1)
# Longest run of closed days we believe; a calendar that closes more is broken, not on holiday.
CLOSED_RUN_MAX_DAYS: Final = 31
# Longest periods that may be asked for, so that no typing mistake reaches the end of the calendar.
PERIOD_MAX: Final = {
    "days": 3_660, "working_days": 1_000, "clear_working_days": 1_000, "weeks": 520,
    "months": 240, "years": 30,
}  # fmt: skip
UNITS: Final = tuple(PERIOD_MAX)
LONG_FIRST: Final = ("years", "months", "weeks", "days", "working_days", "clear_working_days")

Direction = Literal["forward", "backward", "earliest_day_after"]
Skipped = tuple[tuple[date, str], ...]


class Calendar(Protocol):
    """Working days of one country or region; answers why a day is not one ("" = it is)."""

    def closed_because(self, day: date) -> str: ...


@dataclass(frozen=True, slots=True)
class Period:
    """A span as a law or house rule gives it; unit: one of UNITS."""

    value: int
    unit: str

    def __str__(self) -> str:
        word = self.unit.replace("_", " ")
        return f"{self.value} {word.removesuffix('s') if self.value == 1 else word}"


@dataclass(frozen=True, slots=True)
class Regime:
    """How a law counts; the fields are those of regimes.yaml."""

    id: str
    version: int
    law: str
    source: str
    purpose: str
    otherwise: bool
    moves: Mapping[str, bool] = field(default_factory=dict)
    backward: Literal["stays", "earlier"] = "stays"
    two_working_days: bool = False
    short_days: int = 0
    short_purposes: tuple[str, ...] = ()
    regions: Mapping[str, str] = field(default_factory=dict)
    unverified: tuple[str, ...] = ()  # what of it nobody has read in a source

    def rolls(self, purpose: str | None) -> bool:
        """Whether an end on a closed day moves to the next working day."""
        return self.moves.get(purpose or self.purpose, self.otherwise)

    def counts_short(self, parts: Sequence[Period], purpose: str | None) -> bool:
        """Whether the period is so short that it leaves closed days out."""
        days = sum(p.value for p in parts if p.unit == "days")
        only_days = all(p.unit == "days" for p in parts)
        fits = only_days and days <= self.short_days
        return fits and (purpose or self.purpose) in self.short_purposes


@dataclass(frozen=True, slots=True)
class Counted:
    """`due`: the law's last day (ends at 24:00). `nominal`: where the bare count ended. `safe`:
    ours, the last working day before it, because nobody files on the last day. `skipped`: days
    passed over, with their reasons. `steps`: how it was counted, as sentences."""

    due: date
    nominal: date
    safe: date
    skipped: Skipped
    steps: tuple[str, ...]


def next_working_day(calendar: Calendar, day: date, step: timedelta = ONE_DAY) -> date:
    """`day` itself when it is one, else the next in the direction of `step`."""
    return _to_working_day(calendar, day, step)[0]


def count(
    start: date,
    parts: Sequence[Period],
    regime: Regime,
    calendar: Calendar,
    *,
    purpose: str | None = None,
    direction: Direction = "forward",
) -> Counted:
    """The last day of a period that begins with the event of `start`.

    `backward` counts back from an event: the last day on which the act is in time.
    `earliest_day_after` is the first day on which the period has wholly passed.
    """
    assert parts, "a period has at least one part"
    for part in parts:
        assert 0 < part.value <= PERIOD_MAX[part.unit], f"impossible period: {part}"
    back = direction == "backward"
    step = -ONE_DAY if back else ONE_DAY
    ordered = sorted(parts, key=lambda p: LONG_FIRST.index(p.unit))
    steps = [f"{_said(start)} is the day of the event and is not counted"]
    day, skipped = start, ()  # type: date, Skipped
    short = regime.counts_short(parts, purpose)
    for part in ordered:
        if short or part.unit.endswith("working_days"):
            extra = 1 if part.unit.startswith("clear") else 0
            day, passed = _working_days(calendar, day, part.value + extra, step)
            skipped += passed
            steps.append(f"{part}{' (neither end counted)' if extra else ''}: {_said(day)}")
            if short:
                steps.append(f"so short a period leaves closed days out ({regime.law})")
        else:
            day = plus(day, part, -1 if back else 1)
            steps.append(f"{part} {'before' if back else 'after'}: {_said(day)}")
    if direction == "earliest_day_after" and not any(p.unit.startswith("clear") for p in parts):
        day += ONE_DAY
        steps.append(f"the whole period must have passed: {_said(day)}")
    nominal = day
    day, passed = _settled(regime, calendar, day, purpose, back)
    skipped += passed
    if passed:
        why = "; ".join(f"{d.isoformat()} {reason}" for d, reason in passed)
        steps.append(f"closed: {why}; so {_said(day)}")
    if regime.two_working_days and not back and _two_or_more_days(ordered):
        held, more = _hold_two_working_days(calendar, start, day)
        skipped += more
        if held != day:
            steps.append(f"at least two working days belong to it: {_said(held)}")
        day = held
    if day == nominal:
        steps.append("the end stays where it is")
    return Counted(day, nominal, _safe(calendar, start, nominal, day), skipped, tuple(steps))


def plus(start: date, period: Period, sign: int = 1) -> date:
    """Calendar arithmetic; 31 January and one month is the last day of February."""
    value = sign * period.value
    if period.unit == "days":
        return start + timedelta(days=value)
    if period.unit == "weeks":
        return start + timedelta(weeks=value)
    assert period.unit in ("months", "years"), f"unknown unit: {period.unit}"
    index = start.year * 12 + start.month - 1 + value * (12 if period.unit == "years" else 1)
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(start.day, months.monthrange(year, month)[1]))


def _settled(
    regime: Regime, calendar: Calendar, day: date, purpose: str | None, back: bool
) -> tuple[date, Skipped]:
    """Where the end comes to rest when it falls on a closed day."""
    if not regime.rolls(purpose):
        return day, ()
    if not back:
        return _to_working_day(calendar, day, ONE_DAY)
    return _to_working_day(calendar, day, -ONE_DAY) if regime.backward == "earlier" else (day, ())


def _to_working_day(calendar: Calendar, day: date, step: timedelta) -> tuple[date, Skipped]:
    skipped: list[tuple[date, str]] = []
    while reason := calendar.closed_because(day):
        skipped.append((day, reason))
        day += step
        assert len(skipped) <= CLOSED_RUN_MAX_DAYS, "the calendar never opens again"
    return day, tuple(skipped)


def _working_days(
    calendar: Calendar, day: date, days: int, step: timedelta
) -> tuple[date, Skipped]:
    skipped: Skipped = ()
    for _ in range(days):
        day, more = _to_working_day(calendar, day + step, step)
        skipped += more
    return day, skipped


def _two_or_more_days(parts: Sequence[Period]) -> bool:
    return any(p.unit != "days" or p.value >= 2 for p in parts)


def _hold_two_working_days(calendar: Calendar, start: date, day: date) -> tuple[date, Skipped]:
    """Reg. 1182/71 art. 3(5): a period of two days or more holds at least two working days."""
    length = (day - start).days
    if length >= 14:  # holds two working days in every calendar there is
        return day, ()
    inside = (start + ONE_DAY * i for i in range(1, length + 1))
    working = sum(1 for d in inside if not calendar.closed_because(d))
    skipped: Skipped = ()
    while working < 2:
        day, more = _to_working_day(calendar, day + ONE_DAY, ONE_DAY)
        skipped += more
        working += 1
    return day, skipped


def _safe(calendar: Calendar, start: date, nominal: date, due: date) -> date:
    """The last working day before the bare end of the count: no luck with closed days is counted
    on. A period too short for that ends on its last day."""
    safe, _ = _to_working_day(calendar, min(nominal, due) - ONE_DAY, -ONE_DAY)
    return safe if due < start or safe > start else due


def _said(day: date) -> str:
    return f"{day:%a} {day.isoformat()}"
