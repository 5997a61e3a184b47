"""The seven ways to count a period, from data/regimes.yaml."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Annotated, Literal

from pydantic import Field

from app.domain.counting import Regime
from app.domain.errors import InvalidInput
from app.law.records import DATA, Record, read

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{1,40}$")]


class RegimeUnknown(InvalidInput):
    code = "regime_unknown"


class Short(Record):
    days: Annotated[int, Field(gt=0, lt=32)]
    purposes: Annotated[list[Name], Field(min_length=1)]


class RegimeIn(Record):
    id: Name
    version: Annotated[int, Field(gt=0)]
    law: str
    otherwise: bool
    moves: dict[Name, bool]
    purpose: Name
    backward: Literal["stays", "earlier"]
    two_working_days: bool
    short: Short | None = None
    regions: dict[str, str] = Field(default_factory=dict)
    source: str
    verified: bool
    unverified: list[str]
    as_of: date

    def domain(self) -> Regime:
        return Regime(
            id=self.id,
            version=self.version,
            law=self.law,
            source=self.source,
            purpose=self.purpose,
            otherwise=self.otherwise,
            moves=self.moves,
            backward=self.backward,
            two_working_days=self.two_working_days,
            short_days=self.short.days if self.short else 0,
            short_purposes=tuple(self.short.purposes) if self.short else (),
            regions=self.regions,
            unverified=tuple(self.unverified if self.verified else ("all of it",)),
        )


class RegimesFile(Record):
    schema_version: Literal[1]
    regimes: Annotated[list[RegimeIn], Field(min_length=1)]


@cache
def regimes() -> dict[str, Regime]:
    """All of them by id; read and checked once per process."""
    found = read(RegimesFile, DATA / "regimes.yaml").regimes
    assert len({r.id for r in found}) == len(found), "regimes.yaml names a regime twice"
    return {r.id: r.domain() for r in found}


def regime(name: str) -> Regime:
    """Raises RegimeUnknown with the names we know."""
    try:
        return regimes()[name]
    except KeyError:
        known = ", ".join(sorted(regimes()))
        raise RegimeUnknown(f"unknown period regime {name!r}; known: {known}") from None
