"""Companies and the ways to reach them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, StrictInt, model_validator
from pydantic_core import PydanticCustomError

from app.schemas import (
    CountryCode,
    Email,
    Flag,
    Id,
    In,
    LanguageCode,
    Line,
    Name,
    Out,
    normal_email,
)

ADDRESS_LINES_MAX = 6
Lines = Annotated[list[Line], Field(min_length=1, max_length=ADDRESS_LINES_MAX)]
RegisterNumber = Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9 ./-]{2,39}$", max_length=40)]
Health = Literal["alive", "degraded", "dead", "retired", "no_reply"]
ChannelKind = Literal["email", "post", "portal", "phone"]
Status = Literal["candidate", "confirmed", "closed"]
Kind = Literal["business", "public_body", "private_person"]
MandateLevel = Literal["typed", "drawn", "qualified", "wet_ink"]
DirectFirstDays = Annotated[StrictInt, Field(ge=1, le=90)]


class NewCompanyIn(In):
    """A legal entity; a candidate until its register number and status were looked up.

    `direct_first_days`: it hears an agent only so many days after the consumer wrote, by
    `direct_first_source`. `mandate_level`: the weakest signature under a mandate that it takes.
    """

    legal_name: Name
    brand: Name | None = None
    country: CountryCode
    register_number: RegisterNumber | None = None
    sector: Name | None = None
    language: LanguageCode = "en"
    address_lines: Annotated[list[Line], Field(max_length=ADDRESS_LINES_MAX, default_factory=list)]
    kind: Kind | None = None
    direct_first_days: DirectFirstDays | None = None
    direct_first_source: Line | None = None
    mandate_level: MandateLevel | None = None


class CompanyChangeIn(In):
    """Only what is sent changes. `status: confirmed` needs a register number and a kind, now or on
    file; a private person is never confirmed. `direct_first_days: 0` takes the days away.
    `claims_list_to`: it chose one weekly list of its open claims, sent there; `claims_list_stop`
    ends that."""

    legal_name: Name | None = None
    brand: Name | None = None
    country: CountryCode | None = None
    register_number: RegisterNumber | None = None
    sector: Name | None = None
    language: LanguageCode | None = None
    address_lines: Lines | None = None
    kind: Kind | None = None
    direct_first_days: Annotated[StrictInt, Field(ge=0, le=90)] | None = None
    direct_first_source: Line | None = None
    mandate_level: MandateLevel | None = None
    status: Status | None = None
    claims_list_to: Email | None = None
    claims_list_stop: Flag = False


# What a web form may be given of a case; the words are in app.casework.portal.
Takes = Literal[
    "message", "subject", "reference", "booking", "claimants", "reply_address", "amount",
    "currency", "agency", "letter",
]  # fmt: skip
FORM_LINES_MAX = 30


class FormLineIn(In):
    """One field of a company's web form: either what of the case goes there, or fixed words
    (`takes: letter` is where the PDF is attached)."""

    field: Line
    takes: Takes | None = None
    text: Line | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.takes is None) == (self.text is None):
            raise PydanticCustomError("form_line", "say what goes there: takes or text")
        return self


FormIn = Annotated[list[FormLineIn], Field(max_length=FORM_LINES_MAX)]


class ChannelIn(In):
    """`address`: an e-mail address, postal lines separated by line breaks, an https address, or a
    phone number. `source` says where it was found, `for_whom` which brand, entity or support vendor
    it belongs to, `outsourced` whether a vendor answers there. `form`: of a portal, what to copy
    into which of its fields."""

    kind: ChannelKind
    address: Annotated[str, Field(min_length=3, max_length=600)]
    official: Flag = False
    language: LanguageCode = "en"
    source: Line
    for_whom: Line | None = None
    outsourced: Flag | None = None
    form: FormIn = Field(default_factory=list)

    @model_validator(mode="after")
    def _only_portals_have_forms(self) -> Self:
        if self.form and self.kind != "portal":
            raise PydanticCustomError("form_line", "only a portal has a form")
        return self

    @model_validator(mode="after")
    def _fits_kind(self) -> Self:
        """One spelling per address, so that the same one cannot be stored twice."""
        object.__setattr__(self, "address", channel_address(self.kind, self.address))
        return self


def channel_address(kind: str, given: str) -> str:
    """The address in its one spelling. Raises what pydantic turns into a field error."""
    if kind == "email":
        return normal_email(given)
    lines = [" ".join(line.split()) for line in given.split("\n") if line.strip()]
    if not lines or any(not line.isprintable() for line in lines):
        raise PydanticCustomError("address_invalid", "this address cannot be used")
    if kind == "post":
        if len(lines) > ADDRESS_LINES_MAX:
            raise PydanticCustomError("address_invalid", "at most 6 lines")
        return "\n".join(lines)
    if len(lines) > 1:
        raise PydanticCustomError("address_invalid", "one line")
    if kind == "portal" and not lines[0].startswith("https://"):
        raise PydanticCustomError("address_invalid", "a portal has an https:// address")
    if kind == "phone" and not set(lines[0]) <= set("+0123456789 ()-"):
        raise PydanticCustomError("address_invalid", "a phone number: + and digits")
    return lines[0]


class ChannelChangeIn(In):
    """Only what is sent changes. `confirmed`: you vouch that it is theirs. `successor_id`: with
    `health: retired`, the channel that took its place."""

    health: Health | None = None
    official: Flag | None = None
    language: LanguageCode | None = None
    for_whom: Line | None = None
    outsourced: Flag | None = None
    confirmed: Flag | None = None
    successor_id: Id | None = None
    form: FormIn | None = None


class FormLineOut(Out):
    field: str
    takes: str | None
    text: str | None


class ChannelOut(Out):
    id: uuid.UUID
    company_id: uuid.UUID
    kind: str
    address: str
    health: str
    official: bool
    language: str
    source: str
    for_whom: str | None
    outsourced: bool | None
    form: list[FormLineOut]
    confirmed_by: str | None
    successor_id: uuid.UUID | None
    first_seen_at: Annotated[datetime, Field(validation_alias="created_at")]
    last_success_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    version: int


class RegisteredCompanyOut(Out):
    id: uuid.UUID
    legal_name: str
    brand: str
    country: str
    register_number: str | None
    sector: str | None
    language: str
    address_lines: list[str]
    kind: str | None
    direct_first_days: int | None
    direct_first_source: str | None
    mandate_level: str | None
    claims_list_to: str | None
    status: str
    confirmed_at: datetime | None
    version: int


class CompanyWithChannelsOut(RegisteredCompanyOut):
    channels: list[ChannelOut]


class CompanyListOut(Out):
    items: list[RegisteredCompanyOut]
    next_cursor: str | None


class ChannelUseOut(ChannelOut):
    """A channel with what came of it: letters of the last year, and how long answers took."""

    letters_sent: int
    letters_delivered: int
    letters_bounced: int
    median_days_to_answer: float | None


class OpenCaseOut(Out):
    """`by`: the channel of its newest letter; `stuck`: it waits for a way to the company."""

    id: uuid.UUID
    reference: str
    stage: str
    waiting_on: str
    due_at: datetime
    by: str | None
    stuck: bool


class CompanyOverviewOut(Out):
    """One company at a glance: its channels with their use, and its open cases, those first that
    wait for a way to it. `cases` holds what you may see, at most 200; `open_cases` counts all."""

    company: RegisteredCompanyOut
    channels: list[ChannelUseOut]
    open_cases: int
    stuck_cases: int
    cases: list[OpenCaseOut]


class SentAgainOut(Out):
    """Cases whose letter is made again over this channel; `more`: call again."""

    cases: int
    more: bool
