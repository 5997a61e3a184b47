"""Loads the words once and fills their blanks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from app.domain.errors import InvalidInput
from app.domain.money import Money

LANGUAGES = ("en", "fi")
FALLBACK = "en"
_FOLDER = Path(__file__).parent
_BLANK = re.compile(r"\{([a-z_]+)\}")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}[0-9:.]*(Z|[+-]\d{2}:\d{2})", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_CODE = re.compile(r"[a-z_]+", re.ASCII)  # a code without words reads as its own; names stay
_AMOUNTS = ("amount", "fee", "value", "sum")  # parameters that are minor units of the case


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
            return self._value(name, params.get(name), currency, zone)

        return " ".join(_BLANK.sub(fill, sentence).split())

    def day(self, at: datetime, zone: ZoneInfo | None = None) -> str:
        local = at.astimezone(zone or UTC)
        return self._date(local.year, local.month, local.day)

    def _date(self, year: int, month: int, day: int) -> str:
        return str(self._data["date"]).format(day=day, month=self._months[month - 1], year=year)

    def _value(self, name: str, value: Any, currency: str | None, zone: ZoneInfo | None) -> str:
        if value is None or value == "None":
            return ""
        text = str(value)
        if name in _AMOUNTS and currency is not None and text.lstrip("-").isdigit():
            return self.money(int(text), currency)
        if _INSTANT.fullmatch(text):
            return self.day(datetime.fromisoformat(text), zone)
        if _DAY.fullmatch(text):
            return self._date(*(int(part) for part in text.split("-")))
        for group in self._data["params"].get(name, ()):
            if self.knows(group, text):
                return self.term(group, text)
        return text.replace("_", " ") if _CODE.fullmatch(text) else text

    def money(self, minor: int, currency: str) -> str:
        try:
            return str(Money(minor, currency))
        except InvalidInput:
            return f"{minor} {currency}"


@lru_cache(maxsize=len(LANGUAGES))
def _load(language: str) -> Words:
    document = (_FOLDER / f"{language}.yaml").read_text("utf-8")
    return Words(language, yaml.load(document, Loader=yaml.CSafeLoader))


def words(language: str) -> Words:
    """The words of a language, English where we have none of it."""
    return _load(language if language in LANGUAGES else FALLBACK)
