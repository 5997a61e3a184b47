"""Statutory interest as data: the formulas and rates of data/interest.yaml, read and checked."""

from __future__ import annotations

import re
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from app.domain.counting import PERIOD_MAX, Period
from app.domain.errors import InvalidInput
from app.domain.interest.formula import DayCount, Formula, Increase, StartLine, Tier
from app.domain.interest.rates import Follows, Rate, Series, Turn
from app.law.records import DATA, Record, parse

FILE: Final = DATA / "interest.yaml"
ONE_DAY: Final = timedelta(days=1)
YEAR_DAYS: Final = (360, 366)  # what any law divides by; 360 is the banks' year

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.]{1,60}$")]
Jurisdiction = Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z]{2,3})?$")]
Text = Annotated[str, Field(min_length=1, max_length=500)]
# Text, so that no binary fraction comes near a rate.
Percent = Annotated[str, Field(pattern=r"^-?\d{1,3}(\.\d{1,6})?$", strict=True)]
YearDays = Annotated[int, Field(ge=YEAR_DAYS[0], le=YEAR_DAYS[1], strict=True)]


def _turn_of(text: str) -> str:
    if not re.fullmatch(r"\d{2}-\d{2}", text):
        raise ValueError("a turn is MM-DD")
    date.fromisoformat(f"2001-{text}")  # exists in every year
    return text


TurnText = Annotated[str, AfterValidator(_turn_of)]


class FormulaUnknown(InvalidInput):
    code = "interest_formula_unknown"


class DayCountIn(Record):
    year: YearDays
    leap_year: YearDays


class TierIn(Record):
    from_day: Annotated[int, Field(gt=0, le=36_600, strict=True)]
    add: Percent


class PeriodIn(Record):
    period: Annotated[int, Field(gt=0, strict=True)] | None = None
    unit: Literal["days", "working_days", "weeks", "months", "years"] | None = None

    @model_validator(mode="after")
    def _whole(self) -> PeriodIn:
        if (self.period is None) != (self.unit is None):
            raise ValueError("a period has a number and a unit")
        if self.period and self.unit and self.period > PERIOD_MAX[self.unit]:
            raise ValueError(f"longer than {PERIOD_MAX[self.unit]} {self.unit}")
        return self

    @property
    def domain_period(self) -> Period | None:
        return Period(self.period, self.unit) if self.period and self.unit else None


class StartIn(PeriodIn):
    event: Name
    first: Literal["same", "after"]

    def domain(self) -> StartLine:
        return StartLine(self.event, self.domain_period, self.first == "after")


class IncreaseIn(PeriodIn):
    add: Percent
    event: Name
    law: Text

    def domain(self) -> Increase:
        assert self.domain_period is not None, "an increase comes after a period"
        return Increase(Fraction(self.add), self.event, self.domain_period)

    @model_validator(mode="after")
    def _after_a_period(self) -> IncreaseIn:
        if self.period is None or self.unit == "working_days":
            raise ValueError("an increase comes after a period of calendar days, months or years")
        return self


class FormulaIn(Record):
    id: Name
    jurisdiction: Jurisdiction
    law: Text
    cited: dict[Annotated[str, Field(pattern=r"^[a-z]{2}$")], Text] = Field(default_factory=dict)
    series: Name | None = None
    tiers: Annotated[list[TierIn], Field(min_length=1, max_length=12)] | None
    day_count: Name
    other_day_counts: list[Name] = Field(default_factory=list)
    claim: Literal["claimed", "will_be_claimed"]
    increase: IncreaseIn | None = None
    starts: dict[Name, Annotated[list[StartIn], Field(min_length=1)]]
    in_letters: list[Name]
    note: Text | None = None
    publisher: Text | None = None
    source: Text
    more_sources: list[Text] = Field(default_factory=list)
    verified: bool
    unverified: list[Text]
    as_of: date

    @model_validator(mode="after")
    def _sound(self) -> FormulaIn:
        days = [tier.from_day for tier in self.tiers or ()]
        if self.tiers is not None and (days[0] != 1 or days != sorted(set(days))):
            raise ValueError("tiers begin with day 1 and rise")
        unknown = set(self.in_letters) - set(self.starts)
        if unknown:
            raise ValueError(f"in_letters names no start: {', '.join(sorted(unknown))}")
        return self


class ValueIn(Record):
    from_: Annotated[date, Field(alias="from")]
    to: date
    value: Percent | None
    verified: bool
    reviewed_by: Text | None = None
    note: Text | None = None

    @model_validator(mode="after")
    def _sound(self) -> ValueIn:
        if self.to < self.from_:
            raise ValueError("`to` lies before `from`")
        if self.value is None and (self.verified or self.reviewed_by):
            raise ValueError("nobody can have verified a value that is not there")
        return self

    def domain(self) -> Rate:
        value = None if self.value is None else Fraction(self.value)
        return Rate(self.from_, self.to, value, self.verified or self.reviewed_by is not None)


class FollowsIn(Record):
    quote: Name
    how: Literal["up_to_step", "by_difference"]
    step: Percent = "1"

    @model_validator(mode="after")
    def _positive(self) -> FollowsIn:
        if Fraction(self.step) <= 0:
            raise ValueError("a step is more than nothing")
        return self


