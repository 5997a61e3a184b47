"""Periods as somebody outside a case asks for them: words in, an explained date out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.domain.counting import PERIOD_MAX, Counted, Direction, Period, Regime, count
from app.domain.errors import InvalidInput
from app.law.calendar import calendar_for, corrections
from app.law.regimes import regime

PART: Final = re.compile(r"\s*(\d{1,5})\s+([a-z_ ]+?)\s*")
# How laws and people call a unit -> how we do. A business day is Monday to Friday without holidays.
UNIT_NAMES: Final = {
    **{name: name for name in PERIOD_MAX},
    **{name.removesuffix("s"): name for name in PERIOD_MAX},
    "business_days": "working_days",
    "business_day": "working_days",
    "clear_business_days": "clear_working_days",
    "clear_business_day": "clear_working_days",
}
MIXED: Final = "mixed"  # the period names its units itself: "1 month + 10 days"
CASES_MAX: Final = 100_000


class PeriodInvalid(InvalidInput):
    code = "period_invalid"


class Question(BaseModel):
    """One period to count, in the words of the law's own examples."""

    model_config = ConfigDict(extra="ignore")

    regime: str
    country: Annotated[str, Field(pattern=r"^([A-Z]{2}|ANY)$")]
    subdivision: Annotated[str, Field(max_length=12)] | None = None
    start: date
    period: Annotated[int, Field(strict=True)] | Annotated[str, Field(max_length=60)]
    unit: str
    purpose: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")] | None = None
    direction: Literal["forward", "backward", "earliest_day_after"] = "forward"


@dataclass(frozen=True, slots=True)
class Answer:
    question: Question
    regime: Regime
    parts: tuple[Period, ...]
    counted: Counted

    def as_json(self) -> dict[str, Any]:
        """Days as YYYY-MM-DD; `weekday` as Mon to Sun."""
        asked, found = self.question, self.counted
        return {
            "due": found.due.isoformat(),
            "weekday": f"{found.due:%a}",
            "safe": found.safe.isoformat(),
            "nominal": found.nominal.isoformat(),
            "start": asked.start.isoformat(),
            "period": " + ".join(str(part) for part in self.parts),
            "direction": asked.direction,
            "purpose": asked.purpose or self.regime.purpose,
            "country": asked.country,
            "region": asked.subdivision,
            "skipped": [{"date": d.isoformat(), "why": why} for d, why in found.skipped],
            "rule": {
                "id": self.regime.id,
                "version": self.regime.version,
                "law": self.regime.law,
                "source": self.regime.source,
                "to_be_confirmed": list(self.regime.unverified),
            },
            "steps": list(found.steps),
        }


def answer(asked: Question) -> Answer:
    """Raises RegimeUnknown, CountryUnknown, NoHolidayList, PeriodInvalid."""
    law = regime(asked.regime)
    place = f"{asked.country}-{asked.subdivision}" if asked.subdivision else asked.country
    calendar = calendar_for(place, law.id)
    parts = _parts(asked)
    first = corrections().first_year
    if asked.start.year < first:
        raise PeriodInvalid(f"no date before {first} can be counted from")
    direction: Direction = asked.direction
    try:
        counted = count(
            asked.start, parts, law, calendar, purpose=asked.purpose, direction=direction
        )
    except (OverflowError, ValueError):
        raise PeriodInvalid("the period leaves the calendar") from None
    return Answer(asked, law, parts, counted)


def _parts(asked: Question) -> tuple[Period, ...]:
    if isinstance(asked.period, int):
        return (_part(asked.period, asked.unit),)
    if asked.unit != MIXED:
        if not asked.period.strip().isdigit():
            raise PeriodInvalid(f"{asked.period!r} is no number of {asked.unit}")
        return (_part(int(asked.period), asked.unit),)
    found = [PART.fullmatch(piece) for piece in asked.period.split("+")]
    if None in found:
        raise PeriodInvalid(f"{asked.period!r} is not like '1 month + 10 days'")
    return tuple(_part(int(m[1]), m[2].strip().replace(" ", "_")) for m in found if m)


def _part(value: int, unit: str) -> Period:
    name = UNIT_NAMES.get(unit)
    if name is None:
        known = ", ".join(sorted(n for n in UNIT_NAMES if n.endswith("s")))
        raise PeriodInvalid(f"unknown unit {unit!r}; known: {known}, {MIXED}")
    if not 0 < value <= PERIOD_MAX[name]:
        raise PeriodInvalid(f"a period of {value} {unit} is not between 1 and {PERIOD_MAX[name]}")
    return Period(value, name)
