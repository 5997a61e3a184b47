"""What each letter says: one frozen dataclass per letter, and its way to JSON and back.

A letter that exists is complete: making one checks every field and refuses with an error that
names the field and the record that should have filled it. Money is minor units and a currency,
days are `date`; words and formats belong to the templates. Only the standard library is needed
here; what makes a PDF of a letter is `letters.render`, in a child process.

The fields follow the content that the notices of the jurisdictions have in common: sender with
address, agency as agent with its mandate, recipient's legal name and address, references, dated
chronology, legal basis per item, itemised sum, interest and its first day, how to pay, deadline
as a calendar date, next steps in order, enclosures, date and signature.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Final, Literal

from letters.codec import decode, encode
from letters.errors import (
    BadDocument,
    LetterError,
    LetterIncomplete,
    LetterInvalid,
    LetterTooLarge,
    LetterUnprintable,
    RenderFailed,
    UnknownLetter,
)
from letters.further import (
    FURTHER,
    ClosingCompany,
    ClosingConsumer,
    DebtDispute,
    Declaration,
    DenialAnswer,
    FullSettlementRefused,
    FurtherLetter,
    MandateNotice,
    MoreTime,
    OfferAccepted,
    OfferRefused,
    PromiseBroken,
    WrongParty,
)
from letters.judge import judge_interest
from letters.letter import DemandLetter, Letter, require_earlier
from letters.mandate import NetShown, PagePart, SignedMandate
from letters.values import (
    LANGUAGES,
    Agency,
    AmountLine,
    ChronologyEntry,
    Claimant,
    ClientAccountPayment,
    CompanyPosition,
    DirectPayment,
    EarlierLetter,
    Exhibit,
    Formula,
    Interest,
    InterestRow,
    Language,
    LegalGround,
    NextStep,
    Party,
    Payment,
    ReceivedPayment,
)


@dataclass(frozen=True, kw_only=True)
class ContactLetter(DemandLetter):
    """The first demand. `earlier` holds what the consumer had sent before us."""

    kind: ClassVar[str] = "contact"


@dataclass(frozen=True, kw_only=True)
class ReminderLetter(DemandLetter):
    """Reminder: names the first demand, says what came back, repeats the claim."""

    kind: ClassVar[str] = "reminder"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_earlier(self)


@dataclass(frozen=True, kw_only=True)
class FormalNotice(DemandLetter):
    """Formal notice of the jurisdiction. `dispute_body` is the body to which the claimant is
    ready to take the dispute (an offer that some pre-action rules demand)."""

    kind: ClassVar[str] = "formal_notice"

    dispute_body: str | None = None


@dataclass(frozen=True, kw_only=True)
class ComplaintLetter(Letter):
    """Complaint to a body (the recipient) about a company (the respondent).

    `first_complaint_on` is the day of the first written complaint to the company, from which
    bodies count their waiting time; `status_inquiry_on` the day on which we will ask how the
    matter stands.
    """

    kind: ClassVar[str] = "complaint"
    sources: ClassVar[dict[str, str]] = {
        **Letter.sources,
        "recipient": "body",
        "respondent": "company",
        "requested": "playbook",
        "position": "correspondence",
        "interest": "playbook",
    }

    respondent: Party
    first_complaint_on: date
    requested: Literal["decision", "recommendation", "mediation"]
    status_inquiry_on: date | None = None
    interest: Interest | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require_earlier(self)
        if self.position is None:
            raise LetterIncomplete("position", "correspondence")
        if self.first_complaint_on > self.dated:
            raise LetterInvalid("first_complaint_on", "lies after the letter's date")
        judge_interest(self, self.interest)


AnyLetter = (
    ContactLetter | ReminderLetter | FormalNotice | ComplaintLetter | SignedMandate | FurtherLetter
)

LETTERS: Final[dict[str, type[AnyLetter]]] = {
    "contact": ContactLetter,
    "reminder": ReminderLetter,
    "formal_notice": FormalNotice,
    "complaint": ComplaintLetter,
    "signed_mandate": SignedMandate,
    **FURTHER,
}


def to_dict(letter: AnyLetter) -> dict[str, Any]:
    """The letter as JSON-ready values: `kind`, `version` and its fields."""
    return {"kind": letter.kind, "version": letter.version, **encode(letter)}


def content_from_dict(stored: object) -> AnyLetter:
    """The letter that `to_dict` stored.

    Raises `UnknownLetter` for a kind or version that is not known here, `LetterIncomplete` for
    a missing field, `LetterInvalid` for an unknown field or a value of the wrong type.
    """
    if not isinstance(stored, dict):
        raise LetterInvalid("letter", "not an object")
    fields = dict(stored)
    kind, version = fields.pop("kind", None), fields.pop("version", None)
    known = LETTERS.get(kind) if isinstance(kind, str) else None
    if known is None or type(version) is not int or version != known.version:
        raise UnknownLetter(str(kind)[:80], str(version)[:80])
    letter: AnyLetter = decode(known, fields, known.sources)
    return letter


__all__ = [
    "FURTHER",
    "LANGUAGES",
    "LETTERS",
    "Agency",
    "AmountLine",
    "AnyLetter",
    "BadDocument",
    "ChronologyEntry",
    "Claimant",
    "ClientAccountPayment",
    "ClosingCompany",
    "ClosingConsumer",
    "CompanyPosition",
    "ComplaintLetter",
    "ContactLetter",
    "DebtDispute",
    "Declaration",
    "DemandLetter",
    "DenialAnswer",
    "DirectPayment",
    "EarlierLetter",
    "Exhibit",
    "FormalNotice",
    "Formula",
    "FullSettlementRefused",
    "FurtherLetter",
    "Interest",
    "InterestRow",
    "Language",
    "LegalGround",
    "Letter",
    "LetterError",
    "LetterIncomplete",
    "LetterInvalid",
    "LetterTooLarge",
    "LetterUnprintable",
    "MandateNotice",
    "MoreTime",
    "NetShown",
    "NextStep",
    "OfferAccepted",
    "OfferRefused",
    "PagePart",
    "Party",
    "Payment",
    "PromiseBroken",
    "ReceivedPayment",
    "ReminderLetter",
    "RenderFailed",
    "SignedMandate",
    "UnknownLetter",
    "WrongParty",
    "content_from_dict",
    "to_dict",
]
