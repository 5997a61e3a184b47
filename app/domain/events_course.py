"""Facts beside the claim: offers answered, money, people steering the ladder, and time.

Read through app.domain.events, which holds the closed union.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime

from app.domain.case import LetterKind, LimitSource, Outcome, Stage, TimerKind
from app.domain.events_base import BaseEvent

# --- offers ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OfferAccepted(BaseEvent):
    offer_id: uuid.UUID
    claimant_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class OfferRefused(BaseEvent):
    offer_id: uuid.UUID
    claimant_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class OfferCountered(BaseEvent):
    offer_id: uuid.UUID
    claimant_id: uuid.UUID
    amount_minor: int


@dataclass(frozen=True, slots=True)
class OfferExtended(BaseEvent):
    """The company gave more time to answer."""

    offer_id: uuid.UUID
    answer_by: datetime
    decided_by: str


# --- money -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MoneyAllocated(BaseEvent):
    """Client money was set against this case; fee as posted in the same transaction."""

    allocation_id: uuid.UUID
    amount_minor: int
    fee_minor: int  # change of the fee by this allocation
    third_party: bool = False


@dataclass(frozen=True, slots=True)
class AllocationUndone(BaseEvent):
    allocation_id: uuid.UUID
    amount_minor: int
    fee_minor: int


@dataclass(frozen=True, slots=True)
class MoneyCorrected(BaseEvent):
    """Finance entered in the books what changes this case's money: taken back by its payer, made
    good by us, a fee waived, a debt set off. Differences as posted in the same transaction."""

    entry_id: uuid.UUID
    why: str  # the kind of entry
    received_minor: int
    fee_minor: int
    fee_direct_minor: int
    adjusted_minor: int


@dataclass(frozen=True, slots=True)
class MoneyHeldInFull(BaseEvent):
    """Money came "in full settlement" below the claim: unallocated until the claimants accept."""

    movement_id: uuid.UUID
    offer_id: uuid.UUID
    amount_minor: int
    answer_by: datetime


@dataclass(frozen=True, slots=True)
class MoneyReturned(BaseEvent):
    """Refused money went back to its payer."""

    movement_id: uuid.UUID
    amount_minor: int


@dataclass(frozen=True, slots=True)
class PaidDirectReported(BaseEvent):
    """The consumer says the company paid them; a person checks the proof."""

    report_id: uuid.UUID
    amount_minor: int
    on: date


@dataclass(frozen=True, slots=True)
class PaidDirectConfirmed(BaseEvent):
    """Confirmed by the consumer or the company's proof; in mode B the fee is invoiced."""

    amount_minor: int
    fee_minor: int
    whole: bool  # the claimants are content: nothing more is claimed
    decided_by: str


@dataclass(frozen=True, slots=True)
class VoucherTaken(BaseEvent):
    """An accepted voucher was registered at its agreed value (fee only when cashed)."""

    value_minor: int
    decided_by: str


@dataclass(frozen=True, slots=True)
class PayoutApproved(BaseEvent):
    item_id: uuid.UUID
    amount_minor: int


@dataclass(frozen=True, slots=True)
class PayoutSettled(BaseEvent):
    """The debit stands on a bank statement."""

    item_id: uuid.UUID
    amount_minor: int


@dataclass(frozen=True, slots=True)
class PayoutReturned(BaseEvent):
    """Refused before (`settled_before` False) or returned after the debit."""

    item_id: uuid.UUID
    amount_minor: int
    reason: str
    settled_before: bool


# --- people steering the ladder --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CaseHeld(BaseEvent):
    key: str
    reason: str
    until: datetime
    by: str


@dataclass(frozen=True, slots=True)
class HoldLifted(BaseEvent):
    key: str
    by: str


@dataclass(frozen=True, slots=True)
class DeadlineExtended(BaseEvent):
    """From the base date, to a new last day agreed with the company."""

    until: datetime
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class ClockRestarted(BaseEvent):
    """A new fact starts the period again (never a resend because they lost it)."""

    fact: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class DateRecounted(BaseEvent):
    """Holidays or a rule changed: the difference from `was` to `due` was seen and approved."""

    was: datetime
    due: datetime
    by: str


@dataclass(frozen=True, slots=True)
class LimitationMoved(BaseEvent):
    """An act that the law lets stop or restart the limitation, or the correction of a wrong day.
    `act` is one of the playbook's, `on` the day it was done, `new_day` the last day from now on."""

    act: str
    on: date
    new_day: date
    by: str


@dataclass(frozen=True, slots=True)
class FactsLearned(BaseEvent):
    """A person took over what a finding made anew says: days that bodies count from, the last day
    of the claim with its reason, the chain of bodies. None: stays. `what` names it in codes.
    `claimed_was`: the lines of the claim were put right, and this is what was claimed before."""

    what: str
    by: str
    claimed_was: int | None = None
    first_written_complaint: date | None = None
    refused_on: date | None = None
    bill_on: date | None = None
    limitation_on: date | None = None
    limitation: LimitSource | None = None
    bodies: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class NextStepChosen(BaseEvent):
    """A handler decides what follows a denial, a dead channel or the end of the bodies: the next
    stage, an answer to the denial (same stage, step + 1) or the next body."""

    stage: Stage
    reason: str
    decided_by: str
    letter: LetterKind | None = None


@dataclass(frozen=True, slots=True)
class CaseReassigned(BaseEvent):
    handler_id: uuid.UUID | None
    by: str


@dataclass(frozen=True, slots=True)
class DuplicateLinked(BaseEvent):
    """A reversible link, never a merge: this case stands still while the other runs."""

    duplicate_of: uuid.UUID
    by: str


@dataclass(frozen=True, slots=True)
class DuplicateUnlinked(BaseEvent):
    by: str


@dataclass(frozen=True, slots=True)
class CaseWithdrawn(BaseEvent):
    """The claimants leave; a fee may follow only after an offer or agreement in writing."""

    by: str


@dataclass(frozen=True, slots=True)
class AgencyLeft(BaseEvent):
    """The consumer took the agency-late exit: nothing is owed on money received later."""


@dataclass(frozen=True, slots=True)
class CaseClosed(BaseEvent):
    outcome: Outcome
    reason: str
    decided_by: str


@dataclass(frozen=True, slots=True)
class CaseReopened(BaseEvent):
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class DistressNoticed(BaseEvent):
    by: str


@dataclass(frozen=True, slots=True)
class LegalThreatened(BaseEvent):
    """A threat, attachment, authority's letter or a deadline set on us."""

    deadline: datetime
    by: str


@dataclass(frozen=True, slots=True)
class AlertRaised(BaseEvent):
    """A message holds what may not wait for its turn: a complaint about us, an insolvency, a clause
    that wants the consumer first. Distress and threats have events of their own."""

    message_id: uuid.UUID
    what: str  # a key of app.domain.steering.ALERTED


@dataclass(frozen=True, slots=True)
class IncidentRecorded(BaseEvent):
    """A legal date we missed: senior and legal the same day, the consumer within 5 working days."""

    incident_id: uuid.UUID
    what: str
    by: str


# --- time ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TimerFired(BaseEvent):
    """A dated thing came due. `step` is the step it was set in; an older one is stale."""

    kind: TimerKind
    key: str
    step: int
    due_at: datetime
