"""Whether a postman can deliver it: the form of a postal address, before anything is printed.

The form only. Whether the house stands, and who lives there, the post says by returning the letter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

LINES_MAX: Final = 8  # name, six lines and a country: what the window of an envelope shows
LINE_CHARS_MAX: Final = 80  # two rows of the window's 80 mm; longer ones push the town out of it
DATA: Final = Path(__file__).parent / "countries.yaml"


class Undeliverable(ValueError):
    """`code` is one of no_address, no_street, too_many_lines, line_too_long, unprintable and
    no_postal_code; the message is a sentence without the address."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


@dataclass(frozen=True, slots=True)
class Country:
    """`line` matches the line with the postal code; with `town_above` the town may stand in the
    line before it."""

    code: str
    names: frozenset[str]  # as written on envelopes, folded
    line: re.Pattern[str]
    town_above: bool


@dataclass(frozen=True, slots=True)
class Postal:
    """An address taken apart. `known` is False where the country has no pattern: then `street`
    holds every line below the name and the other parts are empty."""

    name: str
    street: tuple[str, ...]
    code: str
    town: str
    region: str
    country: str  # ISO 3166-1 alpha-2, upper case; "" when nobody said
    known: bool


@lru_cache(maxsize=1)
def countries() -> dict[str, Country]:
    """The countries whose addresses we can judge."""
    data: Mapping[str, Any] = yaml.safe_load(DATA.read_text("utf-8"))
    return {
        code: Country(
            code,
            frozenset(name.casefold() for name in given["names"]),
            re.compile(given["line"], re.IGNORECASE),
            bool(given.get("town_above", False)),
        )
        for code, given in data.items()
    }


def check_address(
    lines: Sequence[str], country: str, known: Mapping[str, Country] | None = None
) -> Postal:
    """The address of an envelope, name first, taken apart; a last line that names a country wins
    over `country`. Raises Undeliverable."""
    known = countries() if known is None else known
    clean = [" ".join(line.split()) for line in lines]
    clean = [line for line in clean if line]
    _check_form(clean)
    named = _named(clean[-1], known)
    code = named or country.upper()
    body = clean[1:-1] if named else clean[1:]
    rule = known.get(code)
    if rule is None:
        return Postal(clean[0], tuple(body), "", "", "", code, known=False)
    return _taken_apart(clean[0], body, rule)


def _check_form(lines: Sequence[str]) -> None:
    if len(lines) < 2:
        raise Undeliverable("no_address", "there is no postal address")
    if len(lines) > LINES_MAX:
        raise Undeliverable("too_many_lines", f"an address has at most {LINES_MAX} lines")
    if any(len(line) > LINE_CHARS_MAX for line in lines):
        raise Undeliverable("line_too_long", f"a line has at most {LINE_CHARS_MAX} characters")
    if not all(line.isprintable() for line in lines):
        raise Undeliverable("unprintable", "the address has characters nobody can print")


def _named(line: str, known: Mapping[str, Country]) -> str | None:
    folded = line.casefold()
    return next((c.code for c in known.values() if folded in c.names), None)


def _taken_apart(name: str, body: Sequence[str], rule: Country) -> Postal:
    """The line with the postal code is the last one that has one: below it stand at most such words
    as CEDEX lines of their own."""
    for at in range(len(body) - 1, max(-1, len(body) - 3), -1):
        found = rule.line.fullmatch(body[at])
        if found is None:
            continue
        parts = found.groupdict()
        town, street = parts.get("town") or "", list(body[:at])
        if not town and rule.town_above and street:
            town = street.pop()
        if not street and ", " in town:  # the street stands in the same line
            before, _, town = town.rpartition(", ")
            street = [before]
        if not town:
            continue
        if not street:
            raise Undeliverable("no_street", "there is no street, box or house above the town")
        region = parts.get("region") or ""
        return Postal(
            name, tuple(street), parts["code"].upper(), town, region.upper(), rule.code, known=True
        )
    raise Undeliverable(
        "no_postal_code", f"no line has a postal code and a town as addresses in {rule.code} do"
    )
