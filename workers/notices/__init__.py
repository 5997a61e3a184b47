"""Words to consumers: texts in YAML by language, filled with a notice's codes, dates and sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from app.domain.money import Money

FOLDER = Path(__file__).parent
LANGUAGES = ("en", "fi")
FALLBACK = "update"  # a code without words of its own still reaches the person
AMOUNTS = ("amount", "fee", "value", "net")  # parameters in minor units of the case's currency


@dataclass(frozen=True, slots=True)
class Notice:
    subject: str
    text: str


class _Blank(dict[str, str]):
    """A parameter that this code did not get leaves a blank, never an error on its way out."""

    def __missing__(self, key: str) -> str:
        return ""


@lru_cache(maxsize=8)
def words(language: str) -> dict[str, Any]:
    chosen = language if language in LANGUAGES else "en"
    loaded: dict[str, Any] = yaml.safe_load((FOLDER / f"{chosen}.yaml").read_text("utf-8"))
    return loaded


def write_notice(
    code: str, params: Mapping[str, str], *, language: str, currency: str, **common: str
) -> Notice:
    """The notice `code`. `common` are name, company, reference, link and agency."""
    table = words(language)
    entry = table["notices"].get(code) or table["notices"][FALLBACK]
    filled = _Blank(common | readable(params, table, language, currency))
    for term in table["terms"]:  # a word of ours may name the company
        filled[term] = filled[term].format_map(_Blank(common))
    parts = [table["greeting"].format_map(filled), entry["text"].strip().format_map(filled)]
    if filled["waiting_on"]:
        parts.append(table["waiting"].format_map(filled))
    if then := table["then"].get(params.get("then", ""), ""):
        parts.append(then.format_map(filled))
    parts.append(table["closing"].format_map(filled))
    subject = table["subject"].format_map(_Blank(filled | {"what": entry["subject"]}))
    return Notice(subject.format_map(filled), "\n\n".join(p.strip() for p in parts) + "\n")


def readable(
    params: Mapping[str, str], table: Mapping[str, Any], language: str, currency: str
) -> dict[str, str]:
    """Dates as dates, sums with their currency, codes in words."""
    out: dict[str, str] = {}
    for name, value in params.items():
        if name in AMOUNTS and value.lstrip("-").isdigit():
            out[name] = Money(int(value), currency).format()
        elif name in table["terms"]:
            out[name] = table["terms"][name].get(value, value.replace("_", " "))
        else:
            out[name] = day(value, language)
    return out


def day(value: str, language: str) -> str:
    """An ISO date or instant as people write it; anything else unchanged."""
    if len(value) < 10 or value[4:5] != "-":
        return value
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        return value
    if language == "fi":
        return f"{instant.day}.{instant.month}.{instant.year}"
    return f"{instant.day} {MONTHS[instant.month - 1]} {instant.year}"


MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
