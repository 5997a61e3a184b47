"""Facts, in the past tense. A closed union: `decide` matches all of them and ends in assert_never.

Every event carries only ids, codes, amounts and dates; free text stays in its own table, so that
history never holds personal text. `VERSION` rises when the meaning of a field changes; an unknown
name or version found in the database is parked, not dropped.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from app.domain.case import LetterKind, OfferKind, Outcome, Stage, TimerKind


@dataclass(frozen=True, slots=True)
class _Event:
    VERSION: ClassVar[int] = 1


# --- intake, assessment, agreement -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CaseDrafted(_Event):
    """A consumer began; the draft resumes on another device."""


@dataclass(frozen=True, slots=True)
class CaseSubmitted(_Event):
    """All of intake is there; by the consumer, a handler (phone, paper) or a partner."""

    filed_by: str  # consumer | handler | app


@dataclass(frozen=True, slots=True)
class CaseAccepted(_Event):
    """A handler's merit decision with the entry stage and its reason (a code)."""

    entry_stage: Stage
    entry_reason: str
    playbook: str  # id@version to pin
    decided_by: str
    mode: str = "A"
    limitation_on: date | None = None
    first_written_complaint: date | None = None
    consumer_writes_first_days: int = (
        0  # step 0: the company demands that the consumer writes first
    )


@dataclass(frozen=True, slots=True)
class CaseRejected(_Event):
    """One reason, the rule, what would change it. Outcome no_merit, declined_by_us, uneconomic,
    time_barred or insolvent."""

    outcome: Outcome
    rule: str
    would_change: str
    decided_by: str


@dataclass(frozen=True, slots=True)
class QuestionAsked(_Event):
    question_id: uuid.UUID
    code: str
    default: str
    days: int
    blocks_ladder: bool = True


@dataclass(frozen=True, slots=True)
class QuestionAnswered(_Event):
    question_id: uuid.UUID
    by: str = "consumer"


@dataclass(frozen=True, slots=True)
class MandateSigned(_Event):
    claimant_id: uuid.UUID
    mandate_id: uuid.UUID
    receives_money: bool = True


@dataclass(frozen=True, slots=True)
class MandateRevoked(_Event):
    claimant_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class PayoutAccountGiven(_Event):
    claimant_id: uuid.UUID


# --- letters ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LetterRendered(_Event):
    letter_id: uuid.UUID
    step: int
    sha256: str
    n: int = 0  # the revision rendered; 0 = not told (taken for the current one)


@dataclass(frozen=True, slots=True)
class LetterApproved(_Event):
    """By a person, for exactly these bytes."""

    letter_id: uuid.UUID
    sha256: str
    approved_by: str


@dataclass(frozen=True, slots=True)
class LetterReturned(_Event):
    letter_id: uuid.UUID
    reason: str
    returned_by: str


@dataclass(frozen=True, slots=True)
class LetterHandedOver(_Event):
    """The recipient's mail server took it with 2xx at `at` (our relay: delivered=False), or the
    printer accepted the job."""

    letter_id: uuid.UUID
    at: datetime
    provider: str
    recipient_server: bool = False  # True: the recipient's own server said 2.x.x


@dataclass(frozen=True, slots=True)
class LetterDelivered(_Event):
    letter_id: uuid.UUID
    at: datetime
    grade: str  # recipient_server | registered | presumed


@dataclass(frozen=True, slots=True)
class LetterBounced(_Event):
    letter_id: uuid.UUID
    hard: bool
    reason: str


@dataclass(frozen=True, slots=True)
class EffectUnknown(_Event):
    """The outcome of an effect cannot be known: the next step waits until a person settles it."""

    effect_id: uuid.UUID
    kind: str


@dataclass(frozen=True, slots=True)
class EffectSettled(_Event):
    """A person settled an unknown or parked effect: sent, not_sent or again."""

    effect_id: uuid.UUID
    kind: str
    verdict: str
    by: str


@dataclass(frozen=True, slots=True)
class EffectFailed(_Event):
    """The provider refused for good (5xx, an address that does not exist)."""

    effect_id: uuid.UUID
    kind: str
    reason: str


# --- what the company or body says -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MessageArrived(_Event):
    """A stored inbound message was filed to this case. Automatic ones stop no clock."""

    message_id: uuid.UUID
    sender: str  # company | body | consumer | unknown
    automatic: bool
    bounce_of: uuid.UUID | None = None  # a letter id: this is its bounce
    hard_bounce: bool = False


