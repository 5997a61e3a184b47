"""Consumer text at its worst, in every field of a letter (the bad-input catalogue, B231-B245).

A field either refuses a text by name or prints it as text; there is no third way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from letters.content import AnyLetter, LetterError, content_from_dict, to_dict

# By row of the catalogue. The addresses are never to be asked for; the pages would show it.
TEXTS: Final[dict[str, str]] = {
    "B231 name of 50 kB": "N" * 50_001,
    "B231 long word": "Donaudampfschifffahrtsgesellschaft" * 5,
    "B233 nested tags": "<b><i>" * 30,
    "B235 long description": "words and words " * 2_000,
    "B236 link": '<link rel=attachment href="file:///etc/passwd">',
    "B237 image": "<img src=http://169.254.169.254/latest>",
    "B238 style": "<style>@import 'http://127.0.0.1:9/x';</style>",
    "B239 data": '<img src="data:image/png;base64,AAAA">',
    "B240 svg": '<svg><image href="file:///etc/passwd"/></svg>',
    "B241 eps": "%!PS-Adobe-3.0 EPSF-3.0",
    "B242 right to left": "שלום עולם",
    "B242 emoji": "family 👨‍👩‍👧",
    "B242 scripts": "Łukasz Ελένη Їжакевич",
    "B243 invisible": "RC-7K2M\u00ad-\u200b9QX4",
    "B245 template": "{{ 7*7 }} {{ ''.__class__ }} {% include '/etc/passwd' %}",
}
FIXED: Final = ("kind", "version", "mode")  # they say what a thing is; no person writes them


def spoiled(letter: AnyLetter, text: str) -> tuple[AnyLetter, dict[str, str]]:
    """The letter with `text` in every field that takes it, and the name of the refusal by field."""
    stored = to_dict(letter)
    refused: dict[str, str] = {}
    for where in list(_texts(stored)):
        before = _put(stored, where, text)
        try:
            content_from_dict(stored)
        except LetterError as refusal:
            refused[".".join(str(step) for step in where)] = type(refusal).__name__
            _put(stored, where, before)
    return content_from_dict(stored), refused


def _texts(value: Any, where: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, str):
        yield where
    elif isinstance(value, dict):
        for key, member in value.items():
            if key not in FIXED:
                yield from _texts(member, (*where, key))
    elif isinstance(value, list):
        for member in value[:1]:  # the rows of a list are alike: the first stands for all
            yield from _texts(member, (*where, 0))


def _put(value: Any, where: tuple[Any, ...], text: str) -> str:
    """Returns what stood there before."""
    for step in where[:-1]:
        value = value[step]
    before: str = value[where[-1]]
    value[where[-1]] = text
    return before
