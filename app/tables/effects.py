"""The effects journal: orders to the outside, recorded once (app.outbox)."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.effects import LANES
from app.tables.base import Base, PrimaryId, one_of

STATES = ("planned", "sending", "done", "superseded", "failed", "unknown", "parked")


class EffectRow(Base):
    """One order. `id` is the provider's idempotency key; the row is the job.

    `lease_until` is database time. `stream` names whose order it keeps: case:<id>, staff:<id>,
    batch:<id>, consumer:<id>, system.
    """

    __tablename__ = "effects"
    __table_args__ = (
        CheckConstraint(one_of("state", STATES), name="state"),
        CheckConstraint(one_of("lane", LANES), name="lane"),
        CheckConstraint("(state = 'sending') = (lease_until IS NOT NULL)", name="lease"),
        CheckConstraint("stumbles >= 0", name="stumbles"),
        UniqueConstraint("business_key"),
        UniqueConstraint("provider", "provider_ref"),
        # One order at a time inside a lane of a stream.
        Index(
            "uq_effects_sending",
            "stream",
            "lane",
            unique=True,
            postgresql_where=text("state = 'sending'"),
        ),
        Index("ix_effects_planned", "not_before", "id", postgresql_where=text("state = 'planned'")),
        Index(
            "ix_effects_lane",
            "stream",
            "lane",
            "id",
            postgresql_where=text("state IN ('planned','sending','unknown')"),
        ),
        Index("ix_effects_lease", "lease_until", postgresql_where=text("state = 'sending'")),
        Index(
            "ix_effects_people",
            "state",
            "id",
            postgresql_where=text("state IN ('unknown','parked','failed')"),
        ),
        Index("ix_effects_case", "case_id", "id"),
    )

    id: Mapped[PrimaryId]
    stream: Mapped[str]
    case_id: Mapped[uuid.UUID | None]
    lane: Mapped[str]
    kind: Mapped[str]
    version: Mapped[int]
    business_key: Mapped[str]
    payload: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(server_default="planned")
    not_before: Mapped[datetime]  # business time
    staged_at: Mapped[datetime]  # wall time, for latency figures
    lease_until: Mapped[datetime | None]
    lease_epoch: Mapped[int] = mapped_column(server_default="0")
    attempts: Mapped[int] = mapped_column(server_default="0")  # times it may have left us
    stumbles: Mapped[int] = mapped_column(server_default="0")  # times it came back before that
    dispatched_at: Mapped[datetime | None]  # wall time of the first byte's order
    unseen_at: Mapped[datetime | None]  # an earlier try ended unseen: its provider may have it
    settled_at: Mapped[datetime | None]
    provider: Mapped[str | None]
    provider_ref: Mapped[str | None]
    cause: Mapped[str | None]


class EffectAttemptRow(Base):
    """Append-only log: every claim, act and record, also of workers that came too late."""

    __tablename__ = "effect_attempts"
    __table_args__ = (Index("ix_effect_attempts_effect", "effect_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    effect_id: Mapped[uuid.UUID]
    epoch: Mapped[int]
    worker: Mapped[str]
    what: Mapped[str]  # sent | refused | unknown | stale | settled:<verdict> ...
    detail: Mapped[str]
    at: Mapped[datetime]
