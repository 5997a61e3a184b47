"""Entries in the books over HTTP."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.cases.schemas import Amount
from app.finance.ledger_schemas import LegOut
from app.schemas import Flag, Id, In, MoneyIn, Out, Reason

Kind = Annotated[str, Field(pattern=r"^[a-z_]{3,40}$", max_length=40)]
# A sub-account as the books name it; never a person's name.
SubName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9:/_.-]{0,79}$", max_length=80)]


class EntryIn(In):
    """What to enter. `kind` is one of `GET /v1/finance/entry-kinds`, which says what each names.

    `debit_id`: a debit of the client account nobody explained. `cause`: what the own book owes the
    clients for, as the balances of C.FROMOWN name it. `wrong`: whom we paid by mistake, as an id.
    `consent_message_id`: the claimant's message that agrees to this very charge. `vat_relief`: the
    national conditions for taking back VAT on a bad debt are met. `entry_id`: the entry taken back.
    """

    kind: Kind
    amount: MoneyIn
    reason: Reason
    case_id: Id | None = None
    claimant_id: Id | None = None
    movement_id: Id | None = None
    debit_id: Id | None = None
    allocation_id: Id | None = None
    invoice_id: Id | None = None
    own_account_id: Id | None = None
    consent_message_id: Id | None = None
    entry_id: Id | None = None
    cause: SubName | None = None
    wrong: SubName | None = None
    partner: SubName | None = None
    vat_relief: Flag = False

    def names(self) -> dict[str, str]:
        """What is named, by the blanks of the posting rules."""
        given = {
            "case": self.case_id, "claimant": self.claimant_id, "movement": self.movement_id,
            "debit": self.debit_id, "allocation": self.allocation_id, "invoice": self.invoice_id,
            "own_account": self.own_account_id, "entry": self.entry_id, "cause": self.cause,
            "wrong": self.wrong, "partner": self.partner,
        }  # fmt: skip
        return {name: str(value) for name, value in given.items() if value is not None}


class DecideIn(In):
    """Why an entry is dropped."""

    reason: Reason


class EntryKindOut(Out):
    """A kind of entry, the row of the table of flows it belongs to, and what must be named."""

    kind: str
    row: str
    names: list[str]


class EntryKindList(Out):
    items: list[EntryKindOut]


class EntryPostingOut(Out):
    """One transaction an approved entry posted."""

    id: UUID
    book: str
    kind: str
    effective_on: date
    legs: list[LegOut]


class EntryOut(Out):
    """An entry and, once approved, what it posted."""

    id: UUID
    kind: str
    state: str
    amount: Amount
    names: dict[str, str]
    reason: str
    case_id: UUID | None
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    note: str | None
    postings: list[EntryPostingOut]


class EntryLine(Out):
    """An entry in a list."""

    id: UUID
    kind: str
    state: str
    amount: Amount
    case_id: UUID | None
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None


class EntryList(Out):
    items: list[EntryLine]
    next_cursor: str | None
