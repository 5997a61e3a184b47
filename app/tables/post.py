"""Letters on paper that their printer is asked about."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.tables.base import Base, one_of

WATCHED = ("accepted", "moving")  # still asked about
STATES = (*WATCHED, "delivered", "returned", "failed", "gone", "over")


class PostWatchRow(Base):
    """One letter a printer took, until it arrived, came back or nobody learns more.

    `over`: asked for as long as it makes sense. Times are business time.
    """

    __tablename__ = "post_watch"
    __table_args__ = (
        CheckConstraint(one_of("state", STATES), name="state"),
        Index(
            "ix_post_watch_due",
            "look_at",
            "effect_id",
            postgresql_where=text("state IN ('accepted','moving')"),
        ),
        Index("ix_post_watch_case", "case_id"),
    )

    effect_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("effects.id"), primary_key=True)
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    letter_id: Mapped[uuid.UUID | None]  # None: word to a consumer, or a stop notice
    provider: Mapped[str]
    provider_ref: Mapped[str]
    registered: Mapped[bool]
    state: Mapped[str]
    tracking_number: Mapped[str | None]
    handed_over_at: Mapped[datetime]
    look_at: Mapped[datetime]
    asked_person_at: Mapped[datetime | None]
