"""What a draft still needs before it can be submitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STORY_LENGTH_MIN = 20  # characters: shorter than this nobody can tell what happened


@dataclass(frozen=True, slots=True)
class Missing:
    """`pointer` as in the body of create_case; `code` is translated on reading."""

    pointer: str
    code: str


def missing_in(
    *, company_text: str, what_happened: str, items: list[Mapping[str, Any]], reachable: bool = True
) -> list[Missing]:
    """The parts that are still missing, in the order of the form; empty when none is."""
    found = []
    if not company_text:
        found.append(Missing("/claim/company", "company_missing"))
    if len(what_happened) < STORY_LENGTH_MIN:
        found.append(Missing("/claim/what_happened", "story_missing"))
    if not items:
        found.append(Missing("/claim/items", "items_missing"))
    elif not any(item["counted"] for item in items):
        found.append(Missing("/claim/items", "nothing_in_case_currency"))
    if not reachable:
        found.append(Missing("/consumer/address", "address_missing"))
    return found


def missing_of_row(row: Mapping[str, Any]) -> list[Missing]:
    """The same of a case as read."""
    return missing_in(
        company_text=row["company_text"], what_happened=row["what_happened"], items=row["items"]
    )
