"""What goes into the cascade and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.domain.matching.advice import AdviceLine

STEPS = (
    "own_return",
    "creditor_reference",
    "end_to_end",
    "reference_in_text",
    "booking_number",
    "known_payer_amount",
    "remittance_advice",
    "subset_sum",
    "payer_name",
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """Money that came in, in minor units. ``payer_token`` stands for the payer's account and never
    shows it (a blind index); ``return_reason`` is the bank's word that one of ours came back."""

    amount_minor: int
    currency: str
    booked_on: date
    creditor_ref: str | None = None
    end_to_end_id: str | None = None
    text: str = ""
    payer_name: str | None = None
    payer_token: str | None = None
    return_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Promised:
    """A sum the company said it would pay, and the day it said so."""

    amount_minor: int
    on: date


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """A case as the cascade sees it. ``open_minor`` is what no money has covered yet; ``asks``: an
    offer in full settlement waits for the claimants; ``runs``: it is signed and not closed."""

    case_id: str
    reference: str  # RC-...
    payment_ref: str  # national digits
    company: str  # id, or the name as given while the company is not confirmed
    company_name: str
    currency: str
    open_minor: int
    booking_ref: str | None = None
    promised: tuple[Promised, ...] = ()
    asks: bool = False
    runs: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    """What may concern one receipt. ``payer_companies``: companies a person has seen pay from this
    account; ``named_companies``: companies of ours that the payer's name names; ``whole``: no
    open case of theirs is left out."""

    cases: tuple[CaseFacts, ...]
    payer_companies: frozenset[str] = frozenset()
    named_companies: frozenset[str] = frozenset()
    advice: tuple[AdviceLine, ...] = ()
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Rules:
    """The rule set as data (banking/matching.yaml). ``score`` holds the points of each reason;
    ``confirms`` the steps that may confirm."""

    id: str
    version: int
    confirms: frozenset[str]
    score: Mapping[str, int]
    not_ids: frozenset[str]
    reference_words: frozenset[str]
    settlement_words: tuple[str, ...]
    booking_length_min: int
    promise_days: int
    subset_items_max: int
    name_likeness_min: int  # percent
    learned_days: int

    @property
    def name(self) -> str:
        return f"{self.id}@{self.version}"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason in a code with its parameters; ``points`` are its part of the score."""

    code: str
    points: int = 0
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    case_id: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Suggestion:
    """``parts`` are the cases with their sums; ``rest_minor`` stays unallocated (more than is
    open). ``against`` says why it does not confirm, None when it does."""

    step: str
    parts: tuple[Part, ...]
    rest_minor: int
    found: str
    valid_check: bool | None  # None where nothing of the kind was found
    reasons: tuple[Reason, ...]
    against: Reason | None
    matches: str = ""  # what of ours it is: the canonical reference or booking number

    @property
    def confirms(self) -> bool:
        return self.against is None

    @property
    def score(self) -> int:
        return max(0, min(100, sum(reason.points for reason in self.reasons)))

    @property
    def case_ids(self) -> frozenset[str]:
        return frozenset(part.case_id for part in self.parts)
