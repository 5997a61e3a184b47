"""What finance and auditors read of the books."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from app.cases.schemas import Amount
from app.schemas import Out


class LegOut(Out):
    account: str
    title: str
    sub_account: str
    debit: Amount
    credit: Amount


class PostingOut(Out):
    """One balanced transaction of one book. `reverses`: the one it takes back."""

    id: UUID
    book: str
    kind: str
    effective_on: date
    posted_at: datetime
    posted_by: str
    reverses: UUID | None
    legs: list[LegOut]


class AllocationLineOut(Out):
    """`why`: the evidence in words, in English unless another language was asked for."""

    id: UUID
    movement_id: UUID
    amount: Amount
    rule: str
    evidence: dict[str, str]
    why: list[str]
    fee_reason: str
    made_by: str
    made_at: datetime
    undone_at: datetime | None


class InvoiceOut(Out):
    """An invoice or credit note. `open`: what a consumer still owes on it (mode receivable)."""

    id: UUID
    number: str
    kind: str
    mode: str
    case_id: UUID
    reference: str
    claimant_id: UUID
    gross: Amount
    net: Amount
    vat: Amount
    vat_percent: str
    issued_on: date
    open: Amount


class InvoiceList(Out):
    items: list[InvoiceOut]
    next_cursor: str | None


class CasePostingsOut(Out):
    """Everything the books hold about a case, oldest first."""

    case_id: UUID
    reference: str
    postings: list[PostingOut]
    allocations: list[AllocationLineOut]
    invoices: list[InvoiceOut]


class TrialLineOut(Out):
    book: str
    number: str
    account: str
    title: str
    kind: str
    debit: Amount
    credit: Amount
    balance: Amount


class ProofOut(Out):
    """The client book of one currency: what is there equals what is owed, and both books agree."""

    currency: str
    assets: Amount
    liabilities: Amount
    due_to_own_book: Amount
    due_from_client_book: Amount
    due_from_own_book: Amount
    due_to_client_book: Amount
    in_balance: bool


class BankProofOut(Out):
    """One client account: the book, the bank's last statement, and what explains a difference."""

    bank_account_id: UUID
    book_balance: Amount
    statement_balance: Amount
    statement_day: date | None
    recorded_by_hand: Amount
    agrees: bool


class TrialBalanceOut(Out):
    """Both books. `in_balance`: every proof holds and no kept balance differs from its postings."""

    until: date | None
    lines: list[TrialLineOut]
    client_book: list[ProofOut]
    bank: list[BankProofOut]
    balances_that_differ: int
    in_balance: bool
