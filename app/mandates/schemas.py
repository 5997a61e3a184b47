"""What is shown before signing, and what a signature is."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from app.cases.schemas import Amount, CaseView
from app.schemas import Date, Flag, Id, In, Line, Name, Out

# Strokes and nothing else: at least one line each.
DRAWN = r"^(M[0-9]{1,4} [0-9]{1,4}(L[0-9]{1,4} [0-9]{1,4})+){1,200}$"
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Spoken = Literal["en", "fi", "sv", "fr", "de"]  # what a page can be shown in
Level = Literal["typed", "drawn", "qualified", "wet_ink"]


class ActingIn(In):
    """Who signs for the claimant. A guardian says the relation; of an adult they show a paper. A
    proxy shows the written authority (a file of the case), what it covers and its last day."""

    role: Literal["guardian", "proxy"]
    name: Name
    relation: Line | None = None
    evidence_id: Id | None = None
    scope: Annotated[
        list[Literal["sign", "receive_money", "answer_offers"]],
        Field(max_length=3, default_factory=list),
    ]
    valid_until: Date | None = None

    @model_validator(mode="after")
    def _told(self) -> Self:
        if self.role == "guardian" and self.relation is None:
            raise PydanticCustomError("relation_missing", "say what the guardian is to them")
        return self


class OriginalIn(In):
    """An entry of the register: received (from whom), kept (where), sent (to whom), returned (by
    whom), and the day of it."""

    what: Literal["received", "kept", "sent", "returned"]
    happened_on: Date
    place: Line


class OriginalOut(Out):
    id: UUID
    what: str
    happened_on: date
    place: str
    recorded_by: str
    recorded_at: datetime


class OriginalsOut(Out):
    """Where the paper original of a mandate has been, in order; the last entry is where it is."""

    items: list[OriginalOut]


class MandateIn(In):
    """A signature. `text_version`, `summary_language` and `summary_sha256` are those of the page
    the signer was shown (get_summary): a page that would read differently now is shown again.

    Levels: typed and drawn by the signer; qualified and wet_ink are filed by staff, who looked at
    the signed file or the paper original.
    `drawing`: the strokes of a drawn signature on a field of 1000 by 300 (`M x y L x y ...`).
    `evidence_id`: the signed file of a qualified signature, or the scan of a paper one; `acting`:
    somebody signs for the claimant, and `signed_name` is what they wrote.
    `start_now`: the signer asks us to begin before the time to withdraw is over; else we wait.
    """

    claimant_id: Id
    signed_name: Name
    level: Level
    text_version: Annotated[str, Field(min_length=1, max_length=40)]
    summary_language: Spoken
    summary_sha256: Sha256
    receives_money: Flag
    start_now: Flag
    drawing: Annotated[str, Field(max_length=40_000, pattern=DRAWN)] | None = None
    evidence_id: Id | None = None
    acting: ActingIn | None = None


class StartIn(In):
    """A request to begin before the time to withdraw is over; the sentence is the summary's
    `start_now_text`, which says what it means for the fee."""

    language: Spoken
    start_now_sha256: Sha256


class NetAmountOut(Out):
    """One outcome: what comes back, our fee in it (VAT included), what the claimants keep."""

    outcome: str
    text: str
    recovered: Amount
    our_fee: Amount
    vat_inside_fee: Amount
    you_get: Amount


class FeeRuleOut(Out):
    """The rule of the contract. `rate_percent` is on lines that earn a fee, VAT included."""

    id: str
    version: int
    rate_percent: str
    vat_percent: str
    explanation: str


class StepOut(Out):
    """One step of the ladder and how long the other side has in it."""

    stage: str
    text: str


class SummaryOut(Out):
    """One page: the fee with net amounts for each outcome, the rights, the text to be signed.

    `without_us`: what the consumer can do alone. `mandate_level`: the weakest signature that the
    company and the bodies we file with take. `text_sha256` is of the mandate's texts as shown,
    `start_now_sha256` of the request to begin at once, `page_sha256` of the page with all of it.
    """

    case_id: UUID
    reference: str
    language: str
    title: str
    service: str
    steps: list[StepOut]
    without_us: list[str]
    fee: FeeRuleOut
    claimed: Amount
    net_amounts: list[NetAmountOut]
    no_fee_on: str
    nothing_due_if: str
    who_pays_whom: str
    withdrawal_right: str
    leaving: str
    if_we_are_late: str
    start_now_text: str
    complaint_about_us: str
    data_use: str
    public_at_body: str
    mandate_level: Level
    mandate_text: str
    mandate_money_text: str
    text_version: str
    text_sha256: str
    start_now_sha256: str
    page_sha256: str


class StartOut(Out):
    """What was asked, as it was shown, and the case after it."""

    mandate_id: UUID
    asked_at: datetime
    text: str
    case: CaseView


class MandateSigned(Out):
    """The stored signature and the case after it."""

    mandate_id: UUID
    signed_at: datetime
    case: CaseView
