"""Which of a statement's balances it opens and closes with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

# In this order: booked before available, the day's own before the day's before.
OPENING: Final = ("OPBD", "PRCD", "ITBD", "OPAV", "ITAV")
CLOSING: Final = ("CLBD", "ITBD", "CLAV", "ITAV")


@dataclass(frozen=True, slots=True)
class Balance:
    """One balance, signed minor units. ``interim``: of a page, not of the statement."""

    code: str
    minor: int
    currency: str
    on: date | None
    interim: bool = False


def opening_of(balances: Sequence[Balance]) -> Balance | None:
    """The earliest of the first kind that stands there: a statement of several days may name the
    balance of each. The first of equals."""
    for code in OPENING:
        found = [b for b in balances if b.code == code]
        if code in ("ITBD", "ITAV") and len(found) < 2:
            continue  # one interim balance is where it closes, not where it opened
        if found:
            return min(found, key=lambda b: b.on or date.max)
    return None


def closing_of(balances: Sequence[Balance]) -> Balance | None:
    """The latest of the first kind that stands there; the last of equals."""
    for code in CLOSING:
        found = [b for b in balances if b.code == code]
        if found:
            return max(reversed(found), key=lambda b: b.on or date.min)
    return None
