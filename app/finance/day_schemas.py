"""What finance reads to know whether a day, a month or the matching is in order."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from app.cases.schemas import Amount
from app.schemas import Out


class LightOut(Out):
    """One client account. `statement_in`: yesterday or later was shown; `agrees`: the book is the
    last statement and what people recorded ahead of it."""

    bank_account_id: UUID
    currency: str
    statement_day: date | None
    statement_in: bool
    statement_balance: Amount
    book_balance: Amount
    agrees: bool


class AgeBandOut(Out):
    """Unallocated money by the days since it was booked; `to_days` None: and older."""

    currency: str
    from_days: int
    to_days: int | None
    receipts: int
    total: Amount


class TodayOut(Out):
    """`batches` by state; `returns_waiting`: payouts that came back and are not paid anew;
    `waiting_to_match`: receipts the machine has not looked at yet."""

    day: date
    accounts: list[LightOut]
    client_money_in_balance: bool
    unallocated: list[AgeBandOut]
    batches: dict[str, int]
    returns_waiting: int
    waiting_to_match: int


class ThreeWayLine(Out):
    """One day and currency: what statements show, what the ledger moved, and the difference."""

    day: date
    currency: str
    statement: Amount
    ledger: Amount
    difference: Amount


class ThreeWayOut(Out):
    items: list[ThreeWayLine]


class StepOut(Out):
    step: str
    receipts: int


class ValueRateOut(Out):
    currency: str
    received: Amount
    confirmed: Amount
    percent: str


class MatchQualityOut(Out):
    """Receipts the cascade decided in these days. What it confirmed and a person took back counts
    as `taken_back`, not as confirmed; `undone`: those taken back within 30 days.
    `median_seconds`: from the receipt to its first allocation, by whomever."""

    since: date
    receipts: int
    confirmed: int
    percent: str
    by_value: list[ValueRateOut]
    by_step: list[StepOut]
    by_outcome: dict[str, int]
    undone: int
    median_seconds: int | None


class MoveOut(Out):
    """A change of what is owed to the clients of a case, with the balance after it. With
    `taken_back` it undoes an earlier posting of this kind."""

    posting_id: UUID
    on: date
    posted_at: datetime
    kind: str
    taken_back: bool
    change: Amount
    balance: Amount


class CaseAccountOut(Out):
    """The client money of a case in order of posting; payments on their way have left it.
    `received` holds what the company paid directly; `net` is `received` less `fee`."""

    case_id: UUID
    moves: list[MoveOut]
    balance: Amount
    received: Amount
    paid_directly: Amount
    fee: Amount
    vat_inside_fee: Amount
    net: Amount
    paid_out: Amount
    open_fee: Amount


class VatLine(Out):
    currency: str
    vat_percent: str
    invoices: int
    credit_notes: int
    gross: Amount
    net: Amount
    vat: Amount


class CommissionOut(Out):
    items: list[VatLine]


class CloseItem(Out):
    """`code` names what stands against closing; `link` is where it is put right."""

    code: str
    met: bool
    count: int
    link: str


class CloseOut(Out):
    month: str
    may_close: bool
    items: list[CloseItem]
