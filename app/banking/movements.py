"""Rows of movements, and money that a person recorded before the statement with it came.

A receipt recorded by hand posts at once. Its key is the key the statement's line will have, marked
``hand:``; when that line comes it is stored like every other and posts nothing: it confirms.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import ColumnElement, and_, func, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app import ledger
from app.banking.files import KeptFile, keep_event
from app.banking.reading.lines import EntryRead
from app.banking.reading.model import StatementInvalid
from app.crypto import Keyring, mask_iban
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.money import Money
from app.ids import new_id
from app.ledger import Posting
from app.tables.banking import Allocation, BankAccount, BankStatement, Movement
from app.tables.bulk import BulkInsert

BY_HAND: Final = "by_hand"
HAND: Final = "hand:"


class MovementKnown(Conflict):
    """This line of the bank is here already, from a statement or by hand."""

    code = "movement_known"


@dataclass(frozen=True, slots=True)
class ReceiptByHand:
    """What a person reads on the bank's screen. ``bank_ref`` is the bank's own reference: by it
    (with day and amount) the later statement confirms this receipt instead of posting it again."""

    id: uuid.UUID
    bank_account_id: uuid.UUID
    amount: Money
    booked_on: date
    bank_ref: str
    creditor_ref: str | None
    remittance: str
    payer_name: str | None
    payer_account: str | None
    actor: str
    at: datetime


async def record_receipt(
    session: AsyncSession, keyring: Keyring, receipt: ReceiptByHand
) -> uuid.UUID:
    """Post money that came in, before its statement. NotFound, InvalidInput, MovementKnown."""
    account = (
        await session.execute(
            select(BankAccount)
            .where(BankAccount.id == receipt.bank_account_id, BankAccount.book == "client")
            .with_for_update()
        )
    ).scalar_one_or_none()
    if account is None:
        raise NotFound("There is no such client account.", code="bank_account_not_found")
    if receipt.amount.currency != account.currency:
        raise InvalidInput("The account is in another currency.", code="currency_mismatch")
    entry = _entry(receipt)
    if await known_keys(session, account.id, [entry.key, entry.key.removeprefix(HAND)]):
        raise MovementKnown("This receipt is recorded already.")
    file, statement_id = await store_sheet(session, keyring, account, receipt, "by-hand")
    row = movement_row(receipt.id, account, statement_id, file, entry, "receipt", receipt.at)
    await insert_movements(session, [row])
    await ledger.post(
        session,
        Posting(
            kind="bank_credit_imported", key=f"movement:{receipt.id}", currency=account.currency,
            amounts={"amount": receipt.amount.minor},
            subs={"bank_account": str(account.id), "movement": str(receipt.id)},
            effective_on=receipt.booked_on, at=receipt.at, actor=receipt.actor,
        ),
    )  # fmt: skip
    return receipt.id


def _entry(receipt: ReceiptByHand) -> EntryRead:
    day, minor = receipt.booked_on.isoformat(), receipt.amount.minor
    return EntryRead(
        key=f"{HAND}ref:{receipt.bank_ref}:{day}:C:{minor}", credit=True, amount=receipt.amount,
        booked_on=receipt.booked_on, bank_ref=receipt.bank_ref, end_to_end_id=None,
        payment_info_id=None, creditor_ref=receipt.creditor_ref, remittance=receipt.remittance,
        payer_name=receipt.payer_name, payer_account=receipt.payer_account, return_reason=None,
        is_charge=False,
    )  # fmt: skip


async def store_sheet(
    session: AsyncSession,
    keyring: Keyring,
    account: BankAccount,
    receipt: ReceiptByHand,
    ident: str,
) -> tuple[KeptFile, uuid.UUID]:
    """The sheet of paper this receipt stands on: a statement of one line, outside the chain of the
    bank's statements (its position is below zero)."""
    raw = json.dumps(
        {
            "account": str(account.id), "amount": receipt.amount.format(),
            "currency": account.currency, "booked_on": receipt.booked_on.isoformat(),
            "bank_reference": receipt.bank_ref, "reference": receipt.creditor_ref,
            "remittance": receipt.remittance, "payer": receipt.payer_name,
        },
        sort_keys=True, ensure_ascii=False,
    ).encode()  # fmt: skip
    file = await keep_event(
        session, keyring, raw, provider=BY_HAND, external_id=str(receipt.id), at=receipt.at
    )
    lowest = await session.scalar(
        select(func.min(BankStatement.position)).where(BankStatement.bank_account_id == account.id)
    )
    statement_id = new_id()
    await session.execute(
        insert(BankStatement).values(
            id=statement_id, bank_account_id=account.id, external_event_id=file.id,
            position=min(lowest or 0, 0) - 1, ident=f"{ident}:{receipt.id}", sequence=None,
            closes_on=None, opening_minor=0, closing_minor=receipt.amount.minor,
            content_hash=file.sha256, imported_at=receipt.at,
        )
    )  # fmt: skip
    return file, statement_id


