"""What finance sends and reads about payouts."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from app.cases.schemas import Amount
from app.schemas import Date, Flag, Id, In, Out

BATCH_MAX = 1_000
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class PayableOut(Out):
    """Money of one claimant that is to be paid out. `why_not` says what is in the way, as a code;
    `explanation` in words. `account` shows the last four symbols."""

    case_id: UUID
    reference: str
    claimant_id: UUID
    amount: Amount
    account: str | None
    payable_now: bool
    why_not: str | None
    explanation: str
    account_usable_from: datetime | None
    item_id: UUID | None
    batch_id: UUID | None


class ReadyItemOut(Out):
    """A payment that is prepared and in no batch: a return to a payer, or our commission."""

    item_id: UUID
    kind: str
    amount: Amount


class PayableList(Out):
    """`ready` stands on the first page only."""

    items: list[PayableOut]
    ready: list[ReadyItemOut]
    next_cursor: str | None


class BatchIn(In):
    """What to pay: `all` that is payable now, or named claimants and prepared items.

    `execution_date` left out: the next bank day. `bank_account_id` is needed only with several EUR
    client accounts.
    """

    all: Flag = False
    claimant_ids: Annotated[list[Id], Field(max_length=BATCH_MAX)] | None = None
    item_ids: Annotated[list[Id], Field(max_length=BATCH_MAX)] | None = None
    execution_date: Date | None = None
    bank_account_id: Id | None = None


class ItemOut(Out):
    """One payment. `account`: the last four symbols; None for a payer or for us."""

    id: UUID
    kind: str
    state: str
    case_id: UUID | None
    claimant_id: UUID | None
    amount: Amount
    account: str | None
    account_usable_from: datetime | None
    end_to_end_id: str
    reason: str | None
    prepared_by: str


class BatchLine(Out):
    """A batch. `content_hash` is what an approver approves, `file_sha256` the file made then."""

    id: UUID
    state: str
    execution_date: date
    item_count: int
    total: Amount
    content_hash: str
    maker: str
    made_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    file_sha256: str | None
    version: int


class BatchOut(BatchLine):
    items: list[ItemOut]


class BatchList(Out):
    items: list[BatchLine]
    next_cursor: str | None


class ApproveBatchIn(In):
    content_hash: Hash


class RejectBatchIn(In):
    """Why, as a code: history keeps no free text."""

    reason: Literal["wrong_amount", "wrong_payee", "suspicious", "not_now", "mistake", "other"]


class SettledIn(In):
    """The debit on a statement that was this payment, though the bank lost our id."""

    movement_id: Id


class RefusedIn(In):
    """The bank's reason code (ISO 20022, e.g. AC04: account closed)."""

    reason: Annotated[str, Field(pattern=r"^[A-Z]{2}[A-Z0-9]{2}$")]


class SweepIn(In):
    """To which of our own accounts the earned commission goes."""

    own_account_id: Id


class PreparedOut(Out):
    item_id: UUID
    kind: str
    state: str
    amount: Amount
