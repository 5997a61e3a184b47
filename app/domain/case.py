"""The case as the ladder sees it: one frozen value, built from its rows in one place (app.engine).

Words are those of the design ("Words", "The ladder"). Amounts are minor units of `Case.currency`;
instants are aware UTC datetimes of business time.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum


class Stage(StrEnum):
    INTAKE = "intake"
    ASSESSMENT = "assessment"
    AGREEMENT = "agreement"
    CONTACT = "contact"
    REMINDER = "reminder"
    FORMAL_NOTICE = "formal_notice"
    COMPLAINT = "complaint"
    SETTLEMENT = "settlement"
    CLOSED = "closed"


BEFORE_MANDATE = (Stage.INTAKE, Stage.ASSESSMENT, Stage.AGREEMENT)
LADDER = (Stage.CONTACT, Stage.REMINDER, Stage.FORMAL_NOTICE, Stage.COMPLAINT)


class WaitingOn(StrEnum):
    CONSUMER = "consumer"
    HANDLER = "handler"
    COMPANY = "company"
    BODY = "body"
    BANK = "bank"
    DELIVERY = "delivery"
    DATE = "date"


class Outcome(StrEnum):
    REFUNDED_FULL = "refunded_full"
    REFUNDED_PART = "refunded_part"
    PAID_DIRECT = "paid_direct"
    BILL_CANCELLED = "bill_cancelled"
    PAID_BY_THIRD_PARTY = "paid_by_third_party"
    VOUCHER_ACCEPTED = "voucher_accepted"
    NON_MONEY_REMEDY = "non_money_remedy"
    REFUSED_FINAL = "refused_final"
    NO_MERIT = "no_merit"
    DECLINED_BY_US = "declined_by_us"
    UNECONOMIC = "uneconomic"
    WITHDRAWN = "withdrawn"
    NOT_SIGNED = "not_signed"
    CONSUMER_SILENT = "consumer_silent"
    LAPSED = "lapsed"
    HANDED_OVER = "handed_over"
    AGENCY_LATE = "agency_late"
    DUPLICATE = "duplicate"
    SELF_FILED = "self_filed"
    INSOLVENT = "insolvent"
    TIME_BARRED = "time_barred"


class TimerKind(StrEnum):
    """Everything dated. `key` tells two of a kind apart (a question id, a nudge's day)."""

    DEADLINE = "deadline"  # the date people see: what `waiting_on` must do by then
    NUDGE = "nudge"  # a reminder to the consumer inside intake, agreement, a question
    HEARTBEAT = "heartbeat"  # promise 1: word to the consumer while others are silent
    QUESTION_DUE = "question_due"
    OFFER_WARNING = "offer_warning"  # three days before an offer lapses
    OFFER_EXPIRY = "offer_expiry"
    PROMISE_DUE = "promise_due"
    HOLD_END = "hold_end"
    BODY_STATUS = "body_status"  # ask the body how it stands, at most every 90 days
    AGENCY_LATE = "agency_late"  # promise 9: a dated step of ours is 30 days late
    LIMITATION = "limitation"  # warning bands before the claim is time-barred
    BODY_LIMIT = "body_limit"  # warning bands before a body can no longer be asked
    WITHDRAWAL_END = "withdrawal_end"  # a signer's time to withdraw is over; key: claimant id
    MANDATE_END = "mandate_end"  # a mandate ends soon, or ended; key: warn or end, claimant id


class PauseKind(StrEnum):
    """Why the ladder stands still. Several may hold at once; it runs when none does."""

    HOLD = "hold"
    QUESTION = "question"
    OFFER = "offer"
    PROMISE = "promise"
    UNREAD_REPLY = "unread_reply"
    UNPLACED_MAIL = "unplaced_mail"  # a person's mail in the holding pen may be about this case
    UNKNOWN_EFFECT = "unknown_effect"
    DISTRESS = "distress"
    LEGAL = "legal"
    DUPLICATE = "duplicate"
    MANDATE = "mandate"
    WITHDRAWAL = "withdrawal"  # all who signed may still withdraw and did not ask us to begin


class LetterKind(StrEnum):
    CONTACT = "contact"
    REMINDER = "reminder"
    FORMAL_NOTICE = "formal_notice"
    COMPLAINT = "complaint"
    # The letter of a step that follows an answer of the company.
    DENIAL_ANSWER = "denial_answer"
    PROMISE_BROKEN = "promise_broken"
    OFFER_REFUSED = "offer_refused"
    FULL_SETTLEMENT_REFUSED = "full_settlement_refused"
    # Beside the steps (app.domain.other_letters).
    OFFER_ACCEPTED = "offer_accepted"
    MORE_TIME = "more_time"
    WRONG_PARTY = "wrong_party"
    MANDATE_NOTICE = "mandate_notice"
    CLOSING_COMPANY = "closing_company"
    CLOSING_CONSUMER = "closing_consumer"
    DEBT_DISPUTE = "debt_dispute"
    DECLARATION = "declaration"


class LetterState(StrEnum):
    RENDERING = "rendering"
    AWAITING_APPROVAL = "awaiting_approval"
    RETURNED = "returned"  # a person sent it back; a new revision is rendered
    RELEASED = "released"  # approved for one hash; the send effect is staged
    HANDED_OVER = "handed_over"  # the mail server or the printer has it
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    CANCELLED = "cancelled"


class MandateState(StrEnum):
    NONE = "none"
    SIGNED = "signed"
    REVOKED = "revoked"
    EXPIRED = "expired"  # its last day is over; it can be signed anew


class OfferKind(StrEnum):
    PART = "part"
    FULL = "full"
    VOUCHER = "voucher"
    GOODWILL = "goodwill"
    RECOMMENDATION = "recommendation"  # a body's, treated as an offer


class OfferState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    COUNTERED = "countered"
    REFUSED = "refused"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Basis:
    """Why a date is what it is (promise 4).

    `start` is the fact it started from, `rule` the rule id with version, `skipped` the days passed
    over with their reason, `whose` is law, ours, word (someone said so) or theirs (a body set it).
    """

    start_event: str
    start: datetime
    rule: str
    period: str
    whose: str = "ours"
    skipped: tuple[tuple[date, str], ...] = ()
    due: date | None = None  # the law's last day, where it differs from the day we act


@dataclass(frozen=True, slots=True)
class LimitSource:
    """Why the last day of a claim is that day: `period` by `rule`, from `start_event` on `start`.
    `whose`: law, or word (a person said so)."""

    start_event: str
    start: date
    rule: str
    period: str
    whose: str = "law"


@dataclass(frozen=True, slots=True)
class Timer:
    kind: TimerKind
    key: str
    due_at: datetime
    step: int
    basis: Basis


@dataclass(frozen=True, slots=True)
class Pause:
    kind: PauseKind
    key: str
    since: datetime
    until: datetime  # no pause without a date
    reason: str = ""  # a code, never free text


@dataclass(frozen=True, slots=True)
class Claimant:
    """A consumer on the case; mandate, outcome and account are each claimant's own."""

    id: uuid.UUID
    consumer_id: uuid.UUID
    position: int
    mandate: MandateState = MandateState.NONE
    mandate_id: uuid.UUID | None = None
    signed_at: datetime | None = None
    receives_money: bool = False  # the mandate includes receiving money
    has_account: bool = False
    waits_until: datetime | None = None  # signed, but not acted for before this instant
    level: str = "typed"  # of the signature held: typed | drawn | qualified | wet_ink
    valid_until: date | None = None  # the last day of the mandate; None: until it is taken back


@dataclass(frozen=True, slots=True)
class ClaimItem:
    id: uuid.UUID
    amount_minor: int
    earns_fee: bool
    creditor_id: uuid.UUID  # the claimant whose money it is
    kind: str = "price"
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Letter:
    """The letter of the step the case is on, or one beside the steps, which has a `topic`; its
    bytes are `sha256`, a revision raises `n`."""

    id: uuid.UUID
    kind: LetterKind
    step: int
    n: int
    state: LetterState
    channel: str  # email | post | portal
    recipient: str  # company | body; beside the steps also consumer | other
    sha256: str | None = None
    approved_by: str | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    evidence_grade: str | None = None  # recipient_server | registered | presumed
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    id: uuid.UUID
    kind: OfferKind
    amount_minor: int
    state: OfferState
    made_at: datetime
    answer_by: datetime
    in_full_settlement: bool = True
    accepted_by: frozenset[uuid.UUID] = frozenset()  # claimant ids


@dataclass(frozen=True, slots=True)
class Promise:
    """A day the company said it would pay by; a second promise suspends nothing."""

    id: uuid.UUID
    amount_minor: int
    promised_date: date
    made_at: datetime
    n: int
    recovered_before: int = 0  # what had been recovered when it was made: tells whether it was kept


@dataclass(frozen=True, slots=True)
class Question:
    """Asked of the consumer, with a date, two nudges and the default that silence brings."""

    id: uuid.UUID
    code: str
    asked_at: datetime
    due_at: datetime
    default: str
    blocks_ladder: bool = True
    answered: bool = False


@dataclass(frozen=True, slots=True)
class MoneyState:
    """What has come and gone for this case, in minor units; the ledger is the proof."""

    received: int = 0  # allocated to the case on the client account
    direct: int = 0  # the company paid the consumer itself
    voucher: int = 0  # agreed value of vouchers taken
    fee: int = 0
    in_flight: int = 0  # payouts approved, not yet on a statement
    paid_out: int = 0
    unallocated_in_full: int = 0  # came "in full settlement", waits for the claimants
    third_party: int = 0  # the part of `received` that somebody else than the company paid
    fee_direct: int = 0  # fee on money paid to the consumer: invoiced, never taken from `received`
    adjusted: int = 0  # made good or lent by us, less what was set off; never recovered


@dataclass(frozen=True, slots=True)
class Case:
    id: uuid.UUID
    reference: str
    claim_kind: str
    jurisdiction: str
    currency: str
    stage: Stage
    step: int  # numbered attempt; rises over the whole life (0 = before our first letter)
    opened_at: datetime
    playbook: str  # id@version, pinned when accepted
    waiting_on: WaitingOn | None = None
    due_at: datetime | None = None
    due_basis: Basis | None = None
    outcome: Outcome | None = None
    mode: str = "A"  # A: we receive and pay out; B: the company pays the consumer
    company_known: bool = False
    timers: tuple[Timer, ...] = ()
    pauses: tuple[Pause, ...] = ()
    remaining_seconds: int | None = None  # what was left of the ladder's deadline when it paused
    claimants: tuple[Claimant, ...] = ()
    items: tuple[ClaimItem, ...] = ()
    letter: Letter | None = None
    others: tuple[Letter, ...] = ()  # letters beside the steps, the oldest first
    offer: Offer | None = None
    promise: Promise | None = None
    promises_made: int = 0
    questions: tuple[Question, ...] = ()
    money: MoneyState = field(default_factory=MoneyState)
    agreed_minor: int | None = (
        None  # the whole is agreed, accepted or ordered: this much is awaited
    )
    agreed_at: datetime | None = None  # when the company first offered or agreed in writing
    stage_left: Stage | None = None  # where a broken promise or a refused offer returns to
    entry_stage: Stage | None = None
    entry_reason: str | None = None
    bodies: tuple[str, ...] = ()  # the chain pinned for this case; empty: the playbook's own
    body_index: int = 0  # which body of the chain
    first_written_complaint: date | None = None
    refused_on: date | None = None  # the company's first refusal: opens some bodies at once
    bill_on: date | None = None  # of the bill in dispute: some bodies' time runs from it
    first_contact_at: datetime | None = None
    limitation_on: date | None = None
    limitation_basis: Basis | None = None  # why that day: its rule, the fact it runs from
    duplicate_of: uuid.UUID | None = None
    handler_id: uuid.UUID | None = None
    prepared_by: str | None = None
    heartbeat_days: int | None = None  # the consumer asked for a slower (or 0: event-only) rhythm
    agency_late: bool = False
    distress: bool = False
    closed_at: datetime | None = None
    paused_waiting_on: WaitingOn | None = None  # whom the ladder waits for beneath the pauses
    paused_basis: Basis | None = None  # and the basis of the date that stands still
    dead_channels: tuple[str, ...] = ()  # channels of this company that refused us for good
    short_wait_days: int | None = None  # 7 after a refused offer or a broken promise
    consumer_writes_first_days: int = 0  # step 0: the company demands it; 0 = no
    last_sent_at: datetime | None = None  # last letter to the company, for the minimum gap

    @property
    def is_open(self) -> bool:
        return self.stage is not Stage.CLOSED

    @property
    def claimed_minor(self) -> int:
        return sum(item.amount_minor for item in self.items if item.counted)

    @property
    def recovered_minor(self) -> int:
        return self.money.received + self.money.direct + self.money.voucher

    @property
    def signed(self) -> tuple[Claimant, ...]:
        return tuple(c for c in self.claimants if c.mandate is MandateState.SIGNED)

    @property
    def all_signed(self) -> bool:
        return bool(self.claimants) and len(self.signed) == len(self.claimants)

    @property
    def next_wake_at(self) -> datetime | None:
        return min((t.due_at for t in self.timers), default=None)

    def timer(self, kind: TimerKind, key: str = "") -> Timer | None:
        return next((t for t in self.timers if t.kind is kind and t.key == key), None)

    def paused_for(self, kind: PauseKind) -> bool:
        return any(p.kind is kind for p in self.pauses)

    def with_(self, **changes: object) -> Case:
        return replace(self, **changes)  # type: ignore[arg-type]  # field names checked by tests
