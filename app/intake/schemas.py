"""What a consumer, an app or a handler sends to file a case."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StrictInt, model_validator
from pydantic_core import PydanticCustomError

from app.answers import Answers
from app.cases.inputs import MoneyClaimed
from app.schemas import (
    BirthDate,
    CountryCode,
    Currency,
    Date,
    Email,
    Flag,
    Id,
    In,
    LanguageCode,
    Line,
    Name,
    OptionalLine,
    Text,
)

ITEMS_MAX = 50  # a big family's trip has 30 lines
PARTY_MAX = 9  # with the consumer ten: the largest booking airlines take in one go
ADDRESS_LINES_MAX = 6

# The kinds of claim lines; those of the second list are expenses, on which no fee is taken.
ItemKind = Literal[
    "price",
    "part_of_price",
    "fee",
    "care",
    "return_postage",
    "inspection",
    "unpaid_bill",
    "loss",
    "own_time",
    "compensation",
    "interest",
]
FREE_OF_FEE = ("care", "return_postage", "inspection", "unpaid_bill")

# The kinds of the question form, in its order.
ClaimKind = Literal[
    "air",
    "air_fees",
    "air_baggage",
    "online_purchase",
    "online_defective",
    "online_not_delivered",
    "online_return",
    "food_delivery",
    "unauthorised_payment",
    "card_billing_error",
    "chargeback",
    "subscription_trap",
    "telecom_energy_billing",
    "healthcare_billing",
    "package_travel",
    "hotel",
    "rail",
    "bus",
    "event_tickets",
    "services",
]
Jurisdiction = Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]


class CompanyIn(In):
    """The company as the consumer knows it, or one of ours by its id."""

    name: Line | None = None
    brand: OptionalLine | None = None
    country: CountryCode | None = None
    company_id: Id | None = None

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.name is None and self.company_id is None:
            raise PydanticCustomError("company_missing", "name the company or give its id")
        return self


class ItemIn(In):
    """One line of the claim. `creditor` counts the people: 0 the consumer, 1 the first of the
    party. `earns_fee` is for handlers; for everybody else the kind decides."""

    what: Line
    kind: ItemKind
    amount: MoneyClaimed
    creditor: Annotated[StrictInt, Field(ge=0, le=PARTY_MAX)] = 0
    earns_fee: Flag | None = None

    @property
    def fee_by_kind(self) -> bool:
        return self.kind not in FREE_OF_FEE


Items = Annotated[list[ItemIn], Field(max_length=ITEMS_MAX)]


def _same_line_once(items: list[ItemIn]) -> list[ItemIn]:
    seen: set[tuple[object, ...]] = set()
    for item in items:
        line = (
            item.what.casefold(),
            item.kind,
            item.amount.amount,
            item.amount.currency,
            item.creditor,
        )
        if line in seen:
            raise PydanticCustomError(
                "item_twice",
                "the same line stands there twice; tell two equal things apart in `what`",
            )
        seen.add(line)
    return items


DistinctItems = Annotated[Items, AfterValidator(_same_line_once)]


class ClaimIn(In):
    """What went wrong. A draft may leave out what is marked optional; submitting needs it."""

    claim_kind: ClaimKind
    jurisdiction: Jurisdiction
    currency: Currency
    company: CompanyIn | None = None
    booking_reference: Line | None = None
    what_happened: Text | None = None
    language: LanguageCode = "en"
    answers: Answers = Field(default_factory=dict)
    items: DistinctItems = Field(default_factory=list)
    first_written_complaint: Date | None = None


class AddressIn(In):
    lines: Annotated[list[Line], Field(min_length=1, max_length=ADDRESS_LINES_MAX)]


class PersonIn(In):
    """Somebody whose money it is, as far as the filer knows them."""

    name: Name
    email: Email | None = None
    country: CountryCode | None = None
    language: LanguageCode | None = None
    address: AddressIn | None = None
    birth_date: BirthDate | None = None


class ConsumerIn(PersonIn):
    """The first person of the case: reached by e-mail or by post."""

    country: CountryCode
    by_post: Flag = False

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.email is None and not self.by_post:
            raise PydanticCustomError("not_reachable", "give an e-mail address, or by_post")
        if self.by_post and self.address is None:
            raise PydanticCustomError("address_missing", "post needs an address")
        return self


Party = Annotated[list[PersonIn], Field(max_length=PARTY_MAX)]


class CaseIn(In):
    """A case to file. `consumer` is left out by a consumer, who files as themself."""

    claim: ClaimIn
    consumer: ConsumerIn | None = None
    party: Party = Field(default_factory=list)
    submit: Flag = True


class ClaimChange(In):
    """Fields of a draft to replace; what is left out stays."""

    company: CompanyIn | None = None
    booking_reference: Line | None = None
    what_happened: Text | None = None
    language: LanguageCode | None = None
    answers: Answers | None = None
    items: DistinctItems | None = None
    first_written_complaint: Date | None = None


class DraftChange(In):
    claim: ClaimChange
