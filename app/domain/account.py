"""The account of a case: what came, our fee with the VAT inside it, what was paid on.

One set of figures for the API, the statement, the finance desk and the closing notice. It is read
from the ledger and the invoices (app.banking.account) and added up here, nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from app.domain.errors import RecourseError

RECEIVED: Final = frozenset({"money_allocated"})
FEE: Final = frozenset({"commission_deducted"})
PAID_OUT: Final = frozenset({"payout_approved", "payout_released", "return_given_back"})


class AccountDiffers(RecourseError):
    """The journal and the invoices of a case do not say the same: no document leaves with either
    figure. An alarm, not a user's mistake."""

    kind = "unavailable"
    code = "account_differs"


@dataclass(frozen=True, slots=True)
class Move:
    """One change of the client money. `kind` is the posting's; of a posting taken back the kind
    that it takes back, with `taken_back`. Amounts are minor units, negative when money leaves."""

    posting_id: UUID
    on: date
    posted_at: datetime
    kind: str
    taken_back: bool
    minor: int
    balance_minor: int


@dataclass(frozen=True, slots=True)
class DirectMove:
    """What the company paid the consumer itself: no client money, but money of the claim."""

    on: date
    minor: int


@dataclass(frozen=True, slots=True)
class Invoiced:
    """An invoice or a credit note (then negative). `deducted` from client money, else still to be
    paid by the consumer, of which `open_minor` is unpaid."""

    id: UUID
    number: str
    on: date
    deducted: bool
    gross_minor: int
    net_minor: int
    vat_minor: int
    vat_bp: int
    open_minor: int


@dataclass(frozen=True, slots=True)
class CaseAccount:
    """Everything of one case, or of one claimant of it, in its one currency; oldest first."""

    case_id: UUID
    currency: str
    moves: tuple[Move, ...]
    direct: tuple[DirectMove, ...]
    invoices: tuple[Invoiced, ...]

    @property
    def balance_minor(self) -> int:
        """What we still hold for them."""
        return sum(move.minor for move in self.moves)

    @property
    def received_minor(self) -> int:
        """Money that came for the claim: to us and directly to the consumer."""
        return self._moved(RECEIVED) + self.paid_directly_minor

    @property
    def paid_directly_minor(self) -> int:
        return sum(one.minor for one in self.direct)

    @property
    def fee_minor(self) -> int:
        """Our whole fee, VAT included."""
        return sum(one.gross_minor for one in self.invoices)

    @property
    def vat_minor(self) -> int:
        """The VAT inside the fee."""
        return sum(one.vat_minor for one in self.invoices)

    @property
    def net_minor(self) -> int:
        """What is left to the consumer of what was received: the net amount of the summary."""
        return self.received_minor - self.fee_minor

    @property
    def paid_out_minor(self) -> int:
        """Ordered to be paid to the consumer, less what came back."""
        return -self._moved(PAID_OUT)

    @property
    def other_minor(self) -> int:
        """Changes of no kind named here (a correction): shown apart, never left out."""
        return self.balance_minor - self._moved(RECEIVED) - self._moved(FEE) - self._moved(PAID_OUT)

    @property
    def open_fee_minor(self) -> int:
        """What the consumer still owes us on invoices that were not deducted."""
        return sum(one.open_minor for one in self.invoices)

    def checked(self) -> CaseAccount:
        """Itself. Raises AccountDiffers unless the fee taken of the client money is, to the cent,
        what the invoices deducted, and every invoice adds up."""
        taken = -self._moved(FEE)
        invoiced = sum(one.gross_minor for one in self.invoices if one.deducted)
        if taken != invoiced:
            raise AccountDiffers("the journal's fee is not that of the invoices")
        if any(one.net_minor + one.vat_minor != one.gross_minor for one in self.invoices):
            raise AccountDiffers("an invoice does not add up")
        return self

    def _moved(self, kinds: frozenset[str]) -> int:
        return sum(move.minor for move in self.moves if move.kind in kinds)


def with_balances(rows: Sequence[tuple[UUID, date, datetime, str, bool, int]]) -> tuple[Move, ...]:
    """Moves in order of posting, each with the balance after it."""
    moves, balance = [], 0
    for posting_id, on, posted_at, kind, taken_back, minor in rows:
        balance += minor
        moves.append(Move(posting_id, on, posted_at, kind, taken_back, minor, balance))
    return tuple(moves)
