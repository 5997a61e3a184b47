"""Who may come in, what was remembered of a call, what happened, and the keys of personal data.

Times in this file are wall-clock times (sessions, links, codes), never business time; the one
exception is `audit_entries.at`, which is the time the deciding transaction used.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.roles import STAFF_ROLES
from app.tables.base import Base, Id, Json, PrimaryId, one_of

_ROLES = ", ".join(f"'{role}'" for role in STAFF_ROLES)


class Staff(Base):
    """A person who works here. `audit_seq` and `audit_head` are the head of the account's chain.

    The secret of the one-time codes is encrypted with the account's own data key;
    `totp_last_step` is the last time step that was used, so that no code works twice.
    """

    __tablename__ = "staff"
    __table_args__ = (
        UniqueConstraint("email"),
        CheckConstraint(one_of("status", ("invited", "active", "deactivated")), name="status"),
        CheckConstraint(f"roles <@ ARRAY[{_ROLES}]::text[]", name="roles"),
        CheckConstraint("email = lower(email)", name="email_lower"),
        CheckConstraint(
            "status <> 'active' OR (password_hash IS NOT NULL AND totp_secret IS NOT NULL)",
            name="active_is_complete",
        ),
    )

    id: Mapped[PrimaryId]
    email: Mapped[str]
    name: Mapped[str]
    roles: Mapped[list[str]]
    status: Mapped[str]
    password_hash: Mapped[str | None]
    totp_secret: Mapped[bytes | None]
    totp_last_step: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    created_at: Mapped[datetime]
    deactivated_at: Mapped[datetime | None]
    handed_over_to: Mapped[Id | None] = mapped_column(ForeignKey("staff.id"))
    version: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))
    audit_seq: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    audit_head: Mapped[bytes] = mapped_column(server_default=text(r"'\x'"))


class StaffInvite(Base):
    """A one-time link by which a person sets a password and codes (also to recover an account)."""

    __tablename__ = "staff_invites"
    __table_args__ = (UniqueConstraint("token_hash"),)

    id: Mapped[PrimaryId]
    staff_id: Mapped[Id] = mapped_column(ForeignKey("staff.id"), index=True)
    token_hash: Mapped[bytes]
    totp_secret: Mapped[bytes]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class RecoveryCode(Base):
    __tablename__ = "recovery_codes"
    __table_args__ = (UniqueConstraint("staff_id", "code_hash"),)

    id: Mapped[PrimaryId]
    staff_id: Mapped[Id] = mapped_column(ForeignKey("staff.id"))
    code_hash: Mapped[bytes]
    used_at: Mapped[datetime | None]


class LoginSession(Base):
    """A session of a consumer or of staff; only the hash of its 256-bit token is stored."""

    __tablename__ = "login_sessions"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        CheckConstraint(one_of("kind", ("consumer", "staff")), name="kind"),
        Index(None, "subject_id", postgresql_where=text("revoked_at IS NULL")),
    )

    id: Mapped[PrimaryId]
    kind: Mapped[str]
    subject_id: Mapped[Id]
    token_hash: Mapped[bytes]
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    stepped_up_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class LoginLink(Base):
    """A request for a login link. Rows for unknown addresses have no consumer and open nothing.

    The id is also the id of the effect that sends the mail; the token is derived from it.
    """

    __tablename__ = "login_links"
    __table_args__ = (UniqueConstraint("token_hash"), Index(None, "consumer_id"))

    id: Mapped[PrimaryId]
    consumer_id: Mapped[Id | None]
    token_hash: Mapped[bytes]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ApiKey(Base):
    """A key of an app or partner: `rk_<environment>_<id>_<secret>`; only the hash is stored.

    `app_id` is the app: the id of its first key, shared by every key that replaced it. Cases,
    limits and history belong to the app, so they outlive a key.
    """

    __tablename__ = "api_keys"
    __table_args__ = (
        CheckConstraint("expires_at > created_at", name="expires_later"),
        CheckConstraint("cardinality(scopes) > 0", name="has_scopes"),
    )

    id: Mapped[PrimaryId]
    app_id: Mapped[Id] = mapped_column(index=True)
    name: Mapped[str]
    environment: Mapped[str]
    secret_hash: Mapped[bytes]
    scopes: Mapped[list[str]]
    created_by: Mapped[Id] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class IdempotencyKey(Base):
    """What a call with an Idempotency-Key answered, written in the transaction of the call."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        CheckConstraint("length(key) BETWEEN 1 AND 255", name="key_length"),
        Index(None, "created_at"),
    )

    principal: Mapped[str] = mapped_column(primary_key=True)
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[bytes]
    status: Mapped[int | None]
    headers: Mapped[Json | None]
    body: Mapped[bytes | None]
    created_at: Mapped[datetime]


class DataKey(Base):
    """The wrapped data key of one subject; `wrapped` null means destroyed, the data are gone."""

    __tablename__ = "data_keys"
    __table_args__ = (
        CheckConstraint("(wrapped IS NULL) = (destroyed_at IS NOT NULL)", name="destroyed"),
        Index(None, "key_id", postgresql_where=text("wrapped IS NOT NULL")),
    )

    subject_id: Mapped[PrimaryId]
    key_id: Mapped[str]
    wrapped: Mapped[bytes | None]
    created_at: Mapped[datetime]
    destroyed_at: Mapped[datetime | None]


class AuditEntry(Base):
    """One line of a stream's history: a code with parameters, no personal text.

    `hash` covers this entry and everything before it in the stream. `txid` is the writing
    transaction: anchors use it to find what was added since the last one.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        CheckConstraint("seq > 0", name="seq"),
        CheckConstraint("length(hash) = 32", name="hash_length"),
        Index(None, "txid", postgresql_using="brin"),
    )

    stream: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    code: Mapped[str]
    params: Mapped[dict[str, Any]]
    hash: Mapped[bytes]
    txid: Mapped[int] = mapped_column(
        BigInteger, server_default=text("(pg_current_xact_id()::text::bigint)")
    )


class AuditHead(Base):
    """Heads of streams that have no row of their own to keep it on (`system`)."""

    __tablename__ = "audit_heads"

    stream: Mapped[str] = mapped_column(primary_key=True)
    audit_seq: Mapped[int] = mapped_column(BigInteger)
    audit_head: Mapped[bytes]


class AuditAnchor(Base):
    """A hash over every head that moved since the anchor before; the same is stored outside."""

    __tablename__ = "audit_anchors"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    snapshot: Mapped[str]  # pg_snapshot: which transactions this anchor has seen
    streams: Mapped[int]
    root: Mapped[bytes]
    object_key: Mapped[str]
