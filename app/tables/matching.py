"""How receipts find their cases: what waits to be looked at, what came of it, learned payers."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.tables.base import Base, Id, one_of

OUTCOMES = ("confirmed", "suggested", "nothing", "not_taken")


class MatchQueue(Base):
    """A receipt of a statement that the cascade has not looked at yet."""

    __tablename__ = "match_queue"

    movement_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("movements.id", ondelete="CASCADE"), primary_key=True
    )


class MatchOutcome(Base):
    """What the cascade made of a receipt, once. ``minor`` is what it confirmed; ``not_taken``: a
    case refused it, and a person decides. ``reason`` says why it did not confirm."""

    __tablename__ = "match_outcomes"
    __table_args__ = (
        CheckConstraint(one_of("outcome", OUTCOMES), name="outcome"),
        CheckConstraint("minor >= 0", name="minor"),
        Index("ix_match_outcomes_decided", "decided_at"),
    )

    movement_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("movements.id", ondelete="CASCADE"), primary_key=True
    )
    rules: Mapped[str]
    outcome: Mapped[str]
    step: Mapped[str | None]
    reason: Mapped[str | None]
    score: Mapped[int]
    minor: Mapped[int]
    decided_at: Mapped[datetime]


class PayerLink(Base):
    """A person has seen this account pay for this company. The account is a blind index; the
    company an id, or the name as given while it is not confirmed."""

    __tablename__ = "payer_links"
    __table_args__ = (Index("ix_payer_links_allocation", "allocation_id"),)

    account_index: Mapped[bytes] = mapped_column(primary_key=True)
    company: Mapped[str] = mapped_column(primary_key=True)
    allocation_id: Mapped[Id]
    learned_by: Mapped[str]
    learned_at: Mapped[datetime]
    expires_on: Mapped[date]
