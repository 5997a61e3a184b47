"""Closing a month and what was so on a day, over HTTP."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.cases.schemas import Amount
from app.schemas import In, Out, Reason

Month = Annotated[str, Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", max_length=7)]


class MonthIn(In):
    """A month to close, `2026-10`."""

    month: Month


class ReopenIn(In):
    """A month to open again, and why."""

    month: Month
    reason: Reason


class PeriodOut(Out):
    """A month's state. `proof_sha256`: of the report signed at the hard close; `unchanged`: read
    again now, the report is the same to the byte (null while the month is not closed hard)."""

    month: str
    state: str
    soft_closed_by: str | None
    soft_closed_at: datetime | None
    hard_closed_by: str | None
    hard_closed_at: datetime | None
    proof_sha256: str | None
    unchanged: bool | None


class PeriodList(Out):
    items: list[PeriodOut]


class CertificateLine(Out):
    number: str
    account: str
    title: str
    amount: Amount


class CertificateCurrency(Out):
    """What is there for clients and what is owed to them, in one currency."""

    currency: str
    assets: list[CertificateLine]
    liabilities: list[CertificateLine]
    there: Amount
    owed: Amount
    holds: bool


class CertificateProof(Out):
    """One client account: the bank's last statement up to the day, and the book that day."""

    bank_account_id: UUID
    statement: str | None
    statement_day: date | None
    bank_says: Amount
    book_says: Amount
    difference: Amount


class CertificateOut(Out):
    """Clients' money on a day. `holds`: assets are what is owed, and every bank agrees."""

    on: date
    holds: bool
    currencies: list[CertificateCurrency]
    proofs: list[CertificateProof]


class BalanceOut(Out):
    sub_account: str
    balance: Amount


class BalanceList(Out):
    account: str
    on: date
    items: list[BalanceOut]
    next_cursor: str | None
