"""The thirty stories as data: stories.yaml and the cases beside it, read once and checked.

Amounts stay text in the case's currency; `after` and `days` count days of business time.
"""

from __future__ import annotations

import json
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.domain.case import LADDER, Outcome, Stage

FOLDER = Path(__file__).parent
AmountText = Annotated[str, Field(pattern=r"^\d+(\.\d{1,2})?$")]
LetterName = Literal["contact", "reminder", "formal_notice", "settlement"]
LADDER_NAMES = tuple(stage.value for stage in LADDER)


class Part(BaseModel):
    """Everything in a story is frozen and known: a misspelt word is an error, not a silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Then(Part):
    """A second payment, or what follows an answered question."""

    do: Literal["pay"] = "pay"
    amount: AmountText
    after: int
    reference: Literal["rf", "none"] = "rf"


class Reaction(Part):
    """What a company does when a letter of ours (or an agreement) has reached it."""

    do: Literal[
        "silent",
        "automatic",
        "deny",
        "ask",
        "offer",
        "promise",
        "pay",
        "pay_direct",
        "cancel_bill",
        "not_us",
    ]
    after: int = 0
    reason: str = ""
    what: str = ""
    kind: Literal["part", "full", "voucher", "goodwill"] = "part"
    amount: AmountText = "0"
    days: int = 14
    in_days: int = 14
    keeps: bool = True
    reference: Literal["rf", "none"] = "rf"
    in_full: bool = False
    told_by: Literal["company", "consumer"] = "company"
    answered_by: Literal["consumer", "handler"] = "consumer"
    then: Then | None = None


class BodyReaction(Part):
    """What a body does with a complaint; `days` until an answer or obedience is due."""

    do: Literal["ask", "dismiss", "recommend", "decide"]
    after: int
    amount: AmountText = "0"
    days: int = 14
    reason: str = ""
    cancels_bill: bool = False


class Company(Part):
    """How a company behaves: one reaction per letter of a kind, in order; none is silence."""

    contact: tuple[Reaction, ...] = ()
    reminder: tuple[Reaction, ...] = ()
    formal_notice: tuple[Reaction, ...] = ()
    settlement: tuple[Reaction, ...] = ()
    bounces: tuple[str, ...] = ()

    def reactions(self, kind: str) -> tuple[Reaction, ...]:
        found: tuple[Reaction, ...] = getattr(self, kind, ())
        return found


class Counter(Part):
    counter: AmountText


class AtStage(Part):
    """So many days after the case came to a stage."""

    at: str
    after: int = 0


class Consumer(Part):
    """Answers to offers in order, and leaving."""

    offers: tuple[Literal["accept", "refuse"] | Counter, ...] = ()
    withdraws: AtStage | None = None
    revokes: AtStage | None = None


class Filed(Part):
    by: Literal["consumer", "partner", "phone", "paper"]
    handler: str = "anna"
    by_post: bool = False
    after: int = 0


class Assess(Part):
    """A person's decision on merit: accepted at an entry stage, or rejected with its rule."""

    by: str
    entry_stage: Literal["contact", "reminder", "formal_notice", "complaint"] | None = None
    entry_reason: str = ""
    consumer_writes_first_days: int = 0
    limitation_on: date | None = None
    reject: str = ""
    rule: str = ""
    would_change: str = ""

    @model_validator(mode="after")
    def _one_way(self) -> Assess:
        if bool(self.reject) == bool(self.entry_stage):
            raise ValueError("an assessment accepts or rejects")
        return self


class Signs(Part):
    after: int


class Account(Part):
    rail: Literal["sepa"]
    iban: str


class BankReturns(Part):
    reason: str
    after: int
    new_iban: str


class Answer(Part):
    after: int
    text: str


class Question(Part):
    code: str
    days: int
    default: str
    answers: Literal["never"] | Answer
    by: str


class Duplicate(Part):
    of: str
    by: str


class Hold(Part):
    at: str
    days: int
    reason: str


class Ending(Part):
    """A person ends the case: when it reaches a stage, or on what the other side did."""

    outcome: Outcome
    by: str
    at: str | None = None
    when: Literal["cancel_bill", "dismissed"] | None = None


class Denial(Part):
    next: Literal["complaint", "formal_notice"]


class Care(Part):
    by: str


class Claimed(Part):
    """A line of the claim where the case's own answers give no sum."""

    what: str
    kind: str
    amount: AmountText
    currency: str


class PartyMember(Part):
    """Somebody of the party who is a creditor too; `of` finds their lines of the claim."""

    name: str
    email: str
    of: str


class Expect(Part):
    path: tuple[Stage, ...]
    outcome: Outcome
    recovered: AmountText
    fee: AmountText
    payout: AmountText


class Story(Part):
    id: str
    shows: str
    filed: Filed
    address: tuple[str, ...]
    expect: Expect
    assess: Assess | None = None
    signs: Signs | Literal["never"] = "never"
    account: Account | None = None
    party: tuple[PartyMember, ...] = ()
    party_account: Account | None = None
    items: tuple[Claimed, ...] = ()
    company: Company = Company()
    body: tuple[BodyReaction, ...] = ()
    consumer: Consumer = Consumer()
    denial: Denial | None = None
    ending: Ending | None = None
    question: Question | None = None
    duplicate: Duplicate | None = None
    hold: Hold | None = None
    care: Care | None = None
    bank_returns: BankReturns | None = None


class Person(Part):
    id: str
    name: str
    roles: tuple[str, ...]


class ListedCompany(Part):
    email: str
    address: tuple[str, ...]
    register_number: str
    language: Literal["en", "fi", "sv", "fr", "de"]
    direct_first_days: int | None = None
    direct_first_source: str | None = None


class AgencyAccount(Part):
    iban: str
    bic: str
    holder: str


class Agency(Part):
    name: str
    register_number: str
    vat_number: str
    address: tuple[str, ...]
    phone: str
    client_account: AgencyAccount
    own_account: AgencyAccount
    vat_bp: int
    approval_line_minor: dict[str, int]
    licences: list[dict[str, Any]]


class Book(Part):
    """The whole file. `today` is the business day on which the play begins."""

    schema_version: Literal[1]
    today: date
    agency: Agency
    people: tuple[Person, ...]
    companies: dict[str, ListedCompany]
    stories: tuple[Story, ...]

    @model_validator(mode="after")
    def _fits(self) -> Book:
        known = {p.id for p in self.people}
        for story in self.stories:
            named = {
                who.by
                for who in (story.assess, story.question, story.duplicate, story.ending, story.care)
                if who is not None
            }
            if named - known:
                raise ValueError(f"{story.id} names people who do not exist: {named - known}")
        return self

    def story(self, story_id: str) -> Story:
        return next(s for s in self.stories if s.id == story_id)


@lru_cache(maxsize=1)
def load_book() -> Book:
    """stories.yaml, checked."""
    return Book.model_validate(yaml.safe_load((FOLDER / "stories.yaml").read_text("utf-8")))


@lru_cache(maxsize=64)
def load_case(story_id: str) -> dict[str, Any]:
    """The consumer's own words and answers."""
    case: dict[str, Any] = json.loads((FOLDER / "cases" / f"{story_id}.json").read_text("utf-8"))
    return case