class SeriesIn(Record):
    id: Name
    jurisdiction: Jurisdiction
    rule: Text
    turns: list[TurnText]
    follows: FollowsIn | None = None
    values: list[ValueIn]
    publisher: Text
    source: Text
    more_sources: list[Text] = Field(default_factory=list)
    as_of: date

    @property
    def domain_turns(self) -> tuple[Turn, ...]:
        days = [date.fromisoformat(f"2001-{turn}") for turn in sorted(self.turns)]
        return tuple((day.month, day.day) for day in days)

    @model_validator(mode="after")
    def _in_order(self) -> SeriesIn:
        for one, after in pairwise(self.values):
            if after.from_ <= one.to:
                raise ValueError(f"{after.from_} stands in two values, or they are out of order")
        if self.follows is not None and not self.turns:
            raise ValueError("a rate that follows another one has turns")
        for value in self.values if self.turns else ():
            for first in (value.from_, value.to + ONE_DAY):
                if (first.month, first.day) not in self.domain_turns:
                    raise ValueError(f"{first} is no turn of this series")
        return self


class QuoteIn(Record):
    day: date
    value: Percent
    verified: bool


class QuotesIn(Record):
    id: Name
    values: list[QuoteIn]
    source: Text
    as_of: date


class AppliesIn(Record):
    formula: Name
    kinds: Annotated[list[Name], Field(min_length=1)] | None = None

    def fits(self, kind: str) -> bool:
        return self.kinds is None or kind in self.kinds


class InterestFile(Record):
    schema_version: Literal[1]
    version: Annotated[int, Field(gt=0, strict=True)]
    researched_on: date
    rounding: Literal["total_half_up"]
    day_counts: dict[Name, DayCountIn]
    formulas: Annotated[list[FormulaIn], Field(min_length=1)]
    applies: dict[Jurisdiction, Annotated[list[AppliesIn], Field(min_length=1)]]
    series: list[SeriesIn]
    quotes: list[QuotesIn]

    @model_validator(mode="after")
    def _names_fit(self) -> InterestFile:
        for what, ids in (
            ("formula", [f.id for f in self.formulas]),
            ("series", [s.id for s in self.series]),
            ("quote", [q.id for q in self.quotes]),
        ):
            if len(set(ids)) != len(ids):
                raise ValueError(f"a {what} is named twice")
        wanted = {
            "formula": (
                {one.formula for ones in self.applies.values() for one in ones},
                {f.id for f in self.formulas},
            ),
            "series": ({f.series for f in self.formulas if f.series}, {s.id for s in self.series}),
            "quote": (
                {s.follows.quote for s in self.series if s.follows}, {q.id for q in self.quotes}
            ),
            "day count": (
                {d for f in self.formulas for d in (f.day_count, *f.other_day_counts)},
                set(self.day_counts),
            ),
        }  # fmt: skip
        for what, (used, known) in wanted.items():
            if used - known:
                raise ValueError(f"there is no {what} {', '.join(sorted(used - known))}")
        return self


class InterestLaw:
    """One version of the file as values: `formulas` and `series` by id."""

    def __init__(self, file: InterestFile) -> None:
        self.version = file.version
        quotes = {q.id: {v.day: Fraction(v.value) for v in q.values} for q in file.quotes}
        self.series = {s.id: _series(s, quotes) for s in file.series}
        counts = {name: DayCount(name, c.year, c.leap_year) for name, c in file.day_counts.items()}
        self.formulas = {
            f.id: _formula(f, file.version, self.series, counts) for f in file.formulas
        }
        self._applies = file.applies
        self.sources = {s.id: s.source for s in file.series}

    def formula(self, name: str) -> Formula:
        """Raises FormulaUnknown with the names we know."""
        try:
            return self.formulas[name]
        except KeyError:
            known = ", ".join(sorted(self.formulas))
            raise FormulaUnknown(f"unknown formula {name!r}; known: {known}") from None

    def applying(self, jurisdiction: str, kind: str) -> tuple[Formula, ...]:
        """What a case's letters claim by, in order: its state's formulas, else its country's."""
        for place in (jurisdiction, jurisdiction.partition("-")[0]):
            if place in self._applies:
                found = (one.formula for one in self._applies[place] if one.fits(kind))
                return tuple(self.formulas[name] for name in found)
        return ()


@cache
def interest_law() -> InterestLaw:
    """The built-in file; read and checked once per process."""
    return read_law(FILE.read_text("utf-8"), FILE.name)


def read_law(text: str, name: str) -> InterestLaw:
    """Raises LawDataInvalid with place and line."""
    return InterestLaw(parse(InterestFile, text, name))


def _series(given: SeriesIn, quotes: dict[str, dict[date, Fraction]]) -> Series:
    follows = given.follows
    return Series(
        given.id, tuple(value.domain() for value in given.values), given.domain_turns,
        Follows(follows.how, quotes[follows.quote], Fraction(follows.step)) if follows else None,
    )  # fmt: skip


def _formula(
    given: FormulaIn, version: int, series: dict[str, Series], counts: dict[str, DayCount]
) -> Formula:
    return Formula(
        id=given.id,
        version=version,
        jurisdiction=given.jurisdiction,
        law=given.law,
        source=given.source,
        series=series[given.series] if given.series else None,
        tiers=None if given.tiers is None
        else tuple(Tier(tier.from_day, Fraction(tier.add)) for tier in given.tiers),
        day_count=counts[given.day_count],
        other_day_counts=tuple(counts[name] for name in given.other_day_counts),
        claim=given.claim,
        increase=given.increase.domain() if given.increase else None,
        starts={how: tuple(line.domain() for line in lines) for how, lines in given.starts.items()},
        in_letters=tuple(given.in_letters),
        cited=given.cited,
        confirmed=given.verified,
        unverified=tuple(given.unverified),
    )  # fmt: skip
