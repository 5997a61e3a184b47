"""What all letters share, and what all letters share that ask the company itself."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Literal

from letters.errors import LetterIncomplete
from letters.judge import judge_demand, judge_interest, judge_letter
from letters.values import (
    Agency,
    AmountLine,
    ChronologyEntry,
    Claimant,
    CompanyPosition,
    EarlierLetter,
    Exhibit,
    Formula,
    Interest,
    Language,
    NextStep,
    Party,
    Payment,
    ReceivedPayment,
    Value,
)


@dataclass(frozen=True, kw_only=True)
class Letter(Value):
    """What all letters share. `draft` prints a watermark; `service` is what was bought, in one
    line (`flight NB 2204, 1 August 2026`); `remedies` are those besides money;
    `undelivered` is the mail address that took no mail, `came_back` the other way that failed: why
    this letter goes another way;
    `answer_link` a page where the company answers without an account."""

    kind: ClassVar[str] = ""
    version: ClassVar[int] = 1
    # What must not be empty, and whether the letter puts a claim (items or remedies) at all.
    needs: ClassVar[tuple[str, ...]] = ("claimants", "chronology")
    claims: ClassVar[bool] = True
    sources: ClassVar[dict[str, str]] = {
        "agency": "agency profile",
        "recipient": "company",
        "claimants": "consumer and mandate",
        "chronology": "case",
        "items": "claim items",
        "remedies": "claim items",
        "received": "ledger",
        "enclosures": "documents",
        "reply_email": "case",
    }

    language: Language
    dated: date
    reference: str
    booking_reference: str | None = None
    agency: Agency
    reply_email: str
    recipient: Party
    claimants: tuple[Claimant, ...]
    service: str
    chronology: tuple[ChronologyEntry, ...]
    items: tuple[AmountLine, ...] = ()
    remedies: tuple[str, ...] = ()
    received: tuple[ReceivedPayment, ...] = ()
    earlier: tuple[EarlierLetter, ...] = ()
    position: CompanyPosition | None = None
    formula: Formula | None = None
    delivery: Literal["email", "post", "registered_post", "web_form"] = "email"
    undelivered: str | None = None
    came_back: Literal["post", "web_form"] | None = None
    enclosures: tuple[Exhibit, ...] = ()
    draft: bool = False
    answer_link: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        judge_letter(self)

    @property
    def currency(self) -> str | None:
        """The letter's one currency; None when no money is claimed."""
        return self.items[0].currency if self.items else None

    @property
    def claimed_minor(self) -> int:
        """Sum of the items, in minor units."""
        return sum(item.minor for item in self.items)

    @property
    def outstanding_minor(self) -> int:
        """Claimed less what has arrived: the sum the letter asks for, without interest."""
        return self.claimed_minor - sum(payment.minor for payment in self.received)

    @property
    def payable_minor(self) -> int:
        """What the payment block asks for, in minor units of `payable_currency`."""
        return self.outstanding_minor

    @property
    def payable_currency(self) -> str | None:
        """Currency of the payment block; None when it asks for no money."""
        return self.currency


@dataclass(frozen=True, kw_only=True)
class DemandLetter(Letter):
    """A letter that asks the company itself. `deadline` is the last day to pay or answer."""

    sources: ClassVar[dict[str, str]] = {
        **Letter.sources,
        "deadline": "playbook",
        "next_steps": "playbook",
        "payment": "agency profile and case account",
        "interest": "playbook",
    }

    deadline: date
    next_steps: tuple[NextStep, ...]
    payment: Payment | None = None
    interest: Interest | None = None

    @property
    def payable_by(self) -> date:
        """The last day of the payment block."""
        return self.deadline

    def __post_init__(self) -> None:
        super().__post_init__()
        judge_demand(self)
        judge_interest(self, self.interest)


def require_earlier(letter: Letter) -> None:
    """A letter that comes back to an earlier one names it. Raises LetterIncomplete."""
    if not letter.earlier:
        raise LetterIncomplete("earlier", "correspondence")
