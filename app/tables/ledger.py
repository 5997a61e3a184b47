"""The journal: two books, balanced transactions that never change, balances that follow them.

The triggers in ``sql/ledger.sql`` refuse what these columns cannot: unbalanced transactions, any
change of a posted row, a reversal that is not the mirror, books that do not agree.
"""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.tables.base import Base, Id, PrimaryId, one_of

BOOKS = ("client", "own")
ACCOUNT_KINDS = ("asset", "liability", "income", "expense")
INVOICE_KINDS = ("invoice", "credit_note")
INVOICE_MODES = ("deducted", "receivable")


class LedgerAccount(Base):
    """One line of the chart of accounts; rows come with the migration (``sql/ledger.sql``).

    ``never_negative``: no sub-account of it may fall below zero. ``cached``: its balances are
    kept in ``account_balances``; hot income and VAT accounts are not, so that two cases that
    settle at the same moment do not wait for each other.
    """

    __tablename__ = "ledger_accounts"
    __table_args__ = (
        CheckConstraint(one_of("book", BOOKS), name="book"),
        CheckConstraint(one_of("kind", ACCOUNT_KINDS), name="kind"),
        CheckConstraint("cached OR NOT never_negative", name="guarded_is_cached"),
    )

    name: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    book: Mapped[str]
    kind: Mapped[str]
    never_negative: Mapped[bool]
    cached: Mapped[bool]


class JournalTxn(Base):
    """A balanced transaction in one book and one currency. Append-only.

    ``linked_group`` joins the transactions of one event across the books. ``event_key`` names the
    event: the same event never posts twice, and ``content_hash`` tells a repeat from another event
    under the same key. ``effective_on`` is the day it counts for, ``posted_at`` business time.
    """

    __tablename__ = "journal_txns"
    __table_args__ = (
        UniqueConstraint("event_key", "book"),
        UniqueConstraint("reverses_id"),
        CheckConstraint(one_of("book", BOOKS), name="book"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        CheckConstraint("leg_count >= 2", name="two_legs"),
        CheckConstraint("total_minor > 0", name="moves_money"),
        CheckConstraint("reverses_id IS NULL OR reverses_id <> id", name="not_itself"),
        CheckConstraint("original_on IS NULL OR original_on < effective_on", name="moved_on"),
        CheckConstraint("length(event_key) BETWEEN 1 AND 200", name="event_key_length"),
        Index("ix_journal_txns_case_id", "case_id", postgresql_where=text("case_id IS NOT NULL")),
        Index("ix_journal_txns_linked_group", "linked_group"),
        Index("ix_journal_txns_effective", "effective_on", "id"),
    )

    id: Mapped[PrimaryId]
    linked_group: Mapped[Id]
    book: Mapped[str]
    currency: Mapped[str]
    kind: Mapped[str]
    event_key: Mapped[str]
    content_hash: Mapped[str]
    effective_on: Mapped[date]
    posted_at: Mapped[datetime]
    leg_count: Mapped[int]
    total_minor: Mapped[int]
    reverses_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("journal_txns.id"))
    case_id: Mapped[uuid.UUID | None]
    actor: Mapped[str]
    rule_version: Mapped[str]
    original_on: Mapped[date | None]  # its own day, when that month was closed already


class Leg(Base):
    """One side of a transaction, in minor units of its currency. Append-only."""

    __tablename__ = "legs"
    __table_args__ = (
        CheckConstraint("line >= 1", name="line"),
        CheckConstraint("debit >= 0 AND credit >= 0", name="not_negative"),
        CheckConstraint("(debit = 0) <> (credit = 0)", name="one_side"),
        Index("ix_legs_account_sub", "account", "sub"),
    )

    txn_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("journal_txns.id"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(ForeignKey("ledger_accounts.name"))
    sub: Mapped[str]
    debit: Mapped[int]
    credit: Mapped[int]


class AccountBalance(Base):
    """Balance of one sub-account in its normal direction; written only by the legs' trigger."""

    __tablename__ = "account_balances"
    __table_args__ = (
        CheckConstraint("balance >= 0 OR NOT never_negative", name="never_negative"),
        Index("ix_account_balances_open", "account", "sub", postgresql_where=text("balance <> 0")),
    )

    account: Mapped[str] = mapped_column(ForeignKey("ledger_accounts.name"), primary_key=True)
    sub: Mapped[str] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(primary_key=True)
    balance: Mapped[int]
    never_negative: Mapped[bool]


class CaseFee(Base):
    """Running totals of a case's commission; the row every fee event of the case locks first.

    ``fee_minor`` is what the rule makes of the basis; less ``waived_minor`` it is what the
    invoices say.
    """

    __tablename__ = "case_fees"
    __table_args__ = (
        CheckConstraint("fee_minor BETWEEN 0 AND basis_minor", name="fee_within_basis"),
        CheckConstraint("basis_minor <= recovered_minor", name="basis_within_recovered"),
        CheckConstraint("waived_minor BETWEEN 0 AND fee_minor", name="waived_within_fee"),
    )

    case_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    currency: Mapped[str]
    recovered_minor: Mapped[int]
    basis_minor: Mapped[int]
    fee_minor: Mapped[int]
    waived_minor: Mapped[int] = mapped_column(server_default="0")


class InvoiceSeries(Base):
    """The next number of a series, taken in the posting transaction: no gaps, no doubles."""

    __tablename__ = "invoice_series"
    __table_args__ = (CheckConstraint("next_number >= 1", name="from_one"),)

    series: Mapped[str] = mapped_column(primary_key=True)
    next_number: Mapped[int]


class CommissionInvoice(Base):
    """An invoice (or credit note, with negative sums) for our fee. Append-only.

    ``mode``: ``deducted`` from client money, or a ``receivable`` the consumer still pays.
    """

    __tablename__ = "commission_invoices"
    __table_args__ = (
        UniqueConstraint("series", "number"),
        CheckConstraint(one_of("kind", INVOICE_KINDS), name="kind"),
        CheckConstraint(one_of("mode", INVOICE_MODES), name="mode"),
        CheckConstraint("net_minor + vat_minor = gross_minor", name="adds_up"),
        CheckConstraint(
            "(kind = 'invoice' AND gross_minor > 0 AND vat_minor >= 0 AND net_minor >= 0)"
            " OR (kind = 'credit_note' AND gross_minor < 0 AND vat_minor <= 0 AND net_minor <= 0)",
            name="sign",
        ),
        Index("ix_commission_invoices_case_id", "case_id"),
        Index("ix_commission_invoices_issued", "issued_on"),
    )

    id: Mapped[PrimaryId]
    series: Mapped[str]
    number: Mapped[int]
    kind: Mapped[str]
    mode: Mapped[str]
    case_id: Mapped[Id]
    claimant_id: Mapped[Id]
    source_id: Mapped[Id]
    corrects_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("commission_invoices.id"))
    currency: Mapped[str]
    gross_minor: Mapped[int]
    net_minor: Mapped[int]
    vat_minor: Mapped[int]
    vat_bp: Mapped[int]
    fee_rule: Mapped[str]
    issued_on: Mapped[date]
