"""The phrase files, and how a phrase becomes a pattern (data/README.md)."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

DATA = Path(__file__).resolve().parent / "data"
LANGUAGES = ("en", "fi", "sv", "fr", "de")
GAP_WORDS = 9
WORD_START = r"(?<!\w)"
_SPECIAL = set("\\.^$+{}")
_FLAT = str.maketrans({"’": "'", "‘": "'", "´": "'", "`": "'", "\u00a0": " ", "\u202f": " ",
                       "\u2009": " ", "\u2007": " ", "\t": " ", "\u00ad": "-"})  # fmt: skip
Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # every scalar stays text: "on", "no"


def flat(text: str) -> str:
    """Curly apostrophes and odd blanks made plain, one for one: places in the text stay."""
    if text.isascii():
        return text.replace("\t", " ").replace("`", "'")
    return text.translate(_FLAT)


def pattern_of(phrase: str) -> str:
    """The regular expression of one phrase in the notation of data/README.md."""
    text = " ".join(phrase.split())
    text = re.sub(r" \[([^\]]*)\](?=$| *\))", r"(?: (?:\1))??", text)
    text = re.sub(r"\[([^\]]*)\] ", r"(?:(?:\1) )??", text)
    text = text.replace(".. ", "\x00")
    out = []
    for place, sign in enumerate(text):
        if sign == "\x00":
            out.append(rf"(?:\S+\s+){{0,{GAP_WORDS}}}?")
        elif sign == "*":
            out.append(r"\w*")
        elif sign == "#":
            out.append(r"\d[\d.,]*")
        elif sign == " ":
            out.append(r"\s+")
        elif sign in _SPECIAL and not (sign in "\\." and _escaped(text, place)):
            out.append(sign if sign == "\\" or (sign == "^" and place == 0) else re.escape(sign))
        else:
            out.append(sign)
    body = "".join(out)
    head = WORD_START if text[:1].isalnum() or text[:1] in "(#" else ""
    tail = r"(?!\w)" if text[-1:].isalnum() or text[-1:] in ")?" else ""
    return f"{head}(?:{body}){tail}"


def _escaped(text: str, place: int) -> bool:
    return place > 0 and text[place - 1] == "\\"


def pattern_of_any(phrases: list[str]) -> re.Pattern[str]:
    """One pattern for a list; an empty list matches nothing."""
    made = [pattern_of(p) for p in phrases]
    # What begins at the start of a word is tried there only: one look behind for all of them.
    at_words = [m.removeprefix(WORD_START) for m in made if m.startswith(WORD_START)]
    anywhere = [m for m in made if not m.startswith(WORD_START)]
    if at_words:
        anywhere.insert(0, f"{WORD_START}(?:{'|'.join(at_words)})")
    return re.compile("|".join(anywhere) or r"(?!)", re.IGNORECASE)


@dataclass(frozen=True)
class Phrases:
    """One language's file. `pattern(name)` is made at its first use."""

    language: str
    lists: dict[str, Any]

    def pattern(self, name: str) -> re.Pattern[str]:
        return _compiled(self.language, name)

    def words(self, name: str) -> list[str]:
        found: list[str] = self.lists.get(name, [])
        return found

    def numbers(self) -> dict[str, int]:
        return {word: int(n) for word, n in self.lists["number_words"].items()}


@functools.cache
def phrases(language: str) -> Phrases:
    """The file of `language`."""
    with (DATA / f"{language}.yaml").open(encoding="utf-8") as source:
        return Phrases(language, yaml.load(source, Loader=Loader))  # noqa: S506  # a base loader


@functools.cache
def _compiled(language: str, name: str) -> re.Pattern[str]:
    return pattern_of_any(phrases(language).words(name))


@functools.cache
def everywhere(name: str) -> re.Pattern[str]:
    """The list of that name of all languages in one pattern: for what comes before the language
    is known (quotes, signatures, footers)."""
    return pattern_of_any([p for language in LANGUAGES for p in phrases(language).words(name)])


@functools.cache
def common() -> dict[str, Any]:
    """What belongs to no language: the marks of mail software."""
    with (DATA / "common.yaml").open(encoding="utf-8") as source:
        found: dict[str, Any] = yaml.load(source, Loader=Loader)  # noqa: S506  # a base loader
    return found


@functools.cache
def common_pattern(name: str) -> re.Pattern[str]:
    return pattern_of_any(common()[name])
