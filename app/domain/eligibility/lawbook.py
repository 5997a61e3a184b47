"""What the rules may consult, handed in as values: the tables of routing.yaml and the airports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from app.domain.counting import Calendar
from app.domain.eligibility.act_rules import ActRule, DemandRule
from app.domain.eligibility.facts import Answers, FactUnknown
from app.domain.playbook import BodyTerms


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
    """`tables` is routing.yaml as read and checked; the terms of bodies by their id;
    `calendar_of` the working days of a country; `cures`: demands that ask for no money;
    `unconfirmed`: records that nobody read in a source."""

    tables: Mapping[str, Any]
    airports: Airports
    body_terms: Mapping[str, BodyTerms]
    body_countries: Mapping[str, str]
    calendar_of: Callable[[str], Calendar]
    acts: tuple[ActRule, ...]
    demands: tuple[DemandRule, ...]
    cures: frozenset[str]
    unconfirmed: frozenset[str]

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
    """One claim under test. `unsure` is the unknown fact the jurisdiction hangs on."""

    answers: Answers
    law: LawBook
    jurisdiction: str
    today: date
    unsure: str | None = None

    @property
    def country(self) -> str:
        return self.jurisdiction.partition("-")[0]

    def grounds(self, table: str) -> tuple[str, ...]:
        """The rules of a kind here; none where the law files have none. Raises FactUnknown where
        they differ from place to place and the place is not known."""
        rules = self.law["grounds"][table]
        if set(rules) - {"ANY"}:
            self.sure()
        return tuple(self.law.of_place(rules, self.jurisdiction) or ())

    def sure(self) -> None:
        """Raises FactUnknown when the jurisdiction is not known."""
        if self.unsure:
            raise FactUnknown(self.unsure)
