"""What people work on, and what was agreed and said: tasks, mandates, offers, questions, files."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.case import OfferKind, OfferState
from app.domain.decision import TaskKind
from app.domain.screening import STATES
from app.tables.base import Base, PrimaryId, one_of


class TaskRow(Base):
    """A typed piece of work for a person, in one queue order: stored priority, then due date."""

    __tablename__ = "tasks"
    __table_args__ = (
        CheckConstraint(one_of("kind", [k.value for k in TaskKind]), name="kind"),
        CheckConstraint("state IN ('open','done','dropped')", name="state"),
        CheckConstraint("role IN ('handler','senior','finance','legal','admin')", name="role"),
        Index(
            "uq_tasks_open",
            "case_id",
            "kind",
            "key",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        Index(
            "uq_tasks_open_caseless",
            "kind",
            "key",
            unique=True,
            postgresql_where=text("state = 'open' AND case_id IS NULL"),
        ),
        Index(
            "ix_tasks_queue",
            "role",
            "priority",
            "due_at",
            "id",
            postgresql_where=text("state = 'open'"),
        ),
        Index(
            "ix_tasks_pool",
            "role",
            "priority",
            "due_at",
            "id",
            postgresql_where=text("state = 'open' AND assignee_id IS NULL"),
        ),
        Index(
            "ix_tasks_assignee",
            "assignee_id",
            "priority",
            "due_at",
            "id",
            postgresql_where=text("state = 'open'"),
        ),
    )

    id: Mapped[PrimaryId]
    case_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("cases.id"))
    kind: Mapped[str]
    key: Mapped[str]
    role: Mapped[str]
    state: Mapped[str]
    due_at: Mapped[datetime]
    priority: Mapped[int]
    priority_reason: Mapped[str]
    subject_id: Mapped[uuid.UUID | None]
    assignee_id: Mapped[uuid.UUID | None]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]


class MandateRow(Base):
    """The signed authority for one case: who, what text, which level. Never changed but revoked."""

    __tablename__ = "mandates"
    __table_args__ = (
        CheckConstraint("level IN ('typed','drawn','qualified','wet_ink')", name="level"),
        Index("ix_mandates_case", "case_id"),
        Index(
            "uq_mandates_current",
            "claimant_id",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )

    id: Mapped[PrimaryId]
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    claimant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("claimants.id"))
    level: Mapped[str]
    signed_name: Mapped[str]
    text_version: Mapped[str]
    fee_rule: Mapped[str]
    scope: Mapped[list[str]]
    receives_money: Mapped[bool]
    shown: Mapped[dict[str, Any]]  # the summary as shown at signing, with every net figure
    signed_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    filed_by: Mapped[str]  # consumer, or the handler who filed the paper
    text_sha256: Mapped[str | None]  # of the mandate's texts as shown; None: signed before 0022
    start_asked_at: Mapped[datetime | None]  # asked us not to wait for the time to withdraw
    proof: Mapped[dict[str, Any] | None]  # address, user agent and session of the signer
    drawing: Mapped[str | None]  # strokes of a drawn signature, as path commands
    valid_until: Mapped[date | None]  # the last day; None: until it is taken back
    # The signed file of a qualified signature, the scan of a paper one.
    evidence_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("evidence.id"))


class MandateStartRow(Base):
    """A signer's request to begin before the time to withdraw is over, apart from the mandate: the
    sentence as it was shown, with its effect on the fee, and from where the request came."""

    __tablename__ = "mandate_starts"
    __table_args__ = (UniqueConstraint("mandate_id"),)

    id: Mapped[PrimaryId]
    mandate_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("mandates.id"))
    asked_at: Mapped[datetime]
    asked_by: Mapped[str]
    language: Mapped[str]
    text: Mapped[str]
    text_sha256: Mapped[str]
    proof: Mapped[dict[str, Any]]  # address, user agent and session


class MandateSignerRow(Base):
    """Who signed for a claimant: a guardian with their relation, or a proxy with the authority
    they showed, what it covers and its last day. Never changed."""

    __tablename__ = "mandate_signers"
    __table_args__ = (
        CheckConstraint("role IN ('guardian', 'proxy')", name="role"),
        CheckConstraint(
            "role = 'guardian' OR (evidence_id IS NOT NULL AND valid_until IS NOT NULL)",
            name="proof",
        ),
    )

    mandate_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("mandates.id"), primary_key=True)
    role: Mapped[str]
    name: Mapped[str]
    relation: Mapped[str | None]
    evidence_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("evidence.id"))
    scope: Mapped[list[str]]
    valid_until: Mapped[date | None]


class MandateOriginalRow(Base):
    """One entry of the register of paper originals: what happened to it, when, and where or with
    whom it then was. Only added to."""

    __tablename__ = "mandate_originals"
    __table_args__ = (
        CheckConstraint("what IN ('received', 'kept', 'sent', 'returned')", name="what"),
        Index("ix_mandate_originals_mandate", "mandate_id", "id"),
    )

    id: Mapped[PrimaryId]
    mandate_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("mandates.id"))
    what: Mapped[str]
    happened_on: Mapped[date]
    place: Mapped[str]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]


class MandateDocumentRow(Base):
    """What a claimant signed, as the document that went to them: `sha256` names the stored bytes,
    `rendered_sha256` those before the seal. Never changed."""

    __tablename__ = "mandate_documents"

    mandate_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("mandates.id"), primary_key=True)
    sha256: Mapped[str]
    rendered_sha256: Mapped[str]
    sealed_at: Mapped[datetime | None]
    pages: Mapped[int]
    size_bytes: Mapped[int]
    language: Mapped[str]
    made_at: Mapped[datetime]


class OfferRow(Base):
    """An offer as the company made it; `state` is kept by the engine."""

    __tablename__ = "offers"
    __table_args__ = (
        CheckConstraint(one_of("kind", [k.value for k in OfferKind]), name="kind"),
        CheckConstraint(one_of("state", [s.value for s in OfferState]), name="state"),
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("ix_offers_case", "case_id", "id"),
    )

    id: Mapped[PrimaryId]
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    kind: Mapped[str]
    state: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    made_at: Mapped[datetime]
    answer_by: Mapped[datetime]
    in_full_settlement: Mapped[bool]
    message_id: Mapped[uuid.UUID | None]
    words: Mapped[str]  # what the company wrote, or what was said on the phone
    answers: Mapped[dict[str, Any]]  # claimant id -> accepted | refused | counter amount
    recorded_by: Mapped[str]


class QuestionRow(Base):
    """A question to the consumer, with the answer as given. Its clock is the engine's."""

    __tablename__ = "questions"
    __table_args__ = (Index("ix_questions_case", "case_id", "id"),)

    id: Mapped[PrimaryId]
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    code: Mapped[str]
    words: Mapped[str]
    default_action: Mapped[str]
    asked_at: Mapped[datetime]
    asked_by: Mapped[str]
    answer: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str | None]


