"""Anything exchanged on a channel. Raw bytes are stored before anything reads them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.screening import STATES
from app.domain.trust import LEVELS
from app.tables.base import Base, PrimaryId, one_of


class InboundRow(Base):
    """A fact from outside, byte-exact, before parsing: a mail, a provider's answer.

    (provider, external_id) is unique, so a redelivery changes nothing.
    """

    __tablename__ = "inbound"
    __table_args__ = (
        CheckConstraint("state IN ('stored','done','parked')", name="state"),
        UniqueConstraint("provider", "external_id"),
        Index("ix_inbound_todo", "stored_at", "id", postgresql_where=text("state = 'stored'")),
        Index(
            "ix_inbound_clear", "id", postgresql_where=text("NOT raw_sealed AND raw <> ''::bytea")
        ),
    )

    id: Mapped[PrimaryId]
    provider: Mapped[str]  # lmtp | imap | webhook name
    external_id: Mapped[str]
    raw: Mapped[bytes]
    sha256: Mapped[str]  # of the bytes as they came
    stored_at: Mapped[datetime]  # wall time
    received_at: Mapped[datetime]  # business time
    state: Mapped[str]
    tries: Mapped[int]
    lease_until: Mapped[datetime | None]  # database time: who reads it now need not share it
    cause: Mapped[str | None]
    envelope_to: Mapped[str | None]
    envelope_from: Mapped[str | None]
    raw_sealed: Mapped[bool] = mapped_column(default=False, server_default="false")


class MessageRow(Base):
    """A message in or out. `case_id` null = the holding pen, with the reasons."""

    __tablename__ = "messages"
    __table_args__ = (
        CheckConstraint("direction IN ('in','out')", name="direction"),
        CheckConstraint(
            "state IN ('unread','read','set_aside','pen','quarantine','not_ours','sent','deferred',"
            "'delivered','bounced')",
            name="state",
        ),
        CheckConstraint("to_consumer_id IS NULL OR to_address = ''", name="to_sealed"),
        CheckConstraint(one_of("trust", LEVELS), name="trust"),
        Index("ix_messages_case", "case_id", "id"),
        Index("ix_messages_pen", "received_at", "id", postgresql_where=text("state = 'pen'")),
        Index(
            "ix_messages_quarantine",
            "received_at",
            "id",
            postgresql_where=text("state = 'quarantine'"),
        ),
        Index("ix_messages_message_id", "message_id_header"),
        Index("ix_messages_inbound", "inbound_id"),
        Index("ix_messages_effect", "effect_id", postgresql_where=text("effect_id IS NOT NULL")),
    )

    id: Mapped[PrimaryId]
    case_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("cases.id"))
    inbound_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("inbound.id"))
    effect_id: Mapped[uuid.UUID | None]
    letter_id: Mapped[uuid.UUID | None]
    direction: Mapped[str]
    channel: Mapped[str]
    sender: Mapped[str]  # company | body | consumer | unknown | us
    from_address: Mapped[str]
    to_address: Mapped[str]  # "" when it went to a consumer: then sealed by their key
    to_consumer_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("consumers.id"))
    to_cipher: Mapped[bytes | None]
    subject: Mapped[str]
    text: Mapped[str]
    automatic: Mapped[bool]
    state: Mapped[str]
    pen_reasons: Mapped[list[str]]
    reading: Mapped[dict[str, Any] | None]  # what it seems to say; never acted on by itself
    read_as: Mapped[str | None]  # the kind of answer a person recorded from it
    pen_guesses: Mapped[list[Any] | None]  # cases it may be about, best first: id, score, why
    message_id_header: Mapped[str | None]
    trust: Mapped[str | None]  # in the From line of a mail; null: it came by no mail, or long ago
    trust_reasons: Mapped[list[str]] = mapped_column(default=list, server_default="{}")
    alerts: Mapped[list[str]] = mapped_column(default=list, server_default="{}")
    html: Mapped[str | None]  # as the mail looked, cleaned: it runs and loads nothing
    delivery_status: Mapped[str | None]  # of the last report on a mail of ours (RFC 3463)
    received_at: Mapped[datetime]


class AttachmentRow(Base):
    """What hung on an incoming mail; the bytes are in the document store (app.domain.screening)."""

    __tablename__ = "attachments"
    __table_args__ = (
        UniqueConstraint("inbound_id", "position"),
        CheckConstraint(one_of("state", STATES), name="state"),
        CheckConstraint("state = 'rejected' OR media_type IS NOT NULL", name="kind_known"),
        Index("ix_attachments_screen", "scan_at", postgresql_where=text("state = 'quarantined'")),
    )

    id: Mapped[PrimaryId]
    inbound_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("inbound.id"))
    position: Mapped[int]
    name: Mapped[str]  # for display only
    declared_type: Mapped[str]  # what the sender's program called it
    media_type: Mapped[str | None]  # by content
    size_bytes: Mapped[int]
    sha256: Mapped[str]
    state: Mapped[str]
    scan_at: Mapped[datetime | None]  # wall time of the next look while quarantined; null: now
    scan_tries: Mapped[int] = mapped_column(default=0, server_default="0")
    finding: Mapped[str | None]  # what the scanner called it, or why it could not look


class LearnedSenderRow(Base):
    """What people taught us of an address: whose it is, or that nothing from it is for us."""

    __tablename__ = "learned_senders"
    __table_args__ = (
        CheckConstraint("blocked = (company_id IS NULL)", name="one_use"),
        Index("ix_learned_senders_company", "company_id"),
    )

    address: Mapped[str] = mapped_column(primary_key=True)  # lower case
    company_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("companies.id"))
    blocked: Mapped[bool]
    message_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("messages.id"))
    learned_by: Mapped[str]
    learned_at: Mapped[datetime]


class MailboxRow(Base):
    """How far a polled mailbox was read: the server's numbering and the last mail stored."""

    __tablename__ = "mailboxes"

    name: Mapped[str] = mapped_column(primary_key=True)  # user@host/folder
    uid_validity: Mapped[int]
    last_uid: Mapped[int]
    lease_until: Mapped[datetime | None]  # database time: one worker visits at a time
