"""From which age a person signs for themself: data/adulthood.yaml, read and checked."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Annotated, Final, Literal

from pydantic import Field

from app.law.records import DATA, Record, read

FILE: Final = DATA / "adulthood.yaml"


class Age(Record):
    """`years` of age, by `law`; unverified ones only ever ask for more care."""

    years: Annotated[int, Field(ge=12, le=25, strict=True)]
    law: Annotated[str, Field(min_length=1, max_length=200)]
    source: Annotated[str, Field(max_length=300)] | None
    verified: bool


class PlaceAge(Age):
    place: Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z]{2})?$")]


class _File(Record):
    schema_version: Literal[1]
    default: Age
    records: tuple[PlaceAge, ...]


@cache
def _file() -> _File:
    return read(_File, FILE)


def age_of(place: str) -> Age:
    """Of a state, else of its country, else the default."""
    found = {one.place: one for one in _file().records}
    return found.get(place) or found.get(place.partition("-")[0]) or _file().default


def is_minor(born: date, on: date, place: str) -> bool:
    """Whether somebody born then signs through a guardian on that day. Born on 29 February, they
    come of age on 1 March of a common year."""
    age = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    return age < age_of(place).years
