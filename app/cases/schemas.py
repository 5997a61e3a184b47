"""A case as people read it: stage, next promised date and why, who is waited for, money, history.

Every code comes with its words in the language of the case (or the reader's, if they ask).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from app.correspondence.schemas import AttachmentOut
from app.domain.money import Money
from app.schemas import Out


class Amount(Out):
    """`minor` in the smallest unit of the currency; `amount` as on paper; `text` for people."""

    minor: int
    currency: str
    amount: str
    text: str

    @classmethod
    def of(cls, minor: int, currency: str) -> Amount:
        money = Money(minor, currency)
        return cls(minor=minor, currency=currency, amount=money.format(), text=str(money))


class SkippedDay(Out):
    day: date
    because: str


class PromisedDate(Out):
    """The next promised date. `explanation` is one sentence; the rest is what it is made of.

    `whose`: law, ours, word (somebody said so) or theirs (a body set it). `law_says` is the last
    day of the law where it differs from the day we act.
    """

    at: datetime
    day: str
    explanation: str
    started_from: str
    started_at: datetime
    rule: str
    period: str
    whose: str
    whose_text: str
    law_says: date | None
    skipped_days: list[SkippedDay]


class NowAndNext(Out):
    """What we did last, what we wait for, until when, and what then (promise 1)."""

    what_we_did: str
    waiting_for: str
    until: str
    what_then: str


class CompanyOut(Out):
    """`confirmed` is False until a person of ours checked who the company legally is."""

    name: str
    brand: str | None
    company_id: UUID | None
    confirmed: bool


class MandateOut(Out):
    """state: none, signed, revoked or expired (after `valid_until`). `waits_until`: signed, but we
    act only from then on, or from the moment the signer asks us to begin."""

    state: str
    state_text: str
    mandate_id: UUID | None
    signed_at: datetime | None
    receives_money: bool
    waits_until: datetime | None
    level: str
    valid_until: date | None


class ClaimantOut(Out):
    """`is_you`: the caller is this person. `account_on_file`: we know where to pay on this case."""

    id: UUID
    name: str
    position: int
    is_you: bool
    mandate: MandateOut
    account_on_file: bool


class ItemOut(Out):
    """`counted` is False for lines in another currency than the case's: listed, not claimed."""

    id: UUID
    what: str
    kind: str
    amount: Amount
    earns_fee: bool
    counted: bool
    claimant_id: UUID


class MoneyOnCase(Out):
    """Sums of the case. `on_its_way`: sent to the bank, not yet on a statement; `waits_for_you`:
    came "in full settlement" and stays untouched until every claimant answered; `made_good`: added
    by us, less what was set off."""

    claimed: Amount
    agreed: Amount | None
    received: Amount
    paid_to_you_directly: Amount
    vouchers: Amount
    our_fee: Amount
    made_good: Amount
    on_its_way: Amount
    paid_out: Amount
    waits_for_you: Amount
    not_counted: list[Amount]


class LetterOut(Out):
    """state: rendering, awaiting_approval, returned, released, handed_over, delivered, bounced,
    cancelled. `pdf` is the address of the document once there is one the reader may see."""

    id: UUID
    kind: str
    kind_text: str
    step: int
    state: str
    state_text: str
    channel: str
    recipient: str
    sha256: str | None
    sent_at: datetime | None
    delivered_at: datetime | None
    proof_of_delivery: str | None
    pdf: str | None


class OfferAnswerOut(Out):
    claimant_id: UUID
    answer: str
    counter: Amount | None


class NetOut(Out):
    claimant_id: UUID
    would_get: Amount


class OfferOut(Out):
    """An offer of the company or a body, with what each claimant would be left with."""

    id: UUID
    kind: str
    kind_text: str
    state: str
    state_text: str
    amount: Amount
    in_full_settlement: bool
    answer_by: datetime
    answer_by_text: str
    words_of_the_company: str
    our_fee_if_accepted: Amount
    would_be_paid_out: Amount
    each_would_get: list[NetOut]
    if_you_accept: str
    if_you_refuse: str
    answers: list[OfferAnswerOut]


class QuestionOut(Out):
    """`if_you_do_not_answer` is the written default that silence brings."""

    id: UUID
    code: str
    question: str
    asked_at: datetime
    answer_by: datetime | None
    if_you_do_not_answer: str
    answered: bool
    answer: str | None


class TimelineEntry(Out):
    """One thing that happened, in words. `internal` ones are shown to staff only."""

    number: int
    at: datetime
    day: str
    code: str
    text: str
    by: str
    internal: bool


