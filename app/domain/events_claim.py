"""Facts of a claim: how it was filed, signed and written about, and what the other side said.

Read through app.domain.events, which holds the closed union.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime

from app.domain.case import LetterKind, LimitSource, OfferKind, Outcome, Stage
from app.domain.events_base import BaseEvent

# --- intake, assessment, agreement -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CaseDrafted(BaseEvent):
    """A consumer began; the draft resumes on another device."""


@dataclass(frozen=True, slots=True)
class CaseSubmitted(BaseEvent):
    """All of intake is there; by the consumer, a handler (phone, paper) or a partner."""

    filed_by: str  # consumer | handler | app


@dataclass(frozen=True, slots=True)
class CaseAccepted(BaseEvent):
    """A handler's merit decision with the entry stage and its reason (a code)."""

    entry_stage: Stage
    entry_reason: str
    playbook: str  # id@version to pin
    decided_by: str
    mode: str = "A"
    limitation_on: date | None = None
    limitation: LimitSource | None = None  # None with a day: a person named it
    first_written_complaint: date | None = None
    refused_on: date | None = None  # a refusal on file before we came
    bill_on: date | None = None  # the day of the bill in dispute
    bodies: tuple[str, ...] = ()  # the chain of bodies to pin; empty: the playbook's own
    consumer_writes_first_days: int = (
        0  # step 0: the company demands that the consumer writes first
    )


@dataclass(frozen=True, slots=True)
class CaseRejected(BaseEvent):
    """One reason, the rule, what would change it. Outcome no_merit, declined_by_us, uneconomic,
    time_barred or insolvent."""

    outcome: Outcome
    rule: str
    would_change: str
    decided_by: str


@dataclass(frozen=True, slots=True)
class QuestionAsked(BaseEvent):
    question_id: uuid.UUID
    code: str
    default: str
    days: int
    blocks_ladder: bool = True


@dataclass(frozen=True, slots=True)
class QuestionAnswered(BaseEvent):
    question_id: uuid.UUID
    by: str = "consumer"


@dataclass(frozen=True, slots=True)
class MandateSigned(BaseEvent):
    """`waits_until`: the signer did not ask us to begin before the time to withdraw is over."""

    claimant_id: uuid.UUID
    mandate_id: uuid.UUID
    receives_money: bool = True
    waits_until: datetime | None = None
    level: str = "typed"
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class MandateRendered(BaseEvent):
    """The document of what this claimant signed is stored."""

    claimant_id: uuid.UUID
    mandate_id: uuid.UUID
    sha256: str


@dataclass(frozen=True, slots=True)
class StartAsked(BaseEvent):
    """Who had signed and waited asks us to begin at once (Directive 2011/83/EU, article 7(3))."""

    claimant_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class MandateRevoked(BaseEvent):
    claimant_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class PayoutAccountGiven(BaseEvent):
    claimant_id: uuid.UUID


# --- letters ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LetterRendered(BaseEvent):
    letter_id: uuid.UUID
    step: int
    sha256: str
    n: int = 0  # the revision rendered; 0 = not told (taken for the current one)


@dataclass(frozen=True, slots=True)
class LetterApproved(BaseEvent):
    """By a person, for exactly these bytes."""

    letter_id: uuid.UUID
    sha256: str
    approved_by: str


@dataclass(frozen=True, slots=True)
class LetterReturned(BaseEvent):
    letter_id: uuid.UUID
    reason: str
    returned_by: str


@dataclass(frozen=True, slots=True)
class LetterRequested(BaseEvent):
    """A person asks for a letter beside the steps (app.domain.other_letters)."""

    letter_id: uuid.UUID
    kind: LetterKind
    topic: str
    channel: str  # email | post
    recipient: str  # company | consumer | other
    by: str


@dataclass(frozen=True, slots=True)
class LetterHandedOver(BaseEvent):
    """The recipient's mail server took it with 2xx at `at` (our relay: delivered=False), or the
    printer accepted the job."""

    letter_id: uuid.UUID
    at: datetime
    provider: str
    recipient_server: bool = False  # True: the recipient's own server said 2.x.x


