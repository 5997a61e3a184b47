"""Every sentence of every template, for a lawyer or a translator to read and mark."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from letters.values import LANGUAGES

TEMPLATES: Final = Path(__file__).parent / "templates"
_TAG = re.compile(r"<[^>]+>")
_CONTROL = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.S)
_QUOTED = re.compile(r'"([^"]*[^\W\d_][^"]*)"')
_SET = re.compile(r"\{%-?\s*set .*?%\}", re.S)


class Sentence(NamedTuple):
    """One line of a template. `{{ ... }}` stands where a letter's own value is printed."""

    template: str
    language: str
    line: int
    text: str


def sentences() -> Iterator[Sentence]:
    """By template, then language, in the order of the files."""
    names = sorted({path.name for path in TEMPLATES.glob("en/*.jinja")})
    for name in names:
        for language in LANGUAGES:
            source = (TEMPLATES / language / name).read_text("utf-8")
            yield from _of(name.removesuffix(".html.jinja"), language, source)


def _of(template: str, language: str, source: str) -> Iterator[Sentence]:
    for found in _SET.finditer(source):
        line = source.count("\n", 0, found.start()) + 1
        for words in _QUOTED.findall(found[0]):
            yield Sentence(template, language, line, words)
    for line, text in enumerate(source.split("\n"), start=1):
        said = html.unescape(_TAG.sub(" ", _CONTROL.sub(" / ", text)))
        said = re.sub(r"(\s*/\s*)+", " / ", " ".join(said.split())).strip(" /")
        outside = re.sub(r"\{\{.*?\}\}", "", said)
        if re.search(r"[^\W\d_]{2}", outside) and not said.startswith(("{", "}", '"')):
            yield Sentence(template, language, line, said)
