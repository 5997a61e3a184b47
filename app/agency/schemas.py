"""The agency as versioned data: what letters, gates and hours read."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, StrictInt, model_validator
from pydantic_core import PydanticCustomError

from app.law import reference
from app.schemas import (
    AMOUNT_MINOR_MAX,
    CountryCode,
    Date,
    Email,
    In,
    LanguageCode,
    Line,
    Name,
    Out,
)


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise PydanticCustomError("zone_unknown", "a time zone like Europe/Helsinki") from None
    return value


Zone = Annotated[
    str, Field(pattern=r"^[A-Za-z]+(/[A-Za-z0-9_+-]+){0,2}$", max_length=64), AfterValidator(_zone)
]


def _claim_kind(value: str) -> str:
    if value not in reference.claim_kinds():
        raise PydanticCustomError("claim_kind_unknown", "a claim kind, as in GET /v1/claim-kinds")
    return value


ClaimKind = Annotated[str, Field(max_length=64), AfterValidator(_claim_kind)]


def _day_of_year(value: str) -> str:
    try:
        date.fromisoformat(f"2000-{value}")  # a leap year: 02-29 is the end of February
    except ValueError:
        raise PydanticCustomError("day_of_year", "a day of the year, MM-DD") from None
    return value


YearEnd = Annotated[str, Field(pattern=r"^\d{2}-\d{2}$"), AfterValidator(_day_of_year)]
Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
CurrencyCode = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class InsurerIn(In):
    """The liability cover under a licence."""

    name: Line
    policy_number: Line
    valid_until: Date


class LicenceIn(In):
    """The title under which we act in a country, and what it lets us do there. `basis`: entered in
    a register, permitted, authorised, or free by an exemption or legal opinion, which `authority`
    and `number` then name. `claim_kinds` empty: all. `valid_until` null: until it is withdrawn."""

    name: Line
    authority: Line
    number: Line
    country: CountryCode
    basis: Literal["registration", "permit", "authorisation", "exemption"] = "registration"
    may: Annotated[
        list[Literal["advise", "demand", "file", "sue"]], Field(min_length=1, max_length=4)
    ]
    claim_kinds: Annotated[list[ClaimKind], Field(max_length=40, default_factory=list)]
    insurer: InsurerIn | None = None
    valid_from: Date | None = None
    valid_until: Date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            raise PydanticCustomError("dates_crossed", "valid_until lies before valid_from")
        return self


class AccountIn(In):
    """An account as printed on letters: the client account receives, the own one is ours."""

    book: Literal["client", "own"]
    holder: Name
    iban: Annotated[str, Field(pattern=r"^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$")]
    bic: Annotated[str, Field(pattern=r"^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$")] | None = None
    currency: CurrencyCode


class HoursIn(In):
    opens: Clock
    closes: Clock
    days: Annotated[
        list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]],
        Field(min_length=1, max_length=7),
    ]


class AgencyIn(In):
    """`approval_line_minor`: currency -> minor units above which a formal notice needs a senior;
    a currency that is not named needs one always. `mandate_months`: after so many months a mandate
    ends by itself; null: it stands until it is taken back."""

    name: Name
    address_lines: Annotated[list[Line], Field(min_length=1, max_length=6)]
    country: CountryCode
    business_id: Line
    vat_number: Line | None = None  # without it no invoice can be printed
    email: Email
    phone: Line | None = None
    website: Line | None = None
    language: LanguageCode = "en"
    zone: Zone = "Europe/Helsinki"
    financial_year_ends: YearEnd = "12-31"
    licences: Annotated[list[LicenceIn], Field(max_length=20, default_factory=list)]
    accounts: Annotated[list[AccountIn], Field(max_length=40, default_factory=list)]
    approval_line_minor: Annotated[
        dict[CurrencyCode, Annotated[StrictInt, Field(ge=0, le=AMOUNT_MINOR_MAX)]],
        Field(min_length=1, max_length=50),
    ]
    office_hours: HoursIn
    mandate_months: Annotated[StrictInt, Field(ge=1, le=120)] | None = None


class AgencyOut(Out):
    """`version` 0: nobody has set the agency up yet."""

    version: int
    effective_at: datetime | None
    set_by: str | None
    profile: dict[str, Any]