@dataclass(frozen=True, slots=True)
class CompanyAsked(_Event):
    """The company wants something (a document, a number); handled by `message_id`'s reader."""

    message_id: uuid.UUID | None
    decided_by: str


@dataclass(frozen=True, slots=True)
class CompanyDenied(_Event):
    message_id: uuid.UUID | None
    reason: str  # coded; "" = without reasons
    decided_by: str


@dataclass(frozen=True, slots=True)
class CompanyOffered(_Event):
    """An offer of money or a voucher: each claimant answers before `answer_by`."""

    offer_id: uuid.UUID
    kind: OfferKind
    amount_minor: int
    answer_by: datetime
    decided_by: str
    in_full_settlement: bool = True
    message_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class CompanyPromised(_Event):
    """It will pay `amount_minor` by `promised_date`; with `whole` the case moves to settlement."""

    promise_id: uuid.UUID
    amount_minor: int
    promised_date: date
    whole: bool
    decided_by: str
    message_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class MessageSetAside(_Event):
    """Read and of no consequence for the ladder (an automatic reply, a thank-you, spam)."""

    message_id: uuid.UUID
    decided_by: str


@dataclass(frozen=True, slots=True)
class WrongParty(_Event):
    """ "Not us": a new respondent needs a new first demand; limitation runs on."""

    decided_by: str
    message_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class BodyAsked(_Event):
    """The body wants something from us by its own date, which is our clock."""

    answer_by: datetime
    decided_by: str


@dataclass(frozen=True, slots=True)
class BodyAnswered(_Event):
    """We gave the body what it asked for."""

    decided_by: str


@dataclass(frozen=True, slots=True)
class BodyDismissed(_Event):
    reason: str
    decided_by: str


@dataclass(frozen=True, slots=True)
class BodyDecided(_Event):
    """A decision for the consumer; `obey_by` is watched like a promise."""

    promise_id: uuid.UUID
    amount_minor: int
    obey_by: date
    decided_by: str


# --- offers ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OfferAccepted(_Event):
    offer_id: uuid.UUID
    claimant_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class OfferRefused(_Event):
    offer_id: uuid.UUID
    claimant_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class OfferCountered(_Event):
    offer_id: uuid.UUID
    claimant_id: uuid.UUID
    amount_minor: int


@dataclass(frozen=True, slots=True)
class OfferExtended(_Event):
    """The company gave more time to answer."""

    offer_id: uuid.UUID
    answer_by: datetime
    decided_by: str


# --- money -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MoneyAllocated(_Event):
    """Client money was set against this case; fee as posted in the same transaction."""

    allocation_id: uuid.UUID
    amount_minor: int
    fee_minor: int  # change of the fee by this allocation
    third_party: bool = False


@dataclass(frozen=True, slots=True)
class AllocationUndone(_Event):
    allocation_id: uuid.UUID
    amount_minor: int
    fee_minor: int


@dataclass(frozen=True, slots=True)
class MoneyHeldInFull(_Event):
    """Money came "in full settlement" below the claim: unallocated until the claimants accept."""

    movement_id: uuid.UUID
    offer_id: uuid.UUID
    amount_minor: int
    answer_by: datetime


@dataclass(frozen=True, slots=True)
class MoneyReturned(_Event):
    """Refused money went back to its payer."""

    movement_id: uuid.UUID
    amount_minor: int


@dataclass(frozen=True, slots=True)
class PaidDirectReported(_Event):
    """The consumer says the company paid them; a person checks the proof."""

    report_id: uuid.UUID
    amount_minor: int
    on: date


@dataclass(frozen=True, slots=True)
class PaidDirectConfirmed(_Event):
    """Confirmed by the consumer or the company's proof; in mode B the fee is invoiced."""

    amount_minor: int
    fee_minor: int
    whole: bool  # the claimants are content: nothing more is claimed
    decided_by: str


@dataclass(frozen=True, slots=True)
class VoucherTaken(_Event):
    """An accepted voucher was registered at its agreed value (fee only when cashed)."""

    value_minor: int
    decided_by: str


@dataclass(frozen=True, slots=True)
class PayoutApproved(_Event):
    item_id: uuid.UUID
    amount_minor: int


