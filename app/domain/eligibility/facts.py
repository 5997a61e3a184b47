"""The answers of one intake by their meaning: known, `unknown`, or `none` (did not happen)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

UNKNOWN: Final = "unknown"
NONE: Final = "none"


class FactUnknown(Exception):
    """A fact on the path of a test is not known: the consumer is asked before anything is said."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class Answers:
    """One flat object in the vocabulary of facts.yaml. An absent fact is as good as unknown."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = given

    def get(self, key: str) -> Any:
        """The answer, or None when it is unknown or absent (`none` stays the word)."""
        value = self._given.get(key)
        return None if value == UNKNOWN else value

    def absent(self, key: str) -> bool:
        return key not in self._given

    def need(self, key: str) -> Any:
        """The answer. Raises FactUnknown."""
        value = self.get(key)
        if value is None:
            raise FactUnknown(key)
        return value

    def text(self, key: str) -> str:
        """The word of an enum, "" when unknown."""
        return str(self.get(key) or "")

    def yes(self, key: str) -> bool:
        return self.get(key) is True

    def no(self, key: str) -> bool:
        return self.get(key) is False

    def day(self, key: str) -> date | None:
        """The date; None when unknown, absent or `none`."""
        value = self.get(key)
        return None if value in (None, NONE) else date.fromisoformat(str(value))

    def never(self, key: str) -> bool:
        """It did not happen, by the consumer's own word."""
        return bool(self._given.get(key) == NONE)

    def number(self, key: str) -> int | None:
        value = self.get(key)
        return None if value in (None, NONE) else int(value)

    def instant(self, key: str) -> datetime:
        """`YYYY-MM-DDThh:mm Area/City` as an instant. Raises FactUnknown."""
        clock, _, zone = str(self.need(key)).partition(" ")
        return datetime.fromisoformat(clock).replace(tzinfo=ZoneInfo(zone))

    def listed(self, key: str) -> Sequence[Any]:
        """The entries as given; () when unknown. An entry may be the word `unknown`."""
        value = self.get(key)
        return value if isinstance(value, list | tuple) else ()

    def entries(self, key: str) -> Sequence[Mapping[str, Any]]:
        """The entries of which something is known."""
        return [entry for entry in self.listed(key) if isinstance(entry, Mapping)]

    def vague(self, key: str) -> bool:
        """Whether the list, or one of its entries, is not known."""
        return self.get(key) is None or UNKNOWN in self.listed(key)

    @property
    def kind(self) -> str:
        return self.text("claim_kind")

    @property
    def told_on(self) -> date | None:
        return self.day("first_written_complaint")
