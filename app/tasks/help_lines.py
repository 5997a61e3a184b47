"""Whom a person in distress can call where they live (help_lines.yaml)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import yaml

_FILE: Final = Path(__file__).with_name("help_lines.yaml")
_UNION: Final = "EU"


@dataclass(frozen=True, slots=True)
class HelpLine:
    """`hours` is None where nobody has read them; `verified`: see the head of the file."""

    country: str
    name: str
    number: str
    hours: str | None
    source: str
    verified: bool


def help_lines(country: str) -> tuple[HelpLine, ...]:
    """The lines of a country (`US-CA` is the US), its own first; none where we know none."""
    lines, union = _load()
    home = country.partition("-")[0].upper()
    places = (home, _UNION) if home in union else (home,)
    return tuple(line for place in places for line in lines if line.country == place)


@lru_cache(maxsize=1)
def _load() -> tuple[tuple[HelpLine, ...], frozenset[str]]:
    data = yaml.safe_load(_FILE.read_text("utf-8"))
    return tuple(HelpLine(**line) for line in data["lines"]), frozenset(data["eu"])
