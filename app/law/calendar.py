"""Working days of a country under a regime; the domain sees only `closed_because`.

Saturdays and Sundays are closed everywhere we work, public holidays come from the `holidays`
package, and what a period law closes besides (Midsummer Eve) from data/holidays.yaml. Where no
country stands (the generic playbook), the working days of the European Central Bank hold.
"""

from __future__ import annotations

import sys
from datetime import date, timedelta
from functools import cache
from importlib.util import find_spec, module_from_spec
from typing import Annotated, Final, Literal

import holidays
from holidays.registry import EntityLoader
from pydantic import Field, model_validator

from app.domain.counting import Calendar
from app.domain.errors import InvalidInput
from app.law.records import DATA, Record, read
from app.law.regimes import regime as regime_named

WEEKEND: Final = {5: "Saturday", 6: "Sunday"}
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
ANYWHERE: Final = "ANY"
MonthDay = Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]


def _one_country_at_a_time() -> None:
    """The package names each country's module in its registry, but to import one runs the index of
    all beside it: 8 MB in every process. An index not run still finds its modules."""
    spec = find_spec("holidays.countries")
    assert spec is not None, "the package has its countries there"
    sys.modules.setdefault("holidays.countries", module_from_spec(spec))


_one_country_at_a_time()


class CountryUnknown(InvalidInput):
    code = "country_unknown"


class NoHolidayList(InvalidInput):
    """A date lies in a year whose holidays we do not know."""

    code = "no_holiday_list"


class NamedDay(Record):
    """One line of holidays.yaml: `on` a fixed day, or the `weekday` between `from` and `to`."""

    name: str
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    regimes: Annotated[list[str], Field(min_length=1)]
    on: MonthDay | None = None
    weekday: Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"] | None = None
    first: Annotated[MonthDay | None, Field(alias="from")] = None
    to: MonthDay | None = None
    source: str
    verified: bool

    @model_validator(mode="after")
    def _one_way(self) -> NamedDay:
        span = (self.weekday, self.first, self.to)
        if (self.on is None) == (None in span) or (self.on is not None and any(span)):
            raise ValueError("either `on` or `weekday`, `from` and `to`")
        for name in self.regimes:
            regime_named(name)
        return self

    def day(self, year: int) -> date:
        if self.on is not None:
            return date.fromisoformat(f"{year}-{self.on}")
        assert self.weekday is not None, "checked when the file was read"
        day = date.fromisoformat(f"{year}-{self.first}")
        return day + timedelta(days=(WEEKDAYS.index(self.weekday) - day.weekday()) % 7)


class HolidaysFile(Record):
    schema_version: Literal[1]
    first_year: int
    last_year: int
    region_names: dict[str, dict[str, str]]
    closed: list[NamedDay]
    open: list[NamedDay]


@cache
def corrections() -> HolidaysFile:
    return read(HolidaysFile, DATA / "holidays.yaml")


class CountryCalendar:
    """Answers year by year; each year's closed days are worked out once."""

    def __init__(self, country: str, region: str | None, regime: str) -> None:
        self.country = country
        self._public: holidays.HolidayBase = (
            holidays.financial_holidays("ECB")
            if country == ANYWHERE
            else holidays.country_holidays(country, subdiv=region, language="en_US")
        )
        file = corrections()
        self._years = range(file.first_year, file.last_year + 1)
        self._added = [d for d in file.closed if d.country == country and regime in d.regimes]
        self._opened = [d for d in file.open if d.country == country and regime in d.regimes]
        self._closed: dict[int, dict[date, str]] = {}

    def closed_because(self, day: date) -> str:
        """Raises NoHolidayList outside the years of the data."""
        closed = self._closed.get(day.year)
        if closed is None:
            closed = self._closed[day.year] = self._year(day.year)
        return closed.get(day, "") or WEEKEND.get(day.weekday(), "")

    def _year(self, year: int) -> dict[date, str]:
        if year not in self._years:
            raise NoHolidayList(
                f"no holidays are known for {year}; the lists go from {self._years[0]} to"
                f" {self._years[-1]}",
                year=year,
            )
        new_year = date(year, 1, 1)
        days = (new_year + timedelta(days=n) for n in range(366))
        found = {d: str(name) for d in days if d.year == year and (name := self._public.get(d))}
        for named in self._opened:
            found.pop(named.day(year), None)
        for named in self._added:
            found.setdefault(named.day(year), named.name)
        return found


def has_calendar(jurisdiction: str) -> bool:
    country = jurisdiction.partition("-")[0]
    return country == ANYWHERE or country in _countries()


@cache
def _countries() -> frozenset[str]:
    """Those the package has. Its own list of them loads the calendars of the whole world."""
    return frozenset(EntityLoader.get_country_codes())


def calendar_for(jurisdiction: str, regime: str = "EU_1182_71") -> Calendar:
    """`FI`, `DE-NW`, or `ANY`. Where no region is named, the regime's own one holds (in England
    and Wales Easter Monday is a holiday, in Scotland not). Raises CountryUnknown."""
    country, _, region = jurisdiction.partition("-")
    if not has_calendar(country):
        raise CountryUnknown(f"no calendar of working days for {country}", country=country)
    region = region or regime_named(regime).regions.get(country, "")
    region = corrections().region_names.get(country, {}).get(region, region)
    return _calendar(country, region, regime)


@cache
def _calendar(country: str, region: str, regime: str) -> Calendar:
    known = () if country == ANYWHERE else getattr(holidays, country).subdivisions
    if region and region not in known:
        raise CountryUnknown(
            f"{country} has no region {region!r}; known: {', '.join(known) or 'none'}",
            country=country,
            region=region,
        )
    return CountryCalendar(country, region or None, regime)
