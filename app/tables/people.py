"""Consumers, companies with their channels, the agency profile and the installation itself."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.tables.base import Base, JsonList, PrimaryId, one_of

MANDATE_LEVELS = ("typed", "drawn", "qualified", "wet_ink")
CHANNEL_HEALTH = ("alive", "degraded", "dead", "retired", "no_reply")


class ConsumerRow(Base):
    """A person whose money it is. Address and birth date: encrypted by their own key."""

    __tablename__ = "consumers"
    __table_args__ = (
        Index(
            "uq_consumers_email", "email", unique=True, postgresql_where=text("email IS NOT NULL")
        ),
        CheckConstraint("email IS NOT NULL OR by_post", name="reachable"),
    )

    id: Mapped[PrimaryId]
    name: Mapped[str]
    email: Mapped[str | None]  # lower case, NFC
    by_post: Mapped[bool]  # reached by post; hears at events
    language: Mapped[str]
    country: Mapped[str]
    address_cipher: Mapped[bytes | None]
    birth_date_cipher: Mapped[bytes | None]
    heartbeat_days: Mapped[int | None]
    created_at: Mapped[datetime]
    version: Mapped[int]


class CompanyRow(Base):
    """The legal entity we claim from; a candidate until its register entry was confirmed."""

    __tablename__ = "companies"
    __table_args__ = (
        CheckConstraint("status IN ('candidate','confirmed','closed')", name="status"),
        CheckConstraint("kind IN ('business','public_body','private_person')", name="kind"),
        CheckConstraint(one_of("mandate_level", MANDATE_LEVELS), name="mandate_level"),
        CheckConstraint("direct_first_days BETWEEN 1 AND 90", name="direct_first_days"),
        # A number without its source is a rumour.
        CheckConstraint(
            "(direct_first_days IS NULL) = (direct_first_source IS NULL)", name="direct_first"
        ),
    )

    id: Mapped[PrimaryId]
    legal_name: Mapped[str]
    brand: Mapped[str]
    country: Mapped[str]
    register_number: Mapped[str | None]
    sector: Mapped[str | None]
    language: Mapped[str]
    address_lines: Mapped[list[str]]
    status: Mapped[str]
    kind: Mapped[str | None]  # None: nobody has looked
    direct_first_days: Mapped[int | None]  # it hears an agent only so long after the consumer wrote
    direct_first_source: Mapped[str | None]
    mandate_level: Mapped[str | None]  # the weakest signature it takes; None: the playbook's
    claims_list_to: Mapped[str | None]  # gets one list of its open claims a week
    confirmed_by: Mapped[uuid.UUID | None]
    confirmed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    version: Mapped[int]


class ChannelRow(Base):
    """One way to reach one company: address plus health."""

    __tablename__ = "channels"
    __table_args__ = (
        CheckConstraint("kind IN ('email','post','portal','phone')", name="kind"),
        CheckConstraint(one_of("health", CHANNEL_HEALTH), name="health"),
        UniqueConstraint("company_id", "kind", "address"),
        Index("ix_channels_mail", text("lower(address)"), postgresql_where=text("kind = 'email'")),
    )

    id: Mapped[PrimaryId]
    company_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("companies.id"))
    kind: Mapped[str]
    address: Mapped[str]  # an e-mail address; for post the lines, newline-separated
    health: Mapped[str]
    official: Mapped[bool]  # the company's official complaint address
    language: Mapped[str]
    source: Mapped[str]  # where the address comes from
    for_whom: Mapped[str | None]  # the brand, entity or support vendor behind the address
    outsourced: Mapped[bool | None]  # a vendor answers here; None: not known
    form: Mapped[JsonList] = mapped_column(default=list, server_default="[]")  # of a web form
    confirmed_by: Mapped[str | None]  # who vouches that it is theirs
    successor_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("channels.id"))
    last_success_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    last_error_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    version: Mapped[int]


class AgencyProfileRow(Base):
    """Name, seat, licences, accounts, approval line and office hours; a new version per change."""

    __tablename__ = "agency_profiles"
    __table_args__ = (CheckConstraint("version > 0", name="version"),)

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    profile: Mapped[dict[str, Any]]
    effective_at: Mapped[datetime]
    set_by: Mapped[str]


class ClockOffsetRow(Base):
    """The business clock's offset; a production installation refuses to set it."""

    __tablename__ = "clock_offset"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seconds: Mapped[int]


class InstallationRow(Base):
    """Switches and marks of the whole installation: outgoing paused, mail and bank read until."""

    __tablename__ = "installation"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    outgoing_paused: Mapped[bool]
    outgoing_paused_reason: Mapped[str | None]
    outgoing_paused_by: Mapped[str | None]
    mail_read_until: Mapped[datetime | None]
    bank_read_until: Mapped[datetime | None]
    swept_at: Mapped[datetime | None]  # wall time of the last finished sweep: the dead-man mark


# Searched by the beginning of a name, in any case.
for _index, _column in (
    ("ix_consumers_name", ConsumerRow.name),
    ("ix_companies_name", CompanyRow.legal_name),
    ("ix_companies_brand", CompanyRow.brand),
):
    Index(
        _index,
        func.lower(_column).label("lowered"),
        postgresql_ops={"lowered": "text_pattern_ops"},
    )

# And by any whole word of it: the surname, a second given name.
Index(
    "ix_consumers_words",
    func.to_tsvector(text("'simple'::regconfig"), ConsumerRow.name),
    postgresql_using="gin",
)
