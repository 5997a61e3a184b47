"""What the rules may consult, handed in as values: the tables of routing.yaml and the airports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from app.domain.eligibility.facts import Answers


class Airports(Protocol):
    """Where airports lie; codes are IATA."""

    def country(self, code: str) -> str | None:
        """ISO 3166-1, or None for a code nobody has."""
        ...

    def metres(self, one: str, other: str) -> int:
        """Great-circle distance between two known airports."""
        ...


@dataclass(frozen=True, slots=True)
class LawBook:
    """`tables` is routing.yaml as read and checked; `body_days` the last day of a body as (value,
    unit) from the first written complaint."""

    tables: Mapping[str, Any]
    airports: Airports
    body_days: Mapping[str, tuple[int, str]]
    body_waits: Mapping[str, tuple[int, str]]

    def __getitem__(self, name: str) -> Any:
        return self.tables[name]

    def in_eu(self, country: str, on: date | None = None) -> bool:
        left = self.tables["gb_in_eu_until"]
        return country in self.tables["eu"] or (country == "GB" and on is not None and on < left)

    def in_air_area(self, country: str, on: date | None = None) -> bool:
        """EU, EEA and Switzerland, as Regulation 261/2004 counts them."""
        beside = (*self.tables["eea_beside_eu"], *self.tables["air_beside_eea"])
        return self.in_eu(country, on) or country in beside

    def of_place(self, table: Mapping[str, Any], place: str) -> Any:
        """The entry of a jurisdiction: the state, its country, the EU, everywhere; else None."""
        country = place.partition("-")[0]
        for name in (place, country, "EU" if self.in_eu(country) else "", "ANY"):
            if name in table:
                return table[name]
        return None


@dataclass(frozen=True, slots=True)
class Matter:
    """One claim under test."""

    answers: Answers
    law: LawBook
    jurisdiction: str
    today: date

    def grounds(self, table: str) -> tuple[str, ...]:
        """The rules of a kind here; none where the law files have none."""
        return tuple(self.law.of_place(self.law["grounds"][table], self.jurisdiction) or ())
