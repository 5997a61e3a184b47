"""Working days of a country, from the `holidays` package; the domain sees only `closed_because`.

Saturdays and Sundays are closed everywhere we work. Days that a statute closes and the package
does not list as public (Midsummer Eve in Finland and Sweden) come from its other categories.
Where no country stands (the generic playbook), the working days of the European Central Bank hold.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Final

import holidays

from app.domain.playbook import Calendar

WEEKEND: Final = {5: "Saturday", 6: "Sunday"}
ANYWHERE: Final = "ANY"

# Categories of the package beside "public", by country. Finland: Midsummer Eve is on the list for
# Regulation 1182/71; Sweden: the de facto holidays are the eves that Act 1930:173 s.2 names.
EXTRA_CATEGORIES: Final = {"FI": ("unofficial",), "SE": ("de_facto",)}
# Of those categories only the days a period law names; Shrove Tuesday stays a working day.
EXTRA_DAYS: Final = {
    "FI": ("Midsummer Eve",),
    "SE": ("Midsummer Eve", "Christmas Eve", "New Year's Eve"),
}


class CountryCalendar:
    """Answers from the package's tables, year by year as they are asked for."""

    def __init__(self, country: str, subdivision: str | None = None) -> None:
        self.country = country
        if country == ANYWHERE:
            self._public: holidays.HolidayBase = holidays.financial_holidays("ECB")
            self._extra: holidays.HolidayBase | None = None
            return
        self._public = holidays.country_holidays(country, subdiv=subdivision, language="en_US")
        categories = EXTRA_CATEGORIES.get(country)
        self._extra = (
            holidays.country_holidays(country, categories=categories, language="en_US")
            if categories
            else None
        )

    def closed_because(self, day: date) -> str:
        if day.weekday() in WEEKEND:
            return self._public.get(day) or WEEKEND[day.weekday()]
        name = self._public.get(day)
        if name:
            return str(name)
        if self._extra is None:
            return ""
        extra = str(self._extra.get(day) or "")
        return extra if any(named in extra for named in EXTRA_DAYS[self.country]) else ""


def has_calendar(jurisdiction: str) -> bool:
    country = jurisdiction.partition("-")[0]
    return country == ANYWHERE or country in holidays.list_supported_countries()


@cache
def calendar_for(jurisdiction: str) -> Calendar:
    """`FI`, `US-CA`, or `ANY`. Cached: the tables are built once per process and year."""
    country, _, subdivision = jurisdiction.partition("-")
    return CountryCalendar(country, subdivision or None)
