"""The links by which companies answer letters."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.tables.base import Base


class AnswerLinkRow(Base):
    """Of the token only its hash is kept. `answered` counts what came by it. Business time."""

    __tablename__ = "answer_links"
    __table_args__ = (CheckConstraint("answered >= 0", name="answered"),)

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    letter_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("letters.id"), unique=True)
    language: Mapped[str]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    answered: Mapped[int]
