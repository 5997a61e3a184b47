"""What finance sends and reads about the bank and about money that came in."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StrictInt

from app.cases.schemas import Amount
from app.schemas import Currency, Date, Flag, Id, In, Line, MoneyIn, Name, OptionalLine, Out, Reason

AccountNumber = Annotated[str, Field(pattern=r"^[A-Za-z0-9 ]{4,42}$", max_length=42)]
BankReference = Annotated[str, Field(pattern=r"^[!-~]{1,64}$", max_length=64)]


class BankAccountIn(In):
    """An account of the agency: the client account receives and pays, the own one takes our fee.
    `number` is an IBAN, or the bank's own number where there is none."""

    book: Literal["client", "own"]
    holder: Name
    number: AccountNumber
    bic: Annotated[str, Field(pattern=r"^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$")] | None = None
    currency: Currency


class BankAccountOut(Out):
    """`balance` is what the books say stands there; `last_statement` the last day we were shown."""

    id: UUID
    book: str
    holder: str
    number: str
    bic: str | None
    currency: str
    opened_at: datetime
    balance: Amount
    last_statement: date | None


class BankAccountList(Out):
    items: list[BankAccountOut]


class OpeningIn(In):
    """What stood on a client account at the end of `as_of`, before its first statement here.
    `words` say where that is read (`statement 11/2026 of the bank`)."""

    amount: MoneyIn
    as_of: Date
    words: Line


class OpeningOut(Out):
    """The money is `movement_id`, unallocated until finance knows whose it is."""

    movement_id: UUID
    amount: Amount
    as_of: date


class StatementOut(Out):
    """One statement. `already_imported`: it stood here before and nothing was posted again."""

    id: UUID
    bank_account_id: UUID
    name: str
    closes_on: date | None
    closing_balance: Amount
    lines: int
    already_imported: bool


class ProblemWithCase(Out):
    case_id: UUID
    why: str


class WaitingOut(Out):
    """A statement that is kept and not posted: what is `missing` before it, and how to go on."""

    statement: str
    missing: str
    how_to_go_on: str


class ImportOut(Out):
    """What the file did. `state`: posted; waiting, when something must come first (it then follows
    by itself); notice, when it only informs. `statements` may name some that waited for this file;
    `posted_with` are imports whose pages made a statement with its pages: they are taken back
    together.
    `to_explain` are debits nobody ordered; `not_told` cases that did not take the bank's word (each
    has a task)."""

    import_id: UUID
    state: str
    statements: list[StatementOut]
    waiting: list[WaitingOut]
    posted_with: list[UUID]
    warnings: list[str]
    receipts: list[UUID]
    payouts_settled: int
    payouts_returned: int
    to_explain: list[UUID]
    not_told: list[ProblemWithCase]


class StatementLine(Out):
    id: UUID
    bank_account_id: UUID
    name: str
    number: int | None
    closes_on: date | None
    opening_balance: Amount
    closing_balance: Amount
    imported_at: datetime


class ImportedStatement(Out):
    """A statement of a file, without its lines."""

    kind: str
    name: str
    account: str
    number: int | None
    page: int
    closes_on: date | None
    lines: int


class ImportLine(Out):
    """One file. `undone_*` when it was taken back as a whole. `posted_with` are imports whose pages
    made a statement with its pages: one is taken back with the others."""

    id: UUID
    state: str
    imported_by: str
    imported_at: datetime
    statements: list[ImportedStatement]
    waiting: WaitingOut | None
    posted_with: list[UUID]
    undone_by: str | None
    undone_at: datetime | None
    undo_reason: str | None


class ImportList(Out):
    items: list[ImportLine]
    next_cursor: str | None


class UndoImportIn(In):
    reason: Reason


class StatementList(Out):
    items: list[StatementLine]
    next_cursor: str | None


class ReceiptIn(In):
    """Money seen at the bank before its statement came. `bank_reference` is the bank's own: by it
    the statement confirms this receipt instead of posting it a second time."""

    bank_account_id: Id
    amount: MoneyIn
    booked_on: Date
    bank_reference: BankReference
    reference: Annotated[str, Field(pattern=r"^[A-Za-z0-9 ]{1,35}$", max_length=35)] | None = None
    remittance: OptionalLine | None = None
    payer_name: Name | None = None
    payer_account: AccountNumber | None = None


class ReceiptOut(Out):
    movement_id: UUID
    amount: Amount
    booked_on: date


class MatchReason(Out):
    """One reason for a case, in words; `points` are its part of the score."""

    code: str
    points: int
    text: str


class CandidateOut(Out):
    """A case this money may belong to, and how much of it (`amount`). `why` says what was found,
    `reasons` what makes up its `score` (0 to 100); `certain`: it may be confirmed without a person,
    else `not_certain_because` is the code of why not and `not_certain_text` says it."""

    case_id: UUID
    reference: str
    company: str
    claimed: Amount
    rule: str
    why: str
    certain: bool
    amount: Amount
    score: int
    reasons: list[MatchReason]
    not_certain_because: str | None
    not_certain_text: str | None


class UnallocatedOut(Out):
    """`held_for_case`: it came in full settlement for that case; `answer` is the claimants'
    (waiting, accepted, refused). `to_return` is set aside for its payer."""

    movement_id: UUID
    booked_on: date
    amount: Amount
    unallocated: Amount
    payer: str | None
    payer_account: str | None
    reference: str | None
    message: str
    held_for_case: UUID | None
    answer: str | None
    to_return: Amount
    candidates: list[CandidateOut]
    why_unallocated: str


class UnallocatedList(Out):
    items: list[UnallocatedOut]
    next_cursor: str | None


class AllocateIn(In):
    """`amount` left out: all that is unallocated. `in_full_settlement`: the payer calls it the
    whole; below the claim it is held until the claimants have answered. `third_party`: an insurer
    or card scheme paid."""

    case_id: Id
    amount: MoneyIn | None = None
    in_full_settlement: Flag = False
    third_party: Flag = False
    answer_within_days: Annotated[StrictInt, Field(ge=1, le=60)] | None = None


class ShareOut(Out):
    """One claimant's part: received = our fee + to be paid out."""

    claimant_id: UUID
    received: Amount
    our_fee: Amount
    vat_inside_fee: Amount
    to_be_paid_out: Amount


class AllocationOut(Out):
    """`state`: allocated, or held for the claimants' answer (then `offer_id`, and nothing else)."""

    state: Literal["allocated", "held"]
    allocation_id: UUID | None
    movement_id: UUID
    case_id: UUID
    offer_id: UUID | None
    amount: Amount
    our_fee: Amount | None
    fee_reason: str | None
    shares: list[ShareOut]
    invoices: list[str]


class UndoIn(In):
    reason: Reason


class UndoneOut(Out):
    allocation_id: UUID
    movement_id: UUID
    case_id: UUID
    amount: Amount
    fee_given_back: Amount


class ReturnOut(Out):
    """The payment back to the payer, ready for the next batch."""

    item_id: UUID
    movement_id: UUID
    amount: Amount
    state: str


class PayInvoiceIn(In):
    """A consumer's payment of our invoice; `amount` left out: all that is unallocated."""

    invoice_id: Id
    amount: MoneyIn | None = None


class InvoicePaidOut(Out):
    invoice_id: UUID
    still_open: Amount
