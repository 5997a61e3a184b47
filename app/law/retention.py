"""How long a voucher of the books is kept: data/retention.yaml, read, checked and counted."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from app.law.records import DATA, Record, read

FILE: Final = DATA / "retention.yaml"
YEAR_ENDS: Final = "12-31"  # the financial year of an agency that names no other
DAYS_OF_FEBRUARY: Final = (28, 29)


class Term(Record):
    """The term of one country. `may_forget`: somebody has read the source or answers for it."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    years: Annotated[int, Field(ge=1, le=50, strict=True)]
    counted_from: Literal["financial_year", "calendar_year"]
    law: Annotated[str, Field(min_length=1, max_length=200)]
    source: Annotated[str, Field(max_length=300)] | None
    verified: bool
    reviewed_by: Annotated[str, Field(min_length=1, max_length=200)] | None

    @property
    def may_forget(self) -> bool:
        return self.verified or self.reviewed_by is not None

    def last_day(self, on: date, year_ends: str = YEAR_ENDS) -> date:
        """The last day on which a voucher of the day `on` must be kept. `year_ends`: MM-DD, the
        last day of the financial year; 02-28 and 02-29 both mean the end of February."""
        closes = _year_end(on.year, year_ends)
        if closes < on:
            closes = _year_end(on.year + 1, year_ends)
        if self.counted_from == "calendar_year":
            return date(closes.year + self.years, 12, 31)
        return _year_end(closes.year + self.years, year_ends)


class _File(Record):
    schema_version: Literal[1]
    records: tuple[Term, ...]

    @model_validator(mode="after")
    def _once_each(self) -> _File:
        countries = [one.country for one in self.records]
        if len(countries) != len(set(countries)):
            raise ValueError("a country has one term")
        return self


def _year_end(year: int, month_day: str) -> date:
    month, day = (int(part) for part in month_day.split("-"))
    if month == 2 and day in DAYS_OF_FEBRUARY:
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        day = DAYS_OF_FEBRUARY[leap]
    return date(year, month, day)


@cache
def terms() -> dict[str, Term]:
    """Every country's term. LawDataInvalid."""
    return {one.country: one for one in read(_File, FILE).records}
