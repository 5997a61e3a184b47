"""The pace of mails per domain, and letters too large to attach."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.tables.base import Base


class MailPaceRow(Base):
    """How far ahead of its even pace a domain's mail is: a mark of GCRA, in seconds of the
    database's clock (app.mail_rates)."""

    __tablename__ = "mail_pace"

    domain: Mapped[str] = mapped_column(primary_key=True)
    mark: Mapped[float]


class DocumentLinkRow(Base):
    """A letter that was mailed as a link. `id` is the order that mailed it; of the token only its
    hash is kept. Times are business time."""

    __tablename__ = "document_links"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        CheckConstraint("opened >= 0", name="opened"),
        Index("ix_document_links_case", "case_id", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    letter_id: Mapped[uuid.UUID]
    token_hash: Mapped[bytes] = mapped_column()
    sha256: Mapped[str]
    file_name: Mapped[str]
    size_bytes: Mapped[int]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None]
    opened: Mapped[int]
    last_opened_at: Mapped[datetime | None]
