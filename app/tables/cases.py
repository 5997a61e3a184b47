"""The case, its claimants, items, timers and letters. Written only by app.engine."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.case import (
    LetterKind,
    LetterState,
    MandateState,
    Outcome,
    Stage,
    TimerKind,
    WaitingOn,
)
from app.domain.gates import LEVELS
from app.tables.base import Base, Id, PrimaryId, one_of

STAGES = tuple(s.value for s in Stage)
OUTCOMES = tuple(o.value for o in Outcome)
WAITING = tuple(w.value for w in WaitingOn)


class CaseRow(Base):
    """One claim by one consumer or party against one company in one currency."""

    __tablename__ = "cases"
    __table_args__ = (
        CheckConstraint(one_of("stage", STAGES), name="stage"),
        CheckConstraint(one_of("outcome", OUTCOMES), name="outcome"),
        CheckConstraint(one_of("waiting_on", WAITING), name="waiting_on"),
        CheckConstraint("mode IN ('A','B')", name="mode"),
        CheckConstraint("step >= 0", name="step"),
        CheckConstraint("claimed_minor >= 0", name="claimed"),
        CheckConstraint(
            "jsonb_typeof(bodies) = 'array' AND jsonb_array_length(bodies) <= 6", name="bodies"
        ),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        # Promise 1: no case goes quiet. Closed <=> outcome set <=> nothing is waited for.
        CheckConstraint(
            "(stage = 'closed') = (outcome IS NOT NULL)"
            " AND (stage = 'closed') = (waiting_on IS NULL)"
            " AND (stage = 'closed') = (due_at IS NULL)"
            " AND (stage = 'closed') = (closed_at IS NOT NULL)"
            " AND (stage = 'closed') = (next_wake_at IS NULL)",
            name="never_quiet",
        ),
        UniqueConstraint("reference"),
        UniqueConstraint("payment_ref"),
        Index(
            "ix_cases_wake", "next_wake_at", "id", postgresql_where=text("parked_reason IS NULL")
        ),
        Index("ix_cases_handler", "handler_id", "id", postgresql_where=text("stage <> 'closed'")),
        Index("ix_cases_company", "company_id", "id"),
        Index("ix_cases_consumer", "consumer_id", "id"),
        Index("ix_cases_source", "source", "id"),
        Index("ix_cases_company_text", "company_text", "id"),
        Index("ix_cases_booking", "booking_ref"),
        Index(
            "ix_cases_duplicate", "duplicate_of", postgresql_where=text("duplicate_of IS NOT NULL")
        ),
    )

    id: Mapped[PrimaryId]
    reference: Mapped[str]
    payment_ref: Mapped[str]  # digits with the Finnish check digit; RF form derived from it
    consumer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("consumers.id"))
    company_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("companies.id"))
    company_text: Mapped[str]  # as the consumer named it; a candidate until a handler confirms
    company_known: Mapped[bool]
    booking_ref: Mapped[str | None]  # the company's own booking or order number
    claim_kind: Mapped[str]
    jurisdiction: Mapped[str]
    currency: Mapped[str]
    claimed_minor: Mapped[int]
    what_happened: Mapped[str]
    answers: Mapped[dict[str, Any]]  # intake answers in the vocabulary of the question form
    language: Mapped[str]
    source: Mapped[str]  # app | phone | paper | partner

    stage: Mapped[str]
    step: Mapped[int]
    outcome: Mapped[str | None]
    waiting_on: Mapped[str | None]
    due_at: Mapped[datetime | None]
    due_basis: Mapped[dict[str, Any] | None]
    next_wake_at: Mapped[datetime | None]
    mode: Mapped[str]
    playbook: Mapped[str]
    pauses: Mapped[list[Any]]
    remaining_seconds: Mapped[int | None]
    questions: Mapped[list[Any]]
    offer: Mapped[dict[str, Any] | None]
    promise: Mapped[dict[str, Any] | None]
    promises_made: Mapped[int]
    money: Mapped[dict[str, Any]]
    agreed_minor: Mapped[int | None]
    agreed_at: Mapped[datetime | None]
    stage_left: Mapped[str | None]
    entry_stage: Mapped[str | None]
    entry_reason: Mapped[str | None]
    bodies: Mapped[list[Any]]  # ids of the chain of bodies; empty: the playbook's own
    body_index: Mapped[int]
    first_written_complaint: Mapped[date | None]
    first_contact_at: Mapped[datetime | None]
    limitation_on: Mapped[date | None]
    duplicate_of: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("cases.id"))
    handler_id: Mapped[uuid.UUID | None]
    prepared_by: Mapped[str | None]
    heartbeat_days: Mapped[int | None]
    agency_late: Mapped[bool]
    distress: Mapped[bool]
    extra: Mapped[dict[str, Any]]  # fields of the position that need no column of their own yet

    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    version: Mapped[int]  # rises with every change; the ETag
    audit_seq: Mapped[int]
    audit_head: Mapped[bytes]
    parked_reason: Mapped[str | None]  # a poison case: the sweep leaves it, a task names it
    letter_id: Mapped[uuid.UUID | None]  # the letter of the step the case is on


class ClaimantRow(Base):
    __tablename__ = "claimants"
    __table_args__ = (
        CheckConstraint(one_of("mandate", [m.value for m in MandateState]), name="mandate"),
        CheckConstraint(one_of("level", LEVELS), name="level"),
        UniqueConstraint("case_id", "position"),
        UniqueConstraint("case_id", "consumer_id"),
        Index("ix_claimants_consumer", "consumer_id", "case_id"),
    )

    id: Mapped[PrimaryId]
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    consumer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("consumers.id"))
    position: Mapped[int]
    mandate: Mapped[str]
    mandate_id: Mapped[uuid.UUID | None]
    signed_at: Mapped[datetime | None]
    receives_money: Mapped[bool]
    has_account: Mapped[bool]
    level: Mapped[str] = mapped_column(server_default="typed")  # of the signature held
    valid_until: Mapped[date | None]  # the last day of the mandate
    waits_until: Mapped[datetime | None]  # signed, but may still withdraw and did not ask to begin


class ClaimItemRow(Base):
    __tablename__ = "claim_items"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("ix_claim_items_case", "case_id"),
    )

    id: Mapped[PrimaryId]
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    creditor_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("claimants.id"))
    position: Mapped[int]
    kind: Mapped[str]
    what: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    earns_fee: Mapped[bool]
    counted: Mapped[bool]
    ground: Mapped[str | None]


class CaseTimerRow(Base):
    """Everything dated: the sweep reads only cases.next_wake_at, their minimum."""

    __tablename__ = "case_timers"
    __table_args__ = (CheckConstraint(one_of("kind", [k.value for k in TimerKind]), name="kind"),)

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime]
    step: Mapped[int]
    basis: Mapped[dict[str, Any]]


class LetterRow(Base):
    """A document we issue; `sha256` names the bytes of its newest rendering."""

    __tablename__ = "letters"
    __table_args__ = (
        CheckConstraint(one_of("kind", [k.value for k in LetterKind]), name="kind"),
        CheckConstraint(one_of("state", [s.value for s in LetterState]), name="state"),
        Index("ix_letters_case", "case_id", "id"),
        Index(
            "uq_letters_topic",
            "case_id",
            "kind",
            "topic",
            unique=True,
            postgresql_where=text("topic <> '' AND state <> 'cancelled'"),
        ),
        Index(
            "ix_letters_delivered",
            "delivered_at",
            postgresql_where=text("delivered_at IS NOT NULL"),
        ),
        Index("ix_letters_sha256", "sha256", postgresql_where=text("sha256 IS NOT NULL")),
    )

    id: Mapped[PrimaryId]
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cases.id"))
    kind: Mapped[str]
    step: Mapped[int]
    n: Mapped[int]
    state: Mapped[str]
    channel: Mapped[str]
    recipient: Mapped[str]
    sha256: Mapped[str | None]
    approved_by: Mapped[str | None]
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    evidence_grade: Mapped[str | None]
    created_at: Mapped[datetime]
    prepared_by: Mapped[str | None]
    topic: Mapped[str]  # beside the steps: what it is about; empty for the letter of a step


class LetterDetailsRow(Base):
    """What a person said a letter should say, sealed under the key of who filed the case: a
    letter's own facts and, where it goes to somebody else than the company, to whom."""

    __tablename__ = "letter_details"

    letter_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("letters.id"), primary_key=True)
    consumer_id: Mapped[uuid.UUID]
    details_cipher: Mapped[bytes]
    company_id: Mapped[uuid.UUID | None]  # whom it goes to, when the case may get another company


class LetterVersionRow(Base):
    """One rendering: what it said and the hash of its stored bytes. Never changed.

    What it said names people and where they live: it is sealed under the keys of all of
    `sealed_for`, one around the other, so it opens only while none of them is erased.
    """

    __tablename__ = "letter_versions"

    letter_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("letters.id"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    content_cipher: Mapped[bytes | None]  # None: from before contents were sealed
    sealed_for: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(UUID(as_uuid=True)))
    deadline: Mapped[date | None]  # the day the letter gave
    sha256: Mapped[str]
    pages: Mapped[int]
    size_bytes: Mapped[int]
    subject: Mapped[str]
    language: Mapped[str]
    created_at: Mapped[datetime]
    sealed_at: Mapped[datetime | None]  # the time its seal names; None: it has no seal
    rendered_sha256: Mapped[str | None]  # of the bytes before the seal; None: from before seals


class QuarantinedEvent(Base):
    """A fact whose kind or version this code does not know, or that poisoned its case: kept."""

    __tablename__ = "parked_events"

    id: Mapped[PrimaryId]
    case_id: Mapped[Id | None]
    name: Mapped[str]
    payload: Mapped[dict[str, Any]]
    cause: Mapped[str]
    parked_at: Mapped[datetime]
