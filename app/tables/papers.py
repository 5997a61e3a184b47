"""Papers of a case that we make for its people and for bodies, and their stored files."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.tables.base import Base, PrimaryId, one_of

PAPER_KINDS = ("statement", "invoice", "credit_note", "bundle")


class CasePaperRow(Base):
    """A paper somebody asked for, or that an event asked for. `id` of an invoice's paper is the
    invoice's own, so that each has one. `language` None: the reader's, known when it is made.

    Made once: its files are stored under their hash and never change.
    """

    __tablename__ = "case_papers"
    __table_args__ = (
        CheckConstraint(one_of("kind", PAPER_KINDS), name="kind"),
        Index("ix_case_papers_case", "case_id", "id"),
    )

    id: Mapped[PrimaryId]
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    kind: Mapped[str]
    claimant_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("claimants.id"))
    language: Mapped[str | None]
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    made_at: Mapped[datetime | None]


class PaperFileRow(Base):
    """One file of a paper; only what is too large for its reader has more than part 1."""

    __tablename__ = "case_paper_files"
    __table_args__ = (
        CheckConstraint("part >= 1", name="part"),
        CheckConstraint("pages >= 1", name="pages"),
        CheckConstraint("size_bytes >= 1", name="size"),
    )

    paper_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_papers.id"), primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    pages: Mapped[int]
    size_bytes: Mapped[int]
    file_name: Mapped[str]
