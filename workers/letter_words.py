"""Words a letter needs for codes of a case, by language (letter_words.yaml)."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_suffix(".yaml")


@lru_cache(maxsize=1)
def _words() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    return loaded


def kind_in_words(kind: str, language: str) -> str:
    """What the claim is about, as a noun: `air` is "flight"."""
    return str(_words()[language]["kinds"].get(kind, kind.replace("_", " ")))


def country_in_words(code: str, language: str) -> str:
    """The country's name; a code we have no word for (or a state, `US-CA`) by its country's."""
    country = code.partition("-")[0]
    return str(_words()[language]["countries"].get(country, country))


def subject_in_words(kind: str, language: str) -> str:
    """The letter's name in a mail's subject and in lists, by the letter's kind."""
    return str(_words()[language]["subjects"][kind])
