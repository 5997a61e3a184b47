"""What the public check takes and gives."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from app.answers import Answers
from app.schemas import In, Line, Out

CheckLanguage = Literal["en", "fi", "sv", "fr", "de"]
# Part of an intake file and not read here: the rules look at nothing but the answers.
Unread = Annotated[Any, Field(description="part of an intake file; not read")]


class CheckConsumerIn(In):
    country: Line | None = None
    name: Unread = None
    language: Unread = None
    contact: Unread = None


class CheckCompanyIn(In):
    legal_name: Line | None = None
    brand: Line | None = None
    country: Line | None = None
    sector: Unread = None
    code: Annotated[str, Field(max_length=10, description="of an airline, like AY")] | None = None


class CheckIn(In):
    """`answers` in the vocabulary of the intake questions. A whole intake file may be sent as it
    is: the countries stand in for answers left out, the story and the rest are not read."""

    answers: Answers
    language: CheckLanguage = "en"
    consumer: CheckConsumerIn | None = None
    company: CheckCompanyIn | None = None
    id: Unread = None
    party: Unread = None
    what_happened: Unread = None
    facts: Unread = None
    evidence: Unread = None
    asked: Unread = None
    expected: Unread = None


class NextIn(In):
    """The answers so far; without a claim kind the first question asks for it."""

    answers: Answers
    language: CheckLanguage = "en"


class QuestionOut(Out):
    """`fields` describes the entries of a list: name to type, or to its choices."""

    key: str
    ask: str
    why: str
    type: str
    unit: str | None
    none_allowed: bool
    values: list[str]
    fields: dict[str, str | list[str]]
    picks: dict[str, str]


class NextOut(Out):
    """`next` is null when everything required is answered; `open` lists what is left, in order."""

    next: QuestionOut | None
    open: list[str]


class DueOut(Out):
    what: str
    amount_minor: int
    currency: str


class ActOut(Out):
    """Something free to do; `last_day` null: today, and `why` says so. `rule`: where its number
    comes from (house.*: ours)."""

    code: str
    act: str
    why: str
    last_day: date | None
    rule: str


class DemandOut(Out):
    """`amount_minor` is null where the company is to put the thing itself right."""

    kind: str
    words: str
    amount_minor: int | None
    currency: str | None
    only_after: str | None


class LimitOut(Out):
    """Why the last day of the claim is that day: `period` by `rule`, counted from `start_event` (an
    answer) on `start`. `confirmed` false: nobody has read the rule in a source yet."""

    last_day: date
    rule: str
    start_event: str
    start: date
    period: str
    to_year_end: bool
    confirmed: bool


class CodesOut(Out):
    """The stable names behind the sentences."""

    steps: list[str]
    warnings: list[str]
    missing_evidence: list[str]


class FindingOut(Out):
    """Not a decision: every case is looked at by a person, and a no offers one."""

    claim_kind: str
    jurisdiction: str
    eligible: Literal["yes", "no", "unclear", "needs_info"]
    legal_ground: list[str]
    items: list[DueOut]
    amount_minor: int
    currency: str | None
    missing_evidence: list[str]
    warnings: list[str]
    body: str | None
    body_opens: date | None
    body_closes: date | None
    limitation_on: date | None
    limitation: LimitOut | None
    acts: list[ActOut]
    demand_primary: DemandOut | None
    demand_alternative: DemandOut | None
    steps: list[str]
    open_facts: list[str]
    codes: CodesOut
