"""The agency's licences as the gates and letters read them out of its profile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from app.domain.gates import Licence, country_of

BANDS: Final = (90, 30, 7, 0)  # days before the last day at which somebody is told


def licences_of(profile: Mapping[str, Any]) -> tuple[Licence, ...]:
    """Every licence of the profile (app.agency.schemas.LicenceIn). One on file from before licences
    named a country opens nothing and is left out."""
    return tuple(_licences(profile))


def files_in(profile: Mapping[str, Any], on: date) -> frozenset[str]:
    """The countries in which the agency may file a complaint itself that day."""
    return frozenset(
        one.country for one in licences_of(profile) if "file" in one.may and one.valid_on(on)
    )


def printed_licence(profile: Mapping[str, Any], place: str, on: date) -> str | None:
    """The line of a letter: the title under which we act there, else the one of our own seat."""
    valid = [one for one in licences_of(profile) if one.valid_on(on)]
    for country in (country_of(place), str(profile.get("country", ""))):
        for one in valid:
            if one.country == country:
                return f"{one.name}, {one.number}"
    return None


@dataclass(frozen=True, slots=True)
class Ending:
    """A last day that comes near. `band`: how near it is, in days (90, 30, 7; 0: it has come)."""

    number: str
    country: str
    what: str  # licence | cover
    last_day: date
    band: int

    @property
    def key(self) -> str:
        return f"{self.country}:{self.number}:{self.what}:{self.last_day}:{self.band}"


def endings(profile: Mapping[str, Any], on: date) -> tuple[Ending, ...]:
    """What ends within 90 days or has ended, each in its narrowest band."""
    found = []
    for one in licences_of(profile):
        for what, last in (("licence", one.valid_until), ("cover", one.insured_until)):
            bands = [] if last is None else [b for b in BANDS if (last - on).days <= b]
            if last is not None and bands:
                found.append(Ending(one.number, one.country, what, last, min(bands)))
    return tuple(found)


def _licences(profile: Mapping[str, Any]) -> Iterator[Licence]:
    for one in profile.get("licences") or ():
        if "country" not in one:
            continue
        insurer = one.get("insurer") or {}
        yield Licence(
            name=one["name"],
            number=one["number"],
            country=one["country"],
            may=frozenset(one["may"]),
            claim_kinds=frozenset(one.get("claim_kinds") or ()),
            valid_from=_day(one.get("valid_from")),
            valid_until=_day(one.get("valid_until")),
            insured_until=_day(insurer.get("valid_until")),
        )


def _day(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None
