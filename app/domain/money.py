"""Exact money: integer minor units with an ISO 4217 currency, named roundings, exact splits.

Nothing here knows a clock, a database or a float. Every rounding in the project is one of the
functions below, so that a cent has only a few places where it can be won or lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.errors import InvalidInput

# Largest amount we carry, in minor units: ten billion euros. Far above any claim or any day's
# client money, far below 2**63, so that sums of a million of them still fit a database bigint.
MINOR_MAX: Final = 10**15

# The longest text we read as an amount: 16 digits, a point and the decimals, with room to spare.
AMOUNT_TEXT_MAX: Final = 32

_NO_DECIMALS: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DECIMALS: Final = "BHD IQD JOD KWD LYD OMR TND"
_TWO_DECIMALS: Final = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD "
    "CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD "
    "GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL "
    "MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN "
    "PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP "
    "SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST YER ZAR ZMW"
)

# ISO 4217: how many decimals a currency has. HUF keeps its two on paper although no coin shows
# them; MGA and MRU divide by five but are written with two.
EXPONENTS: Final[dict[str, int]] = {
    **dict.fromkeys(_TWO_DECIMALS.split(), 2),
    **dict.fromkeys(_NO_DECIMALS.split(), 0),
    **dict.fromkeys(_THREE_DECIMALS.split(), 3),
}

# ASCII digits only: [0-9], not \d, which would take Arabic-Indic and other digits for ours.
_AMOUNT: Final = re.compile(r"[0-9]{1,16}(?:\.[0-9]{1,12})?")


class AmountInvalid(InvalidInput):
    """A text or number is not an amount of that currency."""

    code = "amount_invalid"


class CurrencyUnknown(InvalidInput):
    """A code is not an ISO 4217 currency that we carry."""

    code = "currency_unknown"


class CurrencyMismatch(InvalidInput):
    """Two amounts in different currencies met; nothing converts silently."""

    code = "currency_mismatch"


def exponent(currency: str) -> int:
    """Decimals of ``currency`` by ISO 4217 (EUR 2, JPY 0, KWD 3). CurrencyUnknown if not ours."""
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise CurrencyUnknown("This currency is not known.", currency=currency[:8]) from None


@dataclass(frozen=True, slots=True)
class Money:
    """``minor`` units (cents, yen, fils) of ``currency``; may be negative where a delta is.

    Raises CurrencyUnknown for a code outside ISO 4217 and AmountInvalid beyond ``MINOR_MAX``.
    Comparison and arithmetic work within one currency and raise CurrencyMismatch otherwise.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        # bool is an int to Python, and True euros are a bug somewhere.
        if type(self.minor) is not int:
            raise AmountInvalid("An amount is a whole number of minor units.")
        exponent(self.currency)
        if abs(self.minor) > MINOR_MAX:
            raise AmountInvalid("The amount is too large.")

    @classmethod
    def zero(cls, currency: str) -> Money:
        """Nothing of ``currency``."""
        return cls(0, currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> Money:
        """Read what a person or a partner typed: ``12``, ``12.3``, ``12.30``.

        Refused with AmountInvalid: more decimals than the currency has, signs, blanks, commas,
        thousands separators, exponents, NaN, digits other than ASCII, more than ``MINOR_MAX``.
        """
        return cls(_to_minor(text, currency, trailing_zeros=False), currency)

    @classmethod
    def parse_bank(cls, text: str, currency: str) -> Money:
        """Read an amount from a bank file: as ``parse``, but surplus zeros are let through.

        Banks write EUR with 0 to 5 decimals (8.85, 8.850, 8.85000). A value that is not exact
        in minor units (8.855) is refused, never rounded.
        """
        return cls(_to_minor(text, currency, trailing_zeros=True), currency)

    def format(self) -> str:
        """Plain digits with the currency's decimals, e.g. ``-12.30``; ``parse`` reads it back."""
        decimals = exponent(self.currency)
        sign = "-" if self.minor < 0 else ""
        digits = str(abs(self.minor)).rjust(decimals + 1, "0")
        if decimals == 0:
            return sign + digits
        return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"

    @property
    def is_zero(self) -> bool:
        """True for exactly nothing."""
        return self.minor == 0

    def same_currency(self, other: Money) -> None:
        """Raise CurrencyMismatch unless both amounts are in one currency."""
        if self.currency != other.currency:
            raise CurrencyMismatch(
                "Amounts in different currencies do not mix.",
                left=self.currency,
                right=other.currency,
            )

    def __add__(self, other: Money) -> Money:
        self.same_currency(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self.same_currency(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        self.same_currency(other)
        return self.minor < other.minor

    def __le__(self, other: Money) -> bool:
        self.same_currency(other)
        return self.minor <= other.minor

    def __gt__(self, other: Money) -> bool:
        self.same_currency(other)
        return self.minor > other.minor

    def __ge__(self, other: Money) -> bool:
        self.same_currency(other)
        return self.minor >= other.minor

    def __str__(self) -> str:
        return f"{self.format()} {self.currency}"


def _to_minor(text: str, currency: str, *, trailing_zeros: bool) -> int:
    decimals = exponent(currency)
    if len(text) > AMOUNT_TEXT_MAX or not _AMOUNT.fullmatch(text):
        raise AmountInvalid("Write the amount as digits with a point, like 12.30.")
    whole, _, fraction = text.partition(".")
    if trailing_zeros:
        fraction = fraction.rstrip("0")
    if len(fraction) > decimals:
        raise AmountInvalid(
            "The amount has more decimals than its currency.",
            currency=currency,
            decimals=decimals,
        )
    return int(whole + fraction.ljust(decimals, "0"))


def sum_money(amounts: Iterable[Money], currency: str) -> Money:
    """Add up; an empty list is zero of ``currency``. CurrencyMismatch when another one is in it."""
    total = Money.zero(currency)
    for amount in amounts:
        total = total + amount
    return total


def round_half_up(numerator: int, denominator: int) -> int:
    """``numerator / denominator`` to the nearest whole number, halves away from zero.

    The commercial rounding of invoices (2.5 -> 3, -2.5 -> -3), so that a mirrored amount rounds
    to the mirrored result. ``denominator`` must be positive.
    """
    if denominator <= 0:
        raise ValueError("round_half_up needs a positive denominator")
    quotient, remainder = divmod(abs(numerator), denominator)
    if 2 * remainder >= denominator:
        quotient += 1
    return quotient if numerator >= 0 else -quotient


def split_largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """Split ``total`` minor units in proportion to ``weights``; the parts sum exactly.

    Each part is the exact share rounded down, and the units left over go to the largest
    remainders, ties in the order of the list (the order of passengers on a booking). A negative
    total splits as the mirror of the positive one. ValueError for negative weights, or when
    there is something to split and nobody to give it to.
    """
    if any(weight < 0 for weight in weights):
        raise ValueError("weights cannot be negative")
    whole = sum(weights)
    if whole == 0:
        if total != 0:
            raise ValueError("nothing to split the amount over")
        return [0] * len(weights)
    size = abs(total)
    parts = [size * weight // whole for weight in weights]
    by_remainder = sorted(
        range(len(weights)), key=lambda index: (-(size * weights[index] % whole), index)
    )
    for index in by_remainder[: size - sum(parts)]:
        parts[index] += 1
    return parts if total >= 0 else [-part for part in parts]