class Timeline(Out):
    items: list[TimelineEntry]
    next_cursor: str | None


class Letters(Out):
    items: list[LetterOut]
    next_cursor: str | None


class ClaimOut(Out):
    claim_kind: str
    jurisdiction: str
    currency: str
    booking_reference: str | None
    what_happened: str
    answers: dict[str, object]
    first_written_complaint: date | None


class MissingField(Out):
    """What a draft still needs before it can be submitted."""

    pointer: str
    message: str


class PauseOut(Out):
    kind: str
    reason: str
    since: datetime
    until: datetime


class OpenTaskOut(Out):
    id: UUID
    kind: str
    role: str
    due_at: datetime
    priority: int
    priority_reason: str


class Duplicate(Out):
    id: UUID
    reference: str
    stage: str


class StaffPart(Out):
    """What only staff see. `possible_duplicates`: same person, company and booking.

    `limitation_on` is the last day of the claim, `limitation_because` why it is that day."""

    source: str
    handler_id: UUID | None
    prepared_by: str | None
    entry_stage: str | None
    entry_reason: str | None
    limitation_on: date | None
    limitation_rule: str | None
    limitation_because: str | None
    duplicate_of: UUID | None
    possible_duplicates: list[Duplicate]
    pauses: list[PauseOut]
    open_tasks: list[OpenTaskOut]
    distress: bool
    parked_reason: str | None
    payment_reference: str
    playbook: str


class CaseView(Out):
    """The whole case. `version` is the ETag; send it back as If-Match when changing it."""

    id: UUID
    reference: str
    version: int
    stage: str
    stage_text: str
    step: int
    waiting_on: str | None
    waiting_on_text: str
    next_promised_date: PromisedDate | None
    now_and_next: NowAndNext
    outcome: str | None
    outcome_text: str | None
    mode: str
    mode_text: str
    we_are_late: bool
    language: str
    opened_at: datetime
    closed_at: datetime | None
    claim: ClaimOut
    company: CompanyOut
    claimants: list[ClaimantOut]
    items: list[ItemOut]
    money: MoneyOnCase
    letters: list[LetterOut]
    offers: list[OfferOut]
    questions: list[QuestionOut]
    timeline: list[TimelineEntry]
    still_missing: list[MissingField]
    staff: StaffPart | None


class CaseLine(Out):
    """One line of a list of cases."""

    id: UUID
    reference: str
    version: int
    stage: str
    stage_text: str
    waiting_on: str | None
    waiting_on_text: str
    next_promised_date: datetime | None
    outcome: str | None
    company: str
    claimed: Amount
    opened_at: datetime


class Cases(Out):
    items: list[CaseLine]
    next_cursor: str | None


class ReceiptOut(Out):
    """What leaving did. `fee_text` says what could still be owed and until when, or why not."""

    case_id: UUID
    reference: str
    at: datetime
    stopped: list[str]
    had_already_gone: list[str]
    fee_still_possible: bool
    fee_text: str
    fee_window_ends: date | None
    outcome: str | None
    text: str
    version: int


class DirectPaymentOut(Out):
    id: UUID
    amount: Amount
    paid_on: date
    state: str
    text: str
    case_version: int


class MessageReadingOut(Out):
    """What a mail seems to say: a suggestion for who reads it, never acted on by itself. `own_text`
    is what the sender wrote new, without quotation and signature. `kind`: unclear where the rules
    abstain."""

    kind: str | None
    confidence: float | None
    language: str | None
    own_text: str | None
    amount_minor: int | None
    currency: str | None
    promised_date: date | None
    deadline_for_us: date | None
    ticket_number: str | None


class MessageOut(Out):
    """`reading`, `trust` and `trust_reasons` are for staff; `read_as` the kind of answer a person
    recorded from it. `trust`: how far the From line of a mail may be believed (low, medium, high;
    quarantine where it named no one sender), null where it came by no mail. `alerts`: what in it
    asked for a person at once. `html` is the address of its cleaned look, where it has one.
    `delivery` of what we sent, `delivery_status` by RFC 3463 (4.x.x may pass, 5.x.x may not)."""

    id: UUID
    direction: str
    sender: str
    subject: str
    text: str
    at: datetime
    reading: MessageReadingOut | None
    read_as: str | None
    trust: str | None
    trust_reasons: list[str]
    alerts: list[str]
    html: str | None
    delivery: Literal["handed_over", "deferred", "delivered", "bounced"] | None
    delivery_status: str | None
    attachments: list[AttachmentOut]  # for those who work on the case


class Messages(Out):
    items: list[MessageOut]
    next_cursor: str | None