@dataclass(frozen=True, slots=True)
class PayoutSettled(_Event):
    """The debit stands on a bank statement."""

    item_id: uuid.UUID
    amount_minor: int


@dataclass(frozen=True, slots=True)
class PayoutReturned(_Event):
    """Refused before (`settled_before` False) or returned after the debit."""

    item_id: uuid.UUID
    amount_minor: int
    reason: str
    settled_before: bool


# --- people steering the ladder --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CaseHeld(_Event):
    key: str
    reason: str
    until: datetime
    by: str


@dataclass(frozen=True, slots=True)
class HoldLifted(_Event):
    key: str
    by: str


@dataclass(frozen=True, slots=True)
class DeadlineExtended(_Event):
    """From the base date, to a new last day agreed with the company."""

    until: datetime
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class ClockRestarted(_Event):
    """A new fact starts the period again (never a resend because they lost it)."""

    fact: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class NextStepChosen(_Event):
    """A handler decides what follows a denial, a dead channel or the end of the bodies: the next
    stage, an answer to the denial (same stage, step + 1) or the next body."""

    stage: Stage
    reason: str
    decided_by: str
    letter: LetterKind | None = None


@dataclass(frozen=True, slots=True)
class CaseReassigned(_Event):
    handler_id: uuid.UUID | None
    by: str


@dataclass(frozen=True, slots=True)
class DuplicateLinked(_Event):
    """A reversible link, never a merge: this case stands still while the other runs."""

    duplicate_of: uuid.UUID
    by: str


@dataclass(frozen=True, slots=True)
class DuplicateUnlinked(_Event):
    by: str


@dataclass(frozen=True, slots=True)
class CaseWithdrawn(_Event):
    """The claimants leave; a fee may follow only after an offer or agreement in writing."""

    by: str


@dataclass(frozen=True, slots=True)
class AgencyLeft(_Event):
    """The consumer took the agency-late exit: nothing is owed on money received later."""


@dataclass(frozen=True, slots=True)
class CaseClosed(_Event):
    outcome: Outcome
    reason: str
    decided_by: str


@dataclass(frozen=True, slots=True)
class CaseReopened(_Event):
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class DistressNoticed(_Event):
    by: str


@dataclass(frozen=True, slots=True)
class LegalThreatened(_Event):
    """A threat, attachment, authority's letter or a deadline set on us."""

    deadline: datetime
    by: str


@dataclass(frozen=True, slots=True)
class IncidentRecorded(_Event):
    """A legal date we missed: senior and legal the same day, the consumer within 5 working days."""

    incident_id: uuid.UUID
    what: str
    by: str


# --- time ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TimerFired(_Event):
    """A dated thing came due. `step` is the step it was set in; an older one is stale."""

    kind: TimerKind
    key: str
    step: int
    due_at: datetime


Event = (
    CaseDrafted
    | CaseSubmitted
    | CaseAccepted
    | CaseRejected
    | QuestionAsked
    | QuestionAnswered
    | MandateSigned
    | MandateRevoked
    | PayoutAccountGiven
    | LetterRendered
    | LetterApproved
    | LetterReturned
    | LetterHandedOver
    | LetterDelivered
    | LetterBounced
    | EffectUnknown
    | EffectSettled
    | EffectFailed
    | MessageArrived
    | CompanyAsked
    | CompanyDenied
    | CompanyOffered
    | CompanyPromised
    | MessageSetAside
    | WrongParty
    | BodyAsked
    | BodyAnswered
    | BodyDismissed
    | BodyDecided
    | OfferAccepted
    | OfferRefused
    | OfferCountered
    | OfferExtended
    | MoneyAllocated
    | AllocationUndone
    | MoneyHeldInFull
    | MoneyReturned
    | PaidDirectReported
    | PaidDirectConfirmed
    | VoucherTaken
    | PayoutApproved
    | PayoutSettled
    | PayoutReturned
    | CaseHeld
    | HoldLifted
    | DeadlineExtended
    | ClockRestarted
    | NextStepChosen
    | CaseReassigned
    | DuplicateLinked
    | DuplicateUnlinked
    | CaseWithdrawn
    | AgencyLeft
    | CaseClosed
    | CaseReopened
    | DistressNoticed
    | LegalThreatened
    | IncidentRecorded
    | TimerFired
)
