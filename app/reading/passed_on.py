"""A mail that somebody passed on inside their own: who wrote it, its subject, its words.

Whoever passes a mail on can have changed every word of it, so nothing here is ever more than `low`
in trust, and a person confirms it before it counts.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

import yaml

from app.reading.own_text import own_text
from app.reading.phrases import DATA, flat

LEAD_LINES_MAX = 4  # "Forwarded message", rules and blanks above the header lines
FIELDS_MIN, FIELDS_MAX = 3, 12
WORDS_MIN = 10  # characters; less is no answer
_FIELD = re.compile(r"^[>\s*]*([^\W\d][\w\- ]{0,20}?)\*?\s?:\*?\s*(.*)$")
_ADDRESS = re.compile(r"[^\s<>\"(),:;@\[\]\\]+@[^\s<>\"(),:;@\[\]\\]+")


@dataclass(frozen=True, slots=True)
class PassedOn:
    """`sender`: the address its header lines name, or ""."""

    sender: str
    subject: str
    text: str


def passed_on(text: str) -> PassedOn | None:
    """The mail below the writer's own words in `text`, where header lines in one of our languages
    stand above it; None for an ordinary quotation."""
    found = own_text(text)
    lines = (found.forwarded or found.quoted).split("\n")
    start = next((n for n, line in enumerate(lines[:LEAD_LINES_MAX]) if _field(line)), None)
    if start is None:
        return None
    fields: list[tuple[str, str]] = []
    end = start
    for end in range(start, min(start + FIELDS_MAX, len(lines))):
        field = _field(lines[end])
        if field is None:
            break
        fields.append(field)
    body = "\n".join(lines[end:]).strip()
    if len(fields) < FIELDS_MIN or len(body) < WORDS_MIN:
        return None
    address = _ADDRESS.search(_value(fields, "from"))
    return PassedOn(
        address[0].lower() if address else "", _value(fields, "subject").strip()[:500], body
    )


def _field(line: str) -> tuple[str, str] | None:
    match = _FIELD.match(flat(line))
    return (match[1].strip().lower(), match[2]) if match else None


def _value(fields: list[tuple[str, str]], name: str) -> str:
    return next((value for key, value in fields if key in _names()[name]), "")


@functools.cache
def _names() -> dict[str, frozenset[str]]:
    lists = yaml.safe_load((DATA / "passed_on.yaml").read_text("utf-8"))
    return {name: frozenset(words) for name, words in lists.items()}
