"""Letters that a person filed through a company's web form."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.tables.base import Base, PrimaryId


class PortalFilingRow(Base):
    """The proof that it went: the portal's ticket number, a screenshot, or both."""

    __tablename__ = "portal_filings"
    __table_args__ = (
        CheckConstraint("ticket_number IS NOT NULL OR screenshot_id IS NOT NULL", name="proof"),
        Index("ix_portal_filings_case", "case_id"),
    )

    id: Mapped[PrimaryId]
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    letter_id: Mapped[uuid.UUID]
    channel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channels.id"))
    ticket_number: Mapped[str | None]
    screenshot_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("evidence.id"))
    filed_by: Mapped[str]
    filed_at: Mapped[datetime]
