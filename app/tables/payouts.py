"""Where consumers want their money, what we owe them to send, and the files the bank gets."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.tables.base import Base, Id, Json, PrimaryId, one_of

RAILS = ("sepa", "gb", "us", "other")
ITEM_KINDS = ("consumer", "payer_return", "sweep")
ITEM_STATES = (
    "draft", "proposed", "approved", "exported", "settled", "rejected", "returned", "cancelled",
)  # fmt: skip
BATCH_STATES = ("draft", "proposed", "approved", "exported", "settled", "cancelled")


class PayoutAccount(Base):
    """A consumer's account, encrypted; one is current, the others are retired, none is changed.

    ``number_cipher`` holds the IBAN (rail ``sepa``) or the rail's own fields as JSON text.
    ``usable_from``: a changed account is not paid to before this moment.
    """

    __tablename__ = "payout_accounts"
    __table_args__ = (
        CheckConstraint(one_of("rail", RAILS), name="rail"),
        CheckConstraint("iban_last4 IS NULL OR iban_last4 ~ '^[0-9A-Z]{4}$'", name="last4"),
        CheckConstraint(
            "rail <> 'sepa' OR (iban_index IS NOT NULL AND iban_last4 IS NOT NULL)",
            name="sepa_has_iban",
        ),
        UniqueConstraint("consumer_id", "version"),
        Index(
            "uq_payout_accounts_current", "consumer_id", unique=True,
            postgresql_where=text("retired_at IS NULL"),
        ),
        Index("ix_payout_accounts_iban_index", "iban_index"),
        # Search by the tail of an account number.
        Index("ix_payout_accounts_iban_last4", "iban_last4"),
    )  # fmt: skip

    id: Mapped[PrimaryId]
    consumer_id: Mapped[Id]
    version: Mapped[int]
    rail: Mapped[str]
    country: Mapped[str]
    currency: Mapped[str]
    iban_cipher: Mapped[bytes]
    iban_index: Mapped[bytes | None]
    iban_last4: Mapped[str | None]
    holder_cipher: Mapped[bytes]
    added_by: Mapped[str]
    added_at: Mapped[datetime]
    usable_from: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class PayoutBatch(Base):
    """Items paid by one bank file. Maker and checker are two people; a change voids the approval.

    ``content_hash`` covers account, day and every item; ``approved_hash`` is what the checker
    approved. The file is stored once (encrypted) with the hash of its plain bytes.
    """

    __tablename__ = "payout_batches"
    __table_args__ = (
        CheckConstraint(one_of("state", BATCH_STATES), name="state"),
        CheckConstraint("checker IS NULL OR checker <> maker", name="four_eyes"),
        CheckConstraint(
            "state NOT IN ('approved', 'exported', 'settled') OR (checker IS NOT NULL"
            " AND approved_hash IS NOT NULL AND approved_hash = content_hash)",
            name="approved_as_is",
        ),
        CheckConstraint(
            "state NOT IN ('exported', 'settled') OR (file_cipher IS NOT NULL"
            " AND file_sha256 IS NOT NULL AND exported_at IS NOT NULL)",
            name="exported_has_file",
        ),
        UniqueConstraint("message_id"),
    )

    id: Mapped[PrimaryId]
    bank_account_id: Mapped[Id] = mapped_column(ForeignKey("bank_accounts.id"))
    message_id: Mapped[str]
    state: Mapped[str]
    currency: Mapped[str]
    execute_on: Mapped[date]
    item_count: Mapped[int]
    total_minor: Mapped[int]
    content_hash: Mapped[str]
    maker: Mapped[str]
    made_at: Mapped[datetime]
    checker: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    approved_hash: Mapped[str | None]
    file_cipher: Mapped[bytes | None]
    file_sha256: Mapped[str | None]
    exported_at: Mapped[datetime | None]
    exported_by: Mapped[str | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))


class PayoutItem(Base):
    """One payment out: to a consumer, back to a payer, or the sweep of our commission."""

    __tablename__ = "payout_items"
    __table_args__ = (
        CheckConstraint(one_of("kind", ITEM_KINDS), name="kind"),
        CheckConstraint(one_of("state", ITEM_STATES), name="state"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint(
            "(kind = 'consumer') = (case_id IS NOT NULL AND claimant_id IS NOT NULL"
            " AND account_id IS NOT NULL)",
            name="consumer_has_account",
        ),
        CheckConstraint(
            "(kind = 'payer_return') = (movement_id IS NOT NULL)", name="return_has_movement"
        ),
        CheckConstraint("(kind = 'sweep') = (sweep_lines IS NOT NULL)", name="sweep_has_lines"),
        CheckConstraint(
            "(state IN ('draft', 'cancelled')) OR batch_id IS NOT NULL", name="live_in_batch"
        ),
        CheckConstraint(
            "(state IN ('settled', 'returned')) = (settled_by_movement IS NOT NULL)",
            name="settled_by_statement",
        ),
        UniqueConstraint("end_to_end_id"),
        Index("ix_payout_items_batch_id", "batch_id"),
        Index("ix_payout_items_case_id", "case_id"),
        Index(
            "uq_payout_items_live", "case_id", "claimant_id", unique=True,
            postgresql_where=text("state IN ('draft', 'proposed', 'approved') AND kind='consumer'"),
        ),
    )  # fmt: skip

    id: Mapped[PrimaryId]
    kind: Mapped[str]
    state: Mapped[str]
    case_id: Mapped[uuid.UUID | None]
    claimant_id: Mapped[uuid.UUID | None]
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("payout_accounts.id"))
    movement_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("movements.id"))
    sweep_lines: Mapped[Json | None]
    own_account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("bank_accounts.id"))
    amount_minor: Mapped[int]
    currency: Mapped[str]
    end_to_end_id: Mapped[str]
    remittance: Mapped[str]
    batch_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("payout_batches.id"))
    reason: Mapped[str | None]
    settled_by_movement: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("movements.id"))
    returned_by_movement: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("movements.id"))
    created_by: Mapped[str]
    created_at: Mapped[datetime]
