"""What is shown before signing, and what a signature is."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from app.cases.schemas import Amount, CaseView
from app.schemas import Flag, Id, In, Name, Out

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Spoken = Literal["en", "fi", "sv", "fr", "de"]  # what a page can be shown in
Level = Literal["typed", "drawn", "qualified", "wet_ink"]


class MandateIn(In):
    """A signature. `text_version`, `summary_language` and `summary_sha256` are those of the page
    the signer was shown (get_summary): a page that would read differently now is shown again.

    Levels: typed, drawn, qualified by the signer; wet_ink when staff file a paper original.
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
