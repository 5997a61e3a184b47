"""The data of the gates, read once and checked against the law's own files."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from app.domain.gates import GateRules
from app.law import reference
from app.law.records import Record, read

FILE: Final = Path(__file__).with_name("gates.yaml")
ANY_KIND: Final = "*"


def _licence_rule(value: str) -> str:
    if value not in reference.licences():
        raise ValueError(f"there is no licence rule {value}")
    return value


LicenceRule = Annotated[str, AfterValidator(_licence_rule)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
StaffRole = Literal["handler", "senior", "legal"]


class _Sourced(Record):
    source: Annotated[str, Field(min_length=3)]


class _Insurance(_Sourced):
    rule: LicenceRule


class _NotNeeded(_Sourced):
    country: Country
    rule: LicenceRule


class _Rail(_Sourced):
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    rail: str


class _Route(Record):
    route: str
    states: list[str]


class _File(Record):
    schema_version: Literal[1]
    insurance_needed: list[_Insurance]
    licence_not_needed: list[_NotNeeded]
    roles: list[str]
    claimed_from: dict[str, list[str]]
    released_first: list[_Route]
    asked_about: list[_Route]
    rails: list[_Rail]
    lifted_by: dict[str, list[StaffRole]]


@cache
def _file() -> _File:
    """Raises LawDataInvalid, also where it names a role or kind that does not exist."""
    return read(_File, FILE)


@cache
def gate_rules() -> GateRules:
    data = _file()
    return GateRules(
        insurance_needed=frozenset(one.rule for one in data.insurance_needed),
        licence_not_needed={one.country: one.rule for one in data.licence_not_needed},
        roles={kind: frozenset(roles) for kind, roles in data.claimed_from.items()},
        released_first=_pairs(data.released_first),
        asked_about=_pairs(data.asked_about),
        rails=frozenset(one.currency for one in data.rails),
        lifted_by={gate: tuple(roles) for gate, roles in data.lifted_by.items()},
    )


def roles() -> tuple[str, ...]:
    """What a company can be to a claim."""
    return tuple(_file().roles)


def _pairs(routes: list[_Route]) -> frozenset[tuple[str, str]]:
    return frozenset((one.route, state) for one in routes for state in one.states)
