"""What finance enters in the books with four eyes, and the months that are closed."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.tables.base import Base, Json, PrimaryId, one_of

ENTRY_STATES = ("proposed", "approved", "rejected")
PERIOD_STATES = ("soft", "hard")


class BookEntry(Base):
    """One entry: what a person proposed, and what another decided. Never changed, never deleted.

    ``names`` are the things it is about by the blanks of the posting rule (case, claimant,
    movement, debit...). ``consent_id``: the message in which a claimant agrees to a charge.
    ``told``: how the case's own count changed, written when it is approved.
    """

    __tablename__ = "book_entries"
    __table_args__ = (
        CheckConstraint(one_of("state", ENTRY_STATES), name="state"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint(
            "(state = 'proposed') = (decided_by IS NULL)"
            " AND (decided_by IS NULL) = (decided_at IS NULL)",
            name="decided",
        ),
        CheckConstraint("state <> 'approved' OR decided_by <> made_by", name="four_eyes"),
        CheckConstraint(
            "kind <> 'outlay_charged' OR consent_id IS NOT NULL", name="separate_yes"
        ),
        CheckConstraint("(state = 'approved') = (told IS NOT NULL)", name="told"),
        Index("ix_book_entries_state", "state", "id"),
        Index("ix_book_entries_case", "case_id", postgresql_where=text("case_id IS NOT NULL")),
        Index(
            "ix_book_entries_allocation", "allocation_id",
            postgresql_where=text("allocation_id IS NOT NULL"),
        ),
        Index(
            "uq_book_entries_consent", "consent_id", unique=True,
            postgresql_where=text("consent_id IS NOT NULL AND state <> 'rejected'"),
        ),
        Index(
            "uq_book_entries_reverses", text("(names ->> 'entry')"), unique=True,
            postgresql_where=text("kind = 'entry_reversed' AND state <> 'rejected'"),
        ),
    )  # fmt: skip

    id: Mapped[PrimaryId]
    kind: Mapped[str]
    state: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    names: Mapped[Json]
    vat_relief: Mapped[bool]
    reason: Mapped[str]
    case_id: Mapped[uuid.UUID | None]
    allocation_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("allocations.id"))
    consent_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("messages.id"))
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    note: Mapped[str | None]
    # None is SQL's NULL here, not JSON's null: "not told yet".
    told: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class LedgerPeriod(Base):
    """A month that is closed: softly (finance alone posts) or hard (nobody, for ever)."""

    __tablename__ = "ledger_periods"
    __table_args__ = (
        CheckConstraint("extract(day FROM month) = 1", name="first_day"),
        CheckConstraint(one_of("state", PERIOD_STATES), name="state"),
        CheckConstraint(
            "(state = 'hard') = (hard_by IS NOT NULL AND hard_at IS NOT NULL"
            " AND proof IS NOT NULL AND proof_sha256 IS NOT NULL)",
            name="hard",
        ),
        CheckConstraint("state <> 'hard' OR hard_by <> soft_by", name="four_eyes"),
    )

    month: Mapped[date] = mapped_column(primary_key=True)
    state: Mapped[str]
    soft_by: Mapped[str]
    soft_at: Mapped[datetime]
    hard_by: Mapped[str | None]
    hard_at: Mapped[datetime | None]
    proof: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    proof_sha256: Mapped[str | None]
