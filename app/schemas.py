"""Types that requests and answers share: every text, number, list and date has its bounds.

Inputs derive from `In` (unknown fields refused), answers from `Out` (no defaults). Texts are
normalised (NFC, trimmed) and then checked, never the other way round.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from app.domain.errors import InvalidInput, RecourseError
from app.domain.money import Money
from app.domain.reference import parse_reference

NAME_MAX = 120
LINE_MAX = 200
TEXT_MAX = 10_000  # characters of one free text; two pages of A4 are about 6,000
EMAIL_MAX = 254  # RFC 5321 4.5.3.1.3 less the angle brackets
DATE_MIN, DATE_MAX = date(1990, 1, 1), date(2100, 12, 31)
AMOUNT_MINOR_MAX = 10**12 - 1  # ten thousand million in a two-decimal currency
MARKS_MAX = (
    4  # combining marks in a row; Vietnamese and Hebrew need 2 to 3, "zalgo" text has dozens
)

# Characters that change the order of what is displayed (Trojan Source, B022) and the tag block.
_DIRECTION = {
    chr(c) for c in (0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069)
}
_ONE_LINE_BREAKS = {"\n", "\r", "\u2028", "\u2029", "\x0b", "\x0c", "\x85"}
_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@"
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}",
    re.ASCII,
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_AMOUNT = re.compile(r"(0|[1-9]\d{0,11})(\.\d{1,3})?", re.ASCII)


class In(BaseModel):
    """What a caller sends. Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Out(BaseModel):
    """What we answer. No field has a default: what is not said is not sent by accident."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


def clean_text(value: str, *, lines: bool) -> str:
    """NFC, trimmed, without control or direction characters; `lines` allows line breaks."""
    text = unicodedata.normalize("NFC", value).replace("\r\n", "\n").strip()
    marks, visible = 0, False
    for c in text:
        if c in _DIRECTION:
            raise _refused("it holds characters that change the reading direction")
        if c in _ONE_LINE_BREAKS:
            if not (lines and c == "\n"):
                raise _refused("it holds a line break")
            continue
        category = unicodedata.category(c)
        if category in ("Cc", "Cs", "Co") and not (lines and c == "\t"):
            raise _refused("it holds characters that are not text")
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks > MARKS_MAX:
            raise _refused("it holds too many accents in a row")
        visible = visible or category[0] in "LNPS"
    if text and not visible:
        raise _refused("it holds nothing visible")
    return text


def _refused(why: str) -> PydanticCustomError:
    return PydanticCustomError("text_not_allowed", f"the text cannot be used: {why}")


def _line(value: str) -> str:
    return clean_text(value, lines=False)


def _lines(value: str) -> str:
    return clean_text(value, lines=True)


def _not_empty(value: str) -> str:
    if not value:
        raise PydanticCustomError("text_missing", "a text is needed")
    return value


def _text(maximum: int, clean: Callable[[str], str], *, empty: bool = False) -> Any:
    """A bounded text. The bound stands before cleaning too, so that no huge text is normalised."""
    checks: list[Any] = [Field(max_length=maximum), AfterValidator(clean)]
    if not empty:
        checks.append(AfterValidator(_not_empty))
    return checks


Name = Annotated[str, *_text(NAME_MAX, _line)]
Line = Annotated[str, *_text(LINE_MAX, _line)]
OptionalLine = Annotated[str, *_text(LINE_MAX, _line, empty=True)]
Text = Annotated[str, *_text(TEXT_MAX, _lines)]
Reason = Annotated[str, *_text(1_000, _lines)]


def normal_email(value: str) -> str:
    """Lower case, NFC. Raises ValueError for what cannot be an address we write to.

    Only the plain form: no quoted local part, address literal, comment or display name; other
    scripts only in the A-label (punycode) form of the domain, so that no look-alike gets in unseen.
    """
    address = unicodedata.normalize("NFC", value).strip().lower()
    local = address.partition("@")[0]
    if (
        len(address) > EMAIL_MAX
        or not _EMAIL.fullmatch(address)
        or ".." in local
        or local.startswith(".")
        or local.endswith(".")
    ):
        raise PydanticCustomError("email_invalid", "this is not an e-mail address we can write to")
    return address


Email = Annotated[
    str,
    Field(max_length=EMAIL_MAX + 2, json_schema_extra={"format": "email"}),
    AfterValidator(normal_email),
]


def _plain_date(value: Any) -> Any:
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise PydanticCustomError("date_form", "a date is written YYYY-MM-DD")
    return value


def _date_bounds(value: date) -> date:
    if not DATE_MIN <= value <= DATE_MAX:
        raise PydanticCustomError("date_out_of_range", "the date must lie between 1990 and 2100")
    return value


Date = Annotated[
    date,
    BeforeValidator(_plain_date),
    WithJsonSchema({"type": "string", "format": "date"}),
    AfterValidator(_date_bounds),
]


def _birth_bounds(value: date) -> date:
    if not date(1900, 1, 1) <= value <= DATE_MAX:
        raise PydanticCustomError("date_out_of_range", "the birth date cannot be right")
    return value


def _instant_bounds(value: datetime) -> datetime:
    # By year first: an instant at the edge of the calendar cannot even be moved to UTC.
    if not DATE_MIN.year <= value.year <= DATE_MAX.year:
        raise PydanticCustomError("time_out_of_range", "the time must lie between 1990 and 2100")
    return value


When = Annotated[AwareDatetime, AfterValidator(_instant_bounds)]

BirthDate = Annotated[
    date,
    BeforeValidator(_plain_date),
    WithJsonSchema({"type": "string", "format": "date"}),
    AfterValidator(_birth_bounds),
]


def _plain_uuid(value: Any) -> Any:
    if isinstance(value, UUID):
        return value
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise PydanticCustomError("id_form", "an id is written as a plain UUID")
    return value


Id = Annotated[
    UUID,
    BeforeValidator(_plain_uuid),
    WithJsonSchema({"type": "string", "format": "uuid"}),
]
Flag = StrictBool
Count = Annotated[StrictInt, Field(ge=0, le=1_000_000)]
Instant = AwareDatetime


def _currency(value: str) -> str:
    try:
        Money(0, value)
    except (RecourseError, ValueError):
        raise PydanticCustomError(
            "currency_unknown", "a currency we know, three capital letters"
        ) from None
    return value


Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$"), AfterValidator(_currency)]
CountryCode = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
LanguageCode = Annotated[str, Field(pattern=r"^[a-z]{2}$")]
AmountMinor = Annotated[StrictInt, Field(ge=1, le=AMOUNT_MINOR_MAX)]


def _amount(value: str) -> str:
    if not _AMOUNT.fullmatch(value):
        raise PydanticCustomError(
            "amount_form", "an amount is written like 12.30: digits, a point, no separators"
        )
    return value


Amount = Annotated[
    str,
    Field(max_length=16, json_schema_extra={"pattern": f"^{_AMOUNT.pattern}$"}),
    AfterValidator(_amount),
]


class MoneyIn(In):
    """An amount as people write it, in its currency's own decimals; more than zero."""

    amount: Amount
    currency: Currency

    def money(self) -> Money:
        """Raises InvalidInput when the currency has fewer decimals or the amount is zero."""
        money = Money.parse(self.amount, self.currency)
        if money.minor == 0:
            raise InvalidInput("the amount must be more than zero", code="amount_zero")
        return money


class MoneyOut(Out):
    """`minor` in the smallest unit, `amount` as people write it."""

    minor: int
    currency: str
    amount: str

    @classmethod
    def of(cls, money: Money) -> MoneyOut:
        return cls(minor=money.minor, currency=money.currency, amount=money.format())


def _reference(value: str) -> str:
    try:
        return parse_reference(value)
    except (RecourseError, ValueError):
        raise PydanticCustomError(
            "reference_invalid", "this is not a case reference: RC- and eight symbols"
        ) from None


Reference = Annotated[str, Field(max_length=24), AfterValidator(_reference)]


class Page(Out):
    """The tail of every list answer: hand `next_cursor` back as `cursor` for what follows."""

    next_cursor: str | None
