"""Words to consumers: texts in YAML by language, filled with a notice's codes, dates and sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from app.texts import LANGUAGES, Words
from app.texts import words as ways_of
from app.texts.words import held

FOLDER = Path(__file__).parent
PAPER_WAYS = ("post", "phone", "site")
FALLBACK = "update"  # a code without words of its own still reaches the person


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
    loaded: dict[str, Any] = yaml.safe_load(held((FOLDER / f"{chosen}.yaml").read_text("utf-8")))
    return loaded


def write_notice(
    code: str,
    params: Mapping[str, str],
    *,
    language: str,
    currency: str,
    paper: Mapping[str, str] | None = None,
    **common: str,
) -> Notice:
    """The notice `code`. `common` are name, company, reference, link and agency. On `paper` it says
    how to answer by post, phone and site, as far as these are given: a link cannot be clicked."""
    table = words(language)
    entry = table["notices"].get(code) or table["notices"][FALLBACK]
    filled = _Blank(common | readable(params, table, ways_of(language), currency))
    for term in table["terms"]:  # a word of ours may name the company or a day
        filled[term] = filled[term].format_map(_Blank(filled))
    parts = [table["greeting"].format_map(filled), entry["text"].strip().format_map(filled)]
    if filled["waiting_on"]:
        parts.append(table["waiting"].format_map(filled))
    if then := table["then"].get(params.get("then", ""), ""):
        parts.append(then.format_map(filled))
    if paper is None:
        parts.append(table["closing"].format_map(filled))
    else:
        ways = [table["paper"][way] for way in PAPER_WAYS if paper.get(way)]
        filled |= paper
        parts += [way.format_map(filled) for way in ways] + [filled["agency"]]
    subject = table["subject"].format_map(_Blank(filled | {"what": entry["subject"]}))
    return Notice(subject.format_map(filled), "\n\n".join(p.strip() for p in parts) + "\n")


def readable(
    params: Mapping[str, str], table: Mapping[str, Any], ways: Words, currency: str
) -> dict[str, str]:
    """Dates as dates, sums with their currency, codes in a notice's own words, else in ours."""
    terms = table["terms"]
    return {
        name: terms.get(name, {}).get(value) or ways.value(name, value, currency, None)
        for name, value in params.items()
    }
