"""What is read from a bank's file, in the bank's own terms. Amounts are whole minor units."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from app.domain.errors import InvalidInput

POSTING_KINDS: Final = ("camt.053", "MT940")  # the others only tell early, or in more detail
TEXT_MAX: Final = 2_000  # remittance text kept, in characters
ID_MAX: Final = 140


class StatementInvalid(InvalidInput):
    """The file is not a bank statement that we can read, or contradicts itself."""

    code = "statement_invalid"


@dataclass(frozen=True, slots=True)
class Reference:
    """How a payment is named by those who took part. None where nobody said ("NOTPROVIDED")."""

    end_to_end_id: str | None = None
    payment_info_id: str | None = None
    instruction_id: str | None = None
    transaction_id: str | None = None
    mandate_id: str | None = None
    creditor_ref: str | None = None  # structured: RF, national or QR reference
    documents: tuple[str, ...] = ()  # invoice numbers and further structured references


@dataclass(frozen=True, slots=True)
class Party:
    """The other side. ``ultimate``: for whom it paid or received."""

    name: str | None = None
    account: str | None = None
    ultimate: str | None = None


NO_REFERENCE: Final = Reference()
NOBODY: Final = Party()


@dataclass(frozen=True, slots=True)
class Charge:
    """What the bank took for itself; ``included``: the entry's amount is already less by it."""

    minor: int
    currency: str
    credit: bool
    included: bool | None


@dataclass(frozen=True, slots=True)
class Detail:
    """One payment inside an entry. ``minor`` is None where the bank did not itemise, or in another
    currency than the account's."""

    minor: int | None
    credit: bool
    bank_ref: str | None
    refs: Reference
    party: Party
    remittance: str
    return_reason: str | None
    charges: tuple[Charge, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the statement, with all that it and its only payment say about it.

    ``key`` is unique within the account: the bank's own reference where it gives one, else a hash
    of the content with a counter, so that two genuine twins on one day stay two. ``details`` holds
    the payments only where there are several. ``instructed`` is amount and currency before the
    bank exchanged it. ``booked``: False for pending, future and informing lines.
    """

    key: str
    minor: int
    currency: str
    credit: bool
    booked: bool
    status: str
    booked_on: date
    value_on: date | None
    reversal: bool
    bank_ref: str | None
    code: str | None
    is_charge: bool
    refs: Reference
    party: Party
    remittance: str
    return_reason: str | None
    instructed: tuple[int, str] | None = None
    batch_size: int | None = None
    charges: tuple[Charge, ...] = ()
    details: tuple[Detail, ...] = ()

    @property
    def signed(self) -> int:
        return self.minor if self.credit else -self.minor


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, or one page of it, of one account in one currency.

    ``kind``: camt.053, camt.052, camt.054, MT940, MT942. ``opening`` and ``closing`` are signed,
    None where the bank gives none. ``sign_rule`` is ``stated`` (the side an entry states is the
    side it was booked on) or ``reversed`` (this bank states the side of the original, proved by
    the sum). ``warnings`` are oddities that change no amount.
    """

    kind: str
    ident: str
    account: str
    currency: str
    sequence: int | None
    page: int
    last_page: bool
    opening: int | None
    closing: int | None
    opens_on: date | None
    closes_on: date | None
    entries: Sequence[Entry]
    sign_rule: str = "stated"
    warnings: tuple[str, ...] = ()

    @property
    def posts(self) -> bool:
        """Whether this kind of message is booked; the others only inform."""
        return self.kind in POSTING_KINDS

    @property
    def booked(self) -> int:
        """The sum of the booked entries, signed."""
        return sum(entry.signed for entry in self.entries if entry.booked)

    @property
    def difference(self) -> int | None:
        """Closing less opening less entries: 0 when it adds up. None without both balances."""
        if self.opening is None or self.closing is None:
            return None
        return self.closing - self.opening - self.booked

    @property
    def content_hash(self) -> str:
        """Equal for the same statement sent again in another file."""
        digest = hashlib.sha256()
        head = (self.ident, self.account, self.currency, self.opening, self.closing)
        digest.update(repr(head).encode())
        for entry in self.entries:
            digest.update(f"{entry.key}|{entry.signed}|{entry.booked_on}\n".encode())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class FileRead:
    """One file. ``form`` names what it is (``camt.053.001.08``, ``MT940``)."""

    form: str
    statements: tuple[Statement, ...]
    warnings: tuple[str, ...] = field(default=())
