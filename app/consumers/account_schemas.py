"""Where a consumer wants their money, by the rail that reaches the account."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.payouts.iban import INPUT_MAX
from app.schemas import CountryCode, Currency, In, Name, Out, clean_text

DETAILS_LENGTH_MAX = 500
_DIGITS = re.compile(r"[0-9]+", re.ASCII)


def _digits(value: str) -> str:
    """Digits without the blanks and hyphens people write between them."""
    plain = value.replace(" ", "").replace("-", "")
    if not _DIGITS.fullmatch(plain):
        raise PydanticCustomError("digits_only", "digits only")
    return plain


def _routing(value: str) -> str:
    """Nine digits with the weighted check of the American Bankers Association (3, 7, 1)."""
    if len(value) != 9 or sum(w * int(d) for w, d in zip((3, 7, 1) * 3, value, strict=True)) % 10:
        raise PydanticCustomError("routing_invalid", "this is not a routing number")
    return value


def _length(low: int, high: int) -> AfterValidator:
    def check(value: str) -> str:
        if not low <= len(value) <= high:
            raise PydanticCustomError(
                "length", "{low} to {high} digits", {"low": low, "high": high}
            )
        return value

    return AfterValidator(check)


def _lines(value: str) -> str:
    return clean_text(value, lines=True)


class SepaAccountIn(In):
    rail: Literal["sepa"]
    holder: Name
    iban: Annotated[str, Field(min_length=1, max_length=INPUT_MAX)]


class GbAccountIn(In):
    rail: Literal["gb"]
    holder: Name
    sort_code: Annotated[str, Field(max_length=12), AfterValidator(_digits), _length(6, 6)]
    account: Annotated[str, Field(max_length=20), AfterValidator(_digits), _length(8, 8)]


class UsAccountIn(In):
    rail: Literal["us"]
    holder: Name
    routing: Annotated[str, Field(max_length=12), AfterValidator(_digits), AfterValidator(_routing)]
    account: Annotated[str, Field(max_length=24), AfterValidator(_digits), _length(4, 17)]


class OtherAccountIn(In):
    """An account no rail of ours reaches yet: kept for a person, who finds a way."""

    rail: Literal["other"]
    holder: Name
    country: CountryCode
    currency: Currency
    details: Annotated[
        str,
        Field(min_length=1, max_length=DETAILS_LENGTH_MAX),
        AfterValidator(_lines),
        Field(min_length=1),
    ]


AccountIn = Annotated[
    SepaAccountIn | GbAccountIn | UsAccountIn | OtherAccountIn, Field(discriminator="rail")
]


class AccountOut(Out):
    """The account on file, masked: the number never leaves in full.

    `usable_from`: a changed account waits, so that its owner can object.
    """

    id: UUID
    claimant_id: UUID
    rail: str
    country: str
    currency: str
    holder: str
    number: str
    usable_from: datetime
    text: str
    changed: bool
    case_version: int
