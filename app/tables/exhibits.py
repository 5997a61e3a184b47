"""Exhibits: what a person tied to what it proves, and the class of a paper."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.tables.base import Base, one_of

CLASSES = ("open", "negotiation", "mediation", "internal")


class ProofTieRow(Base):
    """This paper (`ref`, kind:id) proves this element of the case."""

    __tablename__ = "proof_ties"

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    element: Mapped[str] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(primary_key=True)
    tied_by: Mapped[str]
    tied_at: Mapped[datetime]


class PaperClassRow(Base):
    """The class a person gave a paper, and its release by legal, each with the reason."""

    __tablename__ = "paper_classes"
    __table_args__ = (
        CheckConstraint(f"class IS NULL OR {one_of('class', CLASSES)}", name="class"),
        CheckConstraint(
            "(released_by IS NULL) = (released_at IS NULL)"
            " AND (released_by IS NULL) = (release_reason IS NULL)",
            name="released",
        ),
    )

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    ref: Mapped[str] = mapped_column(primary_key=True)
    class_: Mapped[str | None] = mapped_column("class")  # None: as its kind says
    reason: Mapped[str | None]
    set_by: Mapped[str | None]
    set_at: Mapped[datetime | None]
    released_by: Mapped[str | None]
    released_at: Mapped[datetime | None]
    release_reason: Mapped[str | None]
