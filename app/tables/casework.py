"""What people decided and wrote about a case beside the ladder: assessments and notes."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.tables.base import Base, PrimaryId


class AssessmentRow(Base):
    """A merit decision as it was made, with the conflict-of-interest check. Never changed."""

    __tablename__ = "assessments"
    __table_args__ = (
        CheckConstraint("decision IN ('accept','reject')", name="decision"),
        CheckConstraint("mode IN ('A','B')", name="mode"),
        # Nobody with an interest of their own accepts a case.
        CheckConstraint("NOT (decision = 'accept' AND conflict_found)", name="no_conflict"),
        Index("ix_assessments_case", "case_id", "id"),
    )

    id: Mapped[PrimaryId]
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    decision: Mapped[str]
    merit: Mapped[str | None]  # the reason in words
    entry_stage: Mapped[str | None]
    entry_reason: Mapped[str | None]
    outcome: Mapped[str | None]
    rule: Mapped[str | None]
    would_change: Mapped[str | None]  # what would change a "no"
    mode: Mapped[str]
    mode_reason: Mapped[str]
    conflict_found: Mapped[bool]
    conflict_words: Mapped[str | None]
    opponent_role: Mapped[str | None]
    gates: Mapped[list[Any]]  # as they stood, and which were passed by a word (its note's code)
    decided_by: Mapped[str]
    decided_at: Mapped[datetime]


class CaseNoteRow(Base):
    """Words of a person behind a code in the history, which itself never holds personal text."""

    __tablename__ = "case_notes"
    __table_args__ = (Index("ix_case_notes_case", "case_id", "id"),)

    id: Mapped[PrimaryId]
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    about: Mapped[str]  # what the words belong to: hold, close, letter_returned, incident ...
    words: Mapped[str]
    written_by: Mapped[str]
    written_at: Mapped[datetime]
