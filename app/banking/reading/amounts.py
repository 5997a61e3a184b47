"""Amounts and days of bank files: whole minor units, never a float, never rounded."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date
from functools import lru_cache
from typing import Final

from app.banking.reading.model import StatementInvalid
from app.domain.money import EXPONENTS, MINOR_MAX

# Replaced by the euro or redenominated: nobody claims in them, but old statements are read.
HISTORIC: Final[dict[str, int]] = {
    **dict.fromkeys(
        [
            "ATS",
            "DEM",
            "FRF",
            "FIM",
            "NLG",
            "IEP",
            "SIT",
            "SKK",
            "EEK",
            "LVL",
            "LTL",
            "CYP",
            "MTL",
            "HRK",
            "GRD",
            "TRL",
            "ROL",
            "BGL",
            "PLZ",
            "VEF",
            "ZMK",
            "CNH",
        ],
        2,
    ),
    **dict.fromkeys(["BEF", "ESP", "ITL", "LUF", "PTE"], 0),
    **dict.fromkeys(("XXX",), 2),
}
DECIMALS: Final[dict[str, int]] = {**HISTORIC, **EXPONENTS}

_AMOUNT: Final = re.compile(r"([0-9]{0,24})(?:[.,]([0-9]{0,12}))?")
_DAY: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?!\d)")


@lru_cache(maxsize=1024)  # a bank writes the same sum for an entry and for its payment
def minor_units(text: str, currency: str, *, point: str = ".") -> int:
    """``text`` in minor units of ``currency``; StatementInvalid for a sign, a thousands separator,
    an unknown currency, or decimals that are not exact in it (8.855 EUR; 8.850 is 8.85)."""
    decimals = DECIMALS.get(currency)
    if decimals is None:
        raise StatementInvalid("An amount is in a currency that is not known.", currency=currency)
    found = _AMOUNT.fullmatch(text) if text.isascii() else None
    if found is None or not (found[1] or found[2]) or (found[2] is not None and point not in text):
        raise StatementInvalid("An amount is not plain digits with a point.", amount=text[:40])
    fraction = (found[2] or "").rstrip("0")
    if len(fraction) > decimals:
        raise StatementInvalid(
            "An amount has more decimals than its currency.", amount=text[:40], currency=currency
        )
    minor = int((found[1] or "0") + fraction.ljust(decimals, "0"))
    if minor > MINOR_MAX:
        raise StatementInvalid("An amount is too large.", amount=text[:40])
    return minor


def written(minor: int, currency: str) -> str:
    """Plain digits with the currency's decimals, as `Money.format`."""
    decimals = DECIMALS[currency]
    digits = str(abs(minor)).rjust(decimals + 1, "0")
    sign = "-" if minor < 0 else ""
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}" if decimals else sign + digits


@lru_cache(maxsize=1024)
def iso_day(text: str | None) -> date | None:
    """The day of an ISO date or date and time, as the bank wrote it (its own zone). None when
    there is none; StatementInvalid for a day that no calendar has."""
    found = _DAY.match(text) if text else None
    if found is None:
        return None
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        raise StatementInvalid("The file has an impossible date.", date=str(text)[:20]) from None


def day_of(year: int, month: int, day: int) -> date:
    """A day of MT940. German banks count months of 30 days: 30 February is its last day."""
    if month == 2 and day in (29, 30):
        day = min(day, monthrange(year, 2)[1])
    try:
        return date(year, month, day)
    except ValueError:
        raise StatementInvalid(
            "The file has an impossible date.", date=f"{year}-{month:02}-{day:02}"
        ) from None
