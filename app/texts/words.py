"""Loads the words once and fills their blanks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from app.domain.errors import InvalidInput
from app.domain.money import Money

LANGUAGES = ("en", "fi", "sv", "fr", "de")
FALLBACK = "en"
_FOLDER = Path(__file__).parent
_BLANK = re.compile(r"\{([a-z_]+)\}")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}[0-9:.]*(Z|[+-]\d{2}:\d{2})", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_CODE = re.compile(r"[a-z_]+", re.ASCII)  # a code without words reads as its own; names stay
_SPACES = re.compile(r"[ \n]{2,}")  # what a blank left empty leaves behind
# A space before these signs never ends a line: "Why :" in French, "25 %" everywhere.
_HELD = re.compile(r" (?=[:;!?%»])|(?<=«) ")
_AMOUNTS = ("amount", "fee", "net", "value", "sum")  # parameters that are minor units of the case


class Words:
    """One language. `say` fills a sentence; `term` translates one code of a list of codes."""

    def __init__(self, language: str, data: Mapping[str, Any]) -> None:
        self.language = language
        self._data = data
        self._months: list[str] = data["months"]

    def term(self, group: str, code: str | None) -> str:
        """The word for a code; an unknown one reads as itself, never as nothing."""
        if not code:
            return ""
        found = self._data[group].get(code)
        return str(found) if found is not None else code.replace("_", " ").replace(".", " ")

    def knows(self, group: str, code: str) -> bool:
        return code in self._data[group]

    def codes(self, group: str) -> frozenset[str]:
        return frozenset(self._data[group])

    def groups(self) -> frozenset[str]:
        return frozenset(k for k, v in self._data.items() if isinstance(v, dict))

    def document(self, group: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._data[group]
        return found

    def say(
        self,
        group: str,
        code: str,
        params: Mapping[str, Any],
        *,
        currency: str | None = None,
        zone: ZoneInfo | None = None,
    ) -> str:
        """The sentence of a code with its blanks filled; blanks nobody filled are left out."""
        sentence = self.term(group, code)

        def fill(match: re.Match[str]) -> str:
            name = match[1]
            return self.value(name, params.get(name), currency, zone)

        return _SPACES.sub(" ", _BLANK.sub(fill, sentence)).strip()

    def day(self, at: datetime, zone: ZoneInfo | None = None) -> str:
        local = at.astimezone(zone or UTC)
        return self.whole_day(local.date())

    def whole_day(self, day: date) -> str:
        """A day as people write it in this language: "1er mars 2026", "1. März 2026"."""
        shown = str(self._data["first_day"]) if day.day == 1 else str(day.day)
        month = self._months[day.month - 1]
        return str(self._data["date"]).format(day=shown, month=month, year=day.year)

    def dated(self, text: str, zone: ZoneInfo | None = None) -> str | None:
        """An ISO day or instant as people write the day; None for anything else."""
        try:
            if _INSTANT.fullmatch(text):
                return self.day(datetime.fromisoformat(text), zone)
            return self.whole_day(date.fromisoformat(text)) if _DAY.fullmatch(text) else None
        except ValueError:  # the form of a date, but no day of the calendar
            return None

    def value(self, name: str, value: Any, currency: str | None, zone: ZoneInfo | None) -> str:
        """One parameter of a sentence as words: a sum, a day, a code of ours, or as it came."""
        if value is None or value == "None":
            return ""
        text = str(value)
        if name in _AMOUNTS and currency is not None and text.lstrip("-").isdigit():
            return self.money(int(text), currency)
        if (day := self.dated(text, zone)) is not None:
            return day
        for group in self._data["params"].get(name, ()):
            if self.knows(group, text):
                return self.term(group, text)
        return text.replace("_", " ") if _CODE.fullmatch(text) else text

    def money(self, minor: int, currency: str) -> str:
        """Minor units as people write the sum: "1 234,50 €"; a currency not ours as it came."""
        try:
            plain = Money(minor, currency).format()
        except InvalidInput:
            return f"{minor} {currency}"
        way = self._data["money"]
        sign = way["signs"].get(currency)
        form = way["with_sign"] if sign else way["with_code"]
        number = self.decimal(plain.removeprefix("-"))
        return ("-" if minor < 0 else "") + str(form).format(number=number, sign=sign or currency)

    def decimal(self, plain: str) -> str:
        """Digits with a point ("1234.50") with this language's signs between them."""
        way = self._data["money"]
        whole, _, rest = plain.partition(".")
        grouped = f"{int(whole):,}".replace(",", way["group"])
        return grouped + (way["decimal"] + rest if rest else "")


@lru_cache(maxsize=len(LANGUAGES))
def _load(language: str) -> Words:
    document = (_FOLDER / f"{language}.yaml").read_text("utf-8")
    return Words(language, yaml.load(held(document), Loader=yaml.CSafeLoader))


def held(text: str) -> str:
    """The text with the spaces made unbreakable that may not end a line."""
    return _HELD.sub("\u00a0", text)


def words(language: str) -> Words:
    """The words of a language, English where we have none of it."""
    return _load(language if language in LANGUAGES else FALLBACK)
