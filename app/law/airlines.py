"""Airlines by the two characters of their flight numbers: a code nobody knows is refused, a name
that is not on the list is a candidate that a person confirms. The rows are data/airlines.yaml."""

from __future__ import annotations

import re
from functools import cache
from typing import Annotated, Final, Literal

from pydantic import Field

from app.law.records import DATA, LawDataInvalid, Record, read

CODE: Final = re.compile(r"[A-Z0-9]{2}", re.ASCII)
UNNAMED: Final = frozenset({"unknown", "none", "n/a", "not known"})
# Legal forms and words that a name on paper has and the list leaves out.
_FORM: Final = re.compile(
    r"\b(a/?s|ab|abp|ag|asa|bv|corp|dac|gmbh|inc|kg|limited|llc|ltd|n\.?v|oyj?|plc|s\.?a\.?s?|spa)\b\.?"
)


class AirlineRow(Record):
    code: Annotated[str, Field(pattern=r"^[A-Z0-9]{2}$")]
    name: Annotated[str, Field(min_length=2, max_length=100)]
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


class _File(Record):
    source: str
    verified: bool
    as_of: str
    airlines: Annotated[list[AirlineRow], Field(min_length=1, max_length=2_000)]


@cache
def _file() -> _File:
    found = read(_File, DATA / "airlines.yaml")
    for what in ("code", "name"):
        values = [getattr(row, what) for row in found.airlines]
        if twice := sorted({one for one in values if values.count(one) > 1}):
            raise LawDataInvalid(f"airlines.yaml: {what} twice: {', '.join(twice)}")
    return found


@cache
def _by_code() -> dict[str, AirlineRow]:
    return {row.code: row for row in _file().airlines}


@cache
def _by_name() -> dict[str, AirlineRow]:
    return {_plain(row.name): row for row in _file().airlines}


def _plain(name: str) -> str:
    return " ".join(_FORM.sub(" ", name.casefold()).replace(",", " ").split())


def by_code(code: str) -> AirlineRow | None:
    return _by_code().get(code)


def by_name(name: str) -> AirlineRow | None:
    """By its name with or without its legal form."""
    return _by_name().get(_plain(name))


def matter_with(name: str) -> Literal["code", "no_name"] | None:
    """What is wrong with what was given as the name of an airline: a code that none has, or no
    word at all. None: it is the name of somebody."""
    if CODE.fullmatch(name):
        return None if by_code(name) else "code"
    return None if any(c.isalpha() for c in name) and len(name) > 1 else "no_name"
