"""One transaction of the journal as every format sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from app.domain.money import exponent


@dataclass(frozen=True, slots=True)
class LegRow:
    """One leg; minor units, one of debit and credit is zero."""

    line: int
    account: str
    sub: str
    debit: int
    credit: int


@dataclass(frozen=True, slots=True)
class TxnRow:
    """A balanced transaction in one book and one currency, with its legs."""

    id: UUID
    book: str
    effective_on: date
    posted_at: datetime
    kind: str
    currency: str
    case_id: UUID | None
    reverses_id: UUID | None
    actor: str
    rules: str
    original_on: date | None
    legs: tuple[LegRow, ...]


def major(minor: int, currency: str) -> Decimal:
    """The exact amount in the currency's own unit: 1250 EUR cents are 12.50."""
    return Decimal(minor).scaleb(-exponent(currency))
