"""What the bank told us: files as they came, statements, movements, and what we made of them."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.tables.base import Base, Id, Json, JsonList, PrimaryId, one_of

MOVEMENT_KINDS = (
    "receipt", "payout", "payout_return", "bank_charge", "unexplained_debit", "sweep",
)  # fmt: skip


IMPORT_STATES = ("posted", "waiting", "notice", "undone", "forgotten")


class BankAccount(Base):
    """An account of the agency: the client account or its own, one currency each."""

    __tablename__ = "bank_accounts"
    __table_args__ = (
        UniqueConstraint("number", "currency"),
        CheckConstraint(one_of("book", ("client", "own")), name="book"),
        CheckConstraint(
            "(opening_minor IS NULL) = (opening_movement_id IS NULL)"
            " AND (opening_minor IS NULL OR opening_minor > 0 AND book = 'client')",
            name="opening",
        ),
    )

    id: Mapped[PrimaryId]
    book: Mapped[str]
    holder: Mapped[str]
    number: Mapped[str]  # IBAN, or the bank's own number where there is no IBAN
    bic: Mapped[str | None]
    currency: Mapped[str]
    opened_at: Mapped[datetime]
    opening_minor: Mapped[int | None]  # what stood there before the first statement
    opening_movement_id: Mapped[uuid.UUID | None]  # movements.id, never deleted


class ExternalEvent(Base):
    """A file or message from outside, exactly as it came, stored before it is read. Append-only.

    Sealed under the file's own data key (its id is the key's subject); ``sha256`` is of the plain
    bytes.
    """

    __tablename__ = "external_events"
    __table_args__ = (
        UniqueConstraint("provider", "external_id"),
        CheckConstraint(one_of("packing", ("none", "zlib")), name="packing"),
    )

    id: Mapped[PrimaryId]
    provider: Mapped[str]
    external_id: Mapped[str]
    raw_cipher: Mapped[bytes]
    packing: Mapped[str]
    sha256: Mapped[str]
    received_at: Mapped[datetime]


class BankImport(Base):
    """One file that somebody imported. ``heads`` are its statements without their entries.

    ``waiting``: kept until what is missing before it comes (``held`` says what); ``notice``: it
    only informs; ``forgotten``: it waited until its term ended and cannot be read any more. An
    import taken back stays, with who did it and why. ``posted_with``: the import whose statements
    the pages of this one are part of; they are taken back together.
    """

    __tablename__ = "bank_imports"
    __table_args__ = (
        CheckConstraint(one_of("state", IMPORT_STATES), name="state"),
        CheckConstraint(
            "(state = 'undone') = (undone_at IS NOT NULL)"
            " AND (undone_at IS NULL) = (undone_by IS NULL)"
            " AND (undone_at IS NULL) = (undo_reason IS NULL)",
            name="undone",
        ),
        CheckConstraint("posted_with IS NULL OR state IN ('posted', 'undone')", name="posted_with"),
        CheckConstraint("held IS NULL OR state IN ('waiting', 'undone', 'forgotten')", name="held"),
        Index(
            "uq_bank_imports_live", "external_event_id", unique=True,
            postgresql_where=text("undone_at IS NULL"),
        ),
        Index("ix_bank_imports_waiting", "id", postgresql_where=text("state = 'waiting'")),
        Index(
            "ix_bank_imports_posted_with", "posted_with",
            postgresql_where=text("posted_with IS NOT NULL"),
        ),
    )  # fmt: skip

    id: Mapped[PrimaryId]
    external_event_id: Mapped[Id] = mapped_column(ForeignKey("external_events.id"))
    state: Mapped[str]
    heads: Mapped[JsonList]
    held: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    posted_with: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("bank_imports.id"))
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    undone_by: Mapped[str | None]
    undone_at: Mapped[datetime | None]
    undo_reason: Mapped[str | None]


class NoticeEntry(Base):
    """A batch that a camt.054 itemises, by the key its booking has on a statement too. Whom it
    names stays in the sealed file."""

    __tablename__ = "notice_entries"
    __table_args__ = (Index("ix_notice_entries_entry", "account", "currency", "entry"),)

    import_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("bank_imports.id"), primary_key=True)
    account: Mapped[str] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(primary_key=True)
    entry: Mapped[str] = mapped_column(primary_key=True)


class BankStatement(Base):
    """One imported statement; each continues from the one before (``position`` 1, 2, 3, ...).

    Append-only but for ``undone_at``, which is set once when its import is taken back.
    """

    __tablename__ = "bank_statements"
    __table_args__ = (
        Index(
            "uq_bank_statements_ident", "bank_account_id", "ident", unique=True,
            postgresql_where=text("undone_at IS NULL"),
        ),
        Index(
            "uq_bank_statements_position", "bank_account_id", "position", unique=True,
            postgresql_where=text("undone_at IS NULL"),
        ),
        Index("ix_bank_statements_import_id", "import_id"),
    )  # fmt: skip

    id: Mapped[PrimaryId]
    bank_account_id: Mapped[Id] = mapped_column(ForeignKey("bank_accounts.id"))
    external_event_id: Mapped[Id] = mapped_column(ForeignKey("external_events.id"))
    import_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("bank_imports.id"))
    position: Mapped[int]
    ident: Mapped[str]
    sequence: Mapped[int | None]
    closes_on: Mapped[date | None]
    opening_minor: Mapped[int]
    closing_minor: Mapped[int]
    content_hash: Mapped[str]
    imported_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


class Movement(Base):
    """One booked line of a statement. Append-only; what became of it stands in the ledger.

    Amounts are positive minor units, ``direction`` says which way. The other side's account is
    kept for receipts only, to pay back a payer: sealed under the key of the statement's file, with
    a masked form to show. A consumer's never stands here.
    """

    __tablename__ = "movements"
    __table_args__ = (
        Index(
            "uq_movements_entry_key",
            "bank_account_id",
            "entry_key",
            unique=True,
            postgresql_where=text("undone_at IS NULL"),
        ),
        CheckConstraint(
            "(instructed_minor IS NULL) = (instructed_currency IS NULL)", name="instructed"
        ),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint(one_of("direction", ("credit", "debit")), name="direction"),
        CheckConstraint(one_of("kind", MOVEMENT_KINDS), name="kind"),
        Index("ix_movements_statement_id", "statement_id"),
        Index("ix_movements_booked", "booked_on", "bank_account_id"),
    )

    id: Mapped[PrimaryId]
    bank_account_id: Mapped[Id] = mapped_column(ForeignKey("bank_accounts.id"))
    statement_id: Mapped[Id] = mapped_column(ForeignKey("bank_statements.id"))
    entry_key: Mapped[str]
    kind: Mapped[str]
    direction: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    booked_on: Mapped[date]
    received_at: Mapped[datetime]
    bank_ref: Mapped[str | None]
    end_to_end_id: Mapped[str | None]
    creditor_ref: Mapped[str | None]
    remittance: Mapped[str]
    payer_name: Mapped[str | None]
    payer_account_masked: Mapped[str | None]
    payer_account_cipher: Mapped[bytes | None]
    return_reason: Mapped[str | None]
    value_on: Mapped[date | None]
    reversal: Mapped[bool]
    code: Mapped[str | None]  # the bank's code of the kind of business
    instructed_minor: Mapped[int | None]  # before the bank exchanged it
    instructed_currency: Mapped[str | None]
    undone_at: Mapped[datetime | None]


class MovementHold(Base):
    """Money that came "in full settlement": it stays unallocated until the claimants decide."""

    __tablename__ = "movement_holds"
    __table_args__ = (
        CheckConstraint(
            one_of("outcome", ("waiting", "accepted", "refused", "lifted")), name="outcome"
        ),
        CheckConstraint("(outcome = 'waiting') = (settled_at IS NULL)", name="settled"),
    )

    movement_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("movements.id"), primary_key=True)
    case_id: Mapped[Id]
    outcome: Mapped[str]
    set_by: Mapped[str]
    set_at: Mapped[datetime]
    settled_by: Mapped[str | None]
    settled_at: Mapped[datetime | None]


class Allocation(Base):
    """A movement's money set against a case, with the evidence; undone at most once."""

    __tablename__ = "allocations"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint(
            "(undone_at IS NULL) = (undone_by IS NULL)"
            " AND (undone_at IS NULL) = (undo_reason IS NULL)",
            name="undone",
        ),
        Index("ix_allocations_movement_id", "movement_id"),
        Index("ix_allocations_case_id", "case_id"),
    )

    id: Mapped[PrimaryId]
    movement_id: Mapped[Id] = mapped_column(ForeignKey("movements.id"))
    case_id: Mapped[Id]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    rule: Mapped[str]
    evidence: Mapped[Json]
    fee_reason: Mapped[str]
    fee_rule: Mapped[Json]
    content_hash: Mapped[str]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    undone_by: Mapped[str | None]
    undone_at: Mapped[datetime | None]
    undo_reason: Mapped[str | None]


class RecoveryLine(Base):
    """The part of a recovery (an allocation or a direct payment) set against one claim item.

    Below zero: an entry of the books took it back. ``in_basis``: it counts for the commission.
    Append-only; an undone allocation's lines stay and no longer count.
    """

    __tablename__ = "recovery_lines"
    __table_args__ = (
        CheckConstraint("amount_minor <> 0", name="amount"),
        CheckConstraint("earns_fee OR NOT in_basis", name="basis"),
        Index("ix_recovery_lines_case_id", "case_id"),
    )

    source_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    item_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    case_id: Mapped[Id]
    claimant_id: Mapped[Id]
    amount_minor: Mapped[int]
    earns_fee: Mapped[bool]
    in_basis: Mapped[bool]


class DirectRecovery(Base):
    """The company paid the consumer itself; only our commission moves (an invoice)."""

    __tablename__ = "direct_recoveries"
    __table_args__ = (CheckConstraint("amount_minor > 0", name="amount"),)

    id: Mapped[PrimaryId]
    case_id: Mapped[Id]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    fee_reason: Mapped[str]
    fee_rule: Mapped[Json]
    content_hash: Mapped[str]
    paid_on: Mapped[date]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]