@dataclass(frozen=True, slots=True)
class LetterDelivered(BaseEvent):
    letter_id: uuid.UUID
    at: datetime
    grade: str  # recipient_server | registered | presumed


@dataclass(frozen=True, slots=True)
class LetterBounced(BaseEvent):
    letter_id: uuid.UUID
    hard: bool
    reason: str


@dataclass(frozen=True, slots=True)
class ChannelMended(BaseEvent):
    """A person gave the company a channel of this `kind` (email, post) that works."""

    kind: str
    by: str


@dataclass(frozen=True, slots=True)
class EffectUnknown(BaseEvent):
    """The outcome of an effect cannot be known: the next step waits until a person settles it."""

    effect_id: uuid.UUID
    kind: str


@dataclass(frozen=True, slots=True)
class EffectSettled(BaseEvent):
    """A person settled an unknown or parked effect: sent, not_sent or again."""

    effect_id: uuid.UUID
    kind: str
    verdict: str
    by: str
    letter_id: uuid.UUID | None = None  # of an order about a letter


@dataclass(frozen=True, slots=True)
class EffectFailed(BaseEvent):
    """The provider refused for good (5xx, an address that does not exist)."""

    effect_id: uuid.UUID
    kind: str
    reason: str
    letter_id: uuid.UUID | None = None  # of an order about a letter


# --- what the company or body says -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MessageArrived(BaseEvent):
    """A stored inbound message was filed to this case. Automatic ones stop no clock."""

    message_id: uuid.UUID
    sender: str  # company | body | consumer | unknown
    automatic: bool
    bounce_of: uuid.UUID | None = None  # a letter id: this is its bounce
    hard_bounce: bool = False


@dataclass(frozen=True, slots=True)
class MailGuessed(BaseEvent):
    """A person's mail lies in the holding pen, and this case may be the one it is about."""

    message_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class MailPlaced(BaseEvent):
    """The mail that may have been about this case was placed by a person: here or elsewhere."""

    message_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class MailUnplaced(BaseEvent):
    """A mail filed to this case, and not read yet, goes back to the holding pen."""

    message_id: uuid.UUID
    decided_by: str


@dataclass(frozen=True, slots=True)
class CompanyAsked(BaseEvent):
    """The company wants something (a document, a number); handled by `message_id`'s reader."""

    message_id: uuid.UUID | None
    decided_by: str


@dataclass(frozen=True, slots=True)
class CompanyDenied(BaseEvent):
    message_id: uuid.UUID | None
    reason: str  # coded; "" = without reasons
    decided_by: str


@dataclass(frozen=True, slots=True)
class CompanyOffered(BaseEvent):
    """An offer of money or a voucher: each claimant answers before `answer_by`."""

    offer_id: uuid.UUID
    kind: OfferKind
    amount_minor: int
    answer_by: datetime
    decided_by: str
    in_full_settlement: bool = True
    message_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class CompanyPromised(BaseEvent):
    """It will pay `amount_minor` by `promised_date`; with `whole` the case moves to settlement."""

    promise_id: uuid.UUID
    amount_minor: int
    promised_date: date
    whole: bool
    decided_by: str
    message_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class MessageSetAside(BaseEvent):
    """Read and of no consequence for the ladder (an automatic reply, a thank-you, spam)."""

    message_id: uuid.UUID
    decided_by: str


@dataclass(frozen=True, slots=True)
class WrongParty(BaseEvent):
    """ "Not us": a new respondent needs a new first demand; limitation runs on."""

    decided_by: str
    message_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class BodyAsked(BaseEvent):
    """The body wants something from us by its own date, which is our clock."""

    answer_by: datetime
    decided_by: str
    message_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class BodyAnswered(BaseEvent):
    """We gave the body what it asked for."""

    decided_by: str
    message_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class BodyDismissed(BaseEvent):
    reason: str
    decided_by: str
    message_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class BodyDecided(BaseEvent):
    """A decision for the consumer; `obey_by` is watched like a promise."""

    promise_id: uuid.UUID
    amount_minor: int
    obey_by: date
    decided_by: str
    message_id: uuid.UUID | None = None
