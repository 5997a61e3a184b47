"""The pack's sentences in five languages: words/<language>.yaml, every one with the same lines."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

import yaml

from app.texts import words

FOLDER: Final = Path(__file__).with_name("words")


class Texts:
    """One language; days and sums as its letters write them."""

    def __init__(self, language: str) -> None:
        self._lines = lines_of(language)
        self._words = words(language)

    def line(self, name: str, **blanks: object) -> str:
        """A sentence with its blanks filled. KeyError for a blank nobody fills."""
        return self._lines[name].format(**blanks)

    def day(self, day: date) -> str:
        return self._words.whole_day(day)

    def money(self, minor: int, currency: str) -> str:
        return self._words.money(minor, currency)


@cache
def lines_of(language: str) -> Mapping[str, str]:
    """Every sentence of a language by its name."""
    found: dict[str, str] = yaml.safe_load((FOLDER / f"{language}.yaml").read_text("utf-8"))
    return found