class DirectPaymentRow(Base):
    """ "They paid me": what the consumer says, and what a person found."""

    __tablename__ = "direct_payments"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("state IN ('reported','confirmed','refused')", name="state"),
        Index("ix_direct_payments_case", "case_id"),
    )

    id: Mapped[PrimaryId]
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    amount_minor: Mapped[int]
    currency: Mapped[str]
    paid_on: Mapped[date]
    state: Mapped[str]
    reported_at: Mapped[datetime]
    reported_by: Mapped[str]
    decided_by: Mapped[str | None]


class EvidenceRow(Base):
    """A file someone gave us. The storage key never contains the user's file name."""

    __tablename__ = "evidence"
    __table_args__ = (
        CheckConstraint(one_of("state", STATES), name="state"),
        Index("ix_evidence_screen", "scan_at", postgresql_where=text("state = 'quarantined'")),
        CheckConstraint("size_bytes > 0", name="size"),
        Index("ix_evidence_case", "case_id", "id"),
        Index("ix_evidence_sha256", "sha256"),
    )

    id: Mapped[PrimaryId]
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    uploaded_by: Mapped[str]
    file_name: Mapped[str]  # for display only
    media_type: Mapped[str]  # by content
    size_bytes: Mapped[int]
    sha256: Mapped[str]
    storage_key: Mapped[str]
    state: Mapped[str]
    scan_at: Mapped[datetime | None]  # wall time of the next look while quarantined; null: now
    scan_tries: Mapped[int] = mapped_column(default=0, server_default="0")
    finding: Mapped[str | None]  # what the scanner called it, or why it could not look
    what: Mapped[str]
    uploaded_at: Mapped[datetime]


class CallRow(Base):
    """A phone call or other word outside the mailbox, as the handler noted it."""

    __tablename__ = "calls"
    __table_args__ = (
        CheckConstraint("with_whom IN ('company','consumer','body')", name="with_whom"),
        Index("ix_calls_case", "case_id", "id"),
    )

    id: Mapped[PrimaryId]
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    with_whom: Mapped[str]
    notes: Mapped[str]
    outcome: Mapped[str]
    promise: Mapped[str | None]  # what they said they would do, in their words
    next_at: Mapped[datetime | None]  # when we come back to it
    called_at: Mapped[datetime]
    recorded_by: Mapped[str]
