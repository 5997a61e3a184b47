"""What the law's files said of a case when a person decided about it. Never changed."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.tables.base import Base, PrimaryId


class FindingRow(Base):
    """A finding as it was shown: the verdict beside, the rest as codes, days and sums. No words of
    a person stand in it, so that erasure need not reach here."""

    __tablename__ = "findings"
    __table_args__ = (
        CheckConstraint("eligible IN ('yes','no','unclear','needs_info')", name="eligible"),
        Index("ix_findings_case", "case_id", "id"),
    )

    id: Mapped[PrimaryId]
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    at: Mapped[datetime]
    shown_to: Mapped[str]  # who decided with it in view
    law: Mapped[str]  # sha256 over the law's files and the playbook's key: the version it rests on
    playbook: Mapped[str]  # id@version in force that day
    eligible: Mapped[str]
    grounds: Mapped[list[str]] = mapped_column(JSONB)
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