@dataclass(frozen=True, slots=True)
class Known:
    """Of a statement's keys: those that stand on the account, and those recorded by hand."""

    stands: frozenset[str]
    by_hand: frozenset[str]


async def known_of(session: AsyncSession, account_id: uuid.UUID, keys: Sequence[str]) -> Known:
    """What is known of these keys of lines."""
    found = await known_keys(session, account_id, [*keys, *(f"{HAND}{key}" for key in keys)])
    hands = frozenset(key.removeprefix(HAND) for key in found if key.startswith(HAND))
    return Known(found, hands)


async def awaiting_confirmation(session: AsyncSession, account: BankAccount) -> Money:
    """Money recorded by hand that no statement of the account has shown yet."""
    minor = await session.scalar(
        select(func.coalesce(func.sum(Movement.amount_minor), 0)).where(
            Movement.bank_account_id == account.id, _seen_by_nobody_else()
        )
    )
    return Money(int(minor or 0), account.currency)


async def resting_on_a_word(
    session: AsyncSession, case_ids: Collection[uuid.UUID]
) -> frozenset[uuid.UUID]:
    """Of these cases, those with money that a person recorded and no statement has shown: others
    would pay for it if it never came."""
    rows = await session.execute(
        select(Allocation.case_id)
        .join(Movement, Movement.id == Allocation.movement_id)
        .where(
            Allocation.case_id.in_(case_ids),
            Allocation.undone_at.is_(None),
            _seen_by_nobody_else(),
        )
    )
    return frozenset(rows.scalars())


def _seen_by_nobody_else() -> ColumnElement[bool]:
    """A movement recorded by hand whose line stands on no statement of its account yet."""
    line = aliased(Movement)
    shown = (
        select(line.id)
        .where(
            line.bank_account_id == Movement.bank_account_id,
            line.undone_at.is_(None),
            line.entry_key == func.substr(Movement.entry_key, len(HAND) + 1),
        )
        .exists()
    )
    return and_(Movement.entry_key.startswith(HAND, autoescape=True), ~shown)


_MOVEMENTS: Final = BulkInsert(
    Movement,
    (
        "id", "bank_account_id", "statement_id", "entry_key", "kind", "direction", "amount_minor",
        "currency", "booked_on", "received_at", "bank_ref", "end_to_end_id", "creditor_ref",
        "remittance", "payer_name", "payer_account_masked", "payer_account_cipher",
        "return_reason", "value_on", "reversal", "code", "instructed_minor", "instructed_currency",
    ),
)  # fmt: skip


def movement_row(
    movement_id: uuid.UUID,
    account: BankAccount,
    statement_id: uuid.UUID,
    file: KeptFile,
    entry: EntryRead,
    kind: str,
    at: datetime,
) -> tuple[object, ...]:
    """The row of one line of the bank, in the order of ``_MOVEMENTS``. Only of a receipt is kept
    who paid: who sends one of our payouts back is a consumer's bank, or the consumer."""
    payer, number = (entry.payer_name, entry.payer_account) if kind == "receipt" else (None, None)
    instructed = entry.instructed
    return (
        movement_id, account.id, statement_id, entry.key, kind,
        "credit" if entry.credit else "debit", entry.amount.minor, entry.amount.currency,
        entry.booked_on, at, entry.bank_ref, entry.end_to_end_id, entry.creditor_ref,
        entry.remittance, payer, mask_iban(number) if number else None,
        file.seal_account(number, movement_id), entry.return_reason, entry.value_on,
        entry.reversal, entry.code, instructed.minor if instructed else None,
        instructed.currency if instructed else None,
    )  # fmt: skip


async def insert_movements(session: AsyncSession, rows: Sequence[tuple[object, ...]]) -> None:
    """Store lines of one account. StatementInvalid when one of them is here already; then the
    transaction is over."""
    try:
        await _MOVEMENTS(session, rows)
    except IntegrityError as error:
        if "uq_movements_entry_key" not in str(error.orig):
            raise
        raise StatementInvalid("The statement repeats an entry imported before.") from error


async def known_keys(
    session: AsyncSession, account_id: uuid.UUID, keys: Sequence[str]
) -> frozenset[str]:
    """Of these keys, those that stand on the account."""
    rows = await session.scalars(_KNOWN, {"account": account_id, "keys": list(keys)})
    return frozenset(rows)


# OFFSET 0 keeps each key a lookup of its own: the planner would rather read the account's lines.
_KNOWN: Final = text(
    """
    SELECT k.key FROM unnest(CAST(:keys AS text[])) AS k (key)
     CROSS JOIN LATERAL (SELECT FROM movements m
                          WHERE m.bank_account_id = :account AND m.entry_key = k.key
                            AND m.undone_at IS NULL OFFSET 0) m
    """
)
