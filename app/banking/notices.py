"""A batch that a statement books as one sum, itemised by the bank's notice of its payments.

camt.054 never posts. What it itemises is remembered by the bank's reference, day, side and sum. A
statement that comes later posts the payments instead of the sum; where the sum stands already, it
is taken back by its mirror and its payments are posted in its place, on its statement, while
nothing uses it. Either way each cent is booked once (docs/decisions/0031).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app import ledger
from app.banking.files import open_file, read_event
from app.banking.posting import Posted, Posts, post_entry
from app.banking.reading.lines import itemised
from app.banking.reading.model import Entry, Party, Reference, Statement
from app.banking.reading.reader import read_file, statements_of
from app.banking.undoing import mark_undone, used_of
from app.crypto import DataErased, Keyring
from app.tables.banking import BankAccount, BankStatement, Movement, NoticeEntry
from app.tables.bulk import BulkInsert
from app.tables.ledger import JournalTxn

KIND: Final = "camt.054"
FILES_MAX: Final = 50  # notices that one statement looks into
_KEEP: Final = BulkInsert(NoticeEntry, ("import_id", "account", "currency", "entry"))


@dataclass(frozen=True, slots=True)
class Who:
    """By whom and when the books are changed."""

    session: AsyncSession
    keyring: Keyring
    actor: str
    at: datetime


def itemised_in(statements: Iterable[Statement]) -> dict[tuple[str, str, str], Entry]:
    """Batches that notices itemise to the cent, by account, currency and key: the bank's reference
    with day, side and sum, which the booking has on its statement too."""
    return {
        (statement.account, statement.currency, entry.key): entry
        for statement in statements
        if statement.kind == KIND
        for entry in statement.entries
        if entry.key.startswith("ref:") and itemised(entry) and entry.status != "PDNG"
    }


async def keep_notices(
    session: AsyncSession, import_id: uuid.UUID, statements: Sequence[Statement]
) -> None:
    """Remember what these notices itemise; what they say of people stays in the sealed file."""
    known = await session.scalar(
        select(NoticeEntry.import_id).where(NoticeEntry.import_id == import_id).limit(1)
    )
    if known is None:
        await _KEEP(session, [(import_id, *key) for key in itemised_in(statements)])


async def with_payments(who: Who, statement: Statement) -> Statement:
    """The statement with the payments of its batches, where a notice that came before has them."""
    wanted = [entry.key for entry in statement.entries if _may_be_batch(entry)]
    if not wanted:
        return statement
    rows = await who.session.execute(
        _NOTICES,
        {"account": statement.account, "currency": statement.currency, "keys": wanted,
         "most": FILES_MAX},
    )  # fmt: skip
    payments: dict[str, Entry] = {}
    for event_id in rows.scalars().all():
        try:
            raw = await read_event(who.session, who.keyring, event_id)
        except DataErased:
            continue  # its term has ended: the batch stays one sum
        for (account, currency, key), entry in itemised_in(statements_of(read_file(raw))).items():
            if (account, currency) == (statement.account, statement.currency):
                payments[key] = entry
    if not payments:
        return statement
    entries = tuple(_with_details(entry, payments.get(entry.key)) for entry in statement.entries)
    return replace(statement, entries=entries)


def _may_be_batch(entry: Entry) -> bool:
    """Booked as one sum, and nothing says that it is a single payment."""
    if entry.details or not entry.booked or not entry.key.startswith("ref:"):
        return False
    alone = entry.refs != Reference(payment_info_id=entry.refs.payment_info_id)
    if entry.batch_size is None:
        return not alone and entry.party == Party()
    return entry.batch_size > 1


def _with_details(entry: Entry, notice: Entry | None) -> Entry:
    if notice is None or not _may_be_batch(entry):
        return entry
    if entry.batch_size not in (None, len(notice.details)):
        return entry
    named = all(detail.refs.end_to_end_id for detail in notice.details)
    if not entry.credit and entry.refs.payment_info_id and not named:
        return entry  # the id of our own file says more than payments without theirs
    charges = entry.charges or notice.charges
    full = replace(entry, details=notice.details, charges=charges)
    return full if itemised(full) else entry


async def itemise_posted(who: Who, statements: Sequence[Statement], done: Posted) -> list[str]:
    """Replace sums that stand by the payments that these notices name. Returns what could not be
    itemised, in words."""
    left: list[str] = []
    for (number, currency, key), entry in itemised_in(statements).items():
        account = await who.session.scalar(
            select(BankAccount)
            .where(
                BankAccount.number == number,
                BankAccount.currency == currency,
                BankAccount.book == "client",
            )
            .with_for_update()
        )
        whole = await _sum_of(who.session, account, key) if account is not None else None
        if account is None or whole is None:
            continue
        used = await used_of(who.session, [whole.id])
        if used:
            left.append(f"batch {entry.bank_ref} was not itemised: its sum {used[0].why}")
        elif not await _replace(who, account, whole, entry, done):
            left.append(f"batch {entry.bank_ref} was not itemised: its statement was forgotten")
    return left


async def _sum_of(session: AsyncSession, account: BankAccount, key: str) -> Movement | None:
    """The movement that is this booking as one sum, locked. What a person recorded by hand has its
    posting elsewhere and stays."""
    movement = await session.scalar(
        select(Movement)
        .where(
            Movement.bank_account_id == account.id,
            Movement.entry_key == key,
            Movement.kind.in_(("receipt", "unexplained_debit")),
            Movement.undone_at.is_(None),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    posted = movement and await session.scalar(
        select(JournalTxn.id).where(JournalTxn.event_key == f"movement:{movement.id}")
    )
    return movement if posted else None


async def _replace(
    who: Who, account: BankAccount, whole: Movement, entry: Entry, done: Posted
) -> bool:
    """The sum's mirror and its payments. What comes in first: the account never falls below zero
    on the way."""
    statement = await who.session.get_one(BankStatement, whole.statement_id)
    try:
        file = await open_file(who.session, who.keyring, statement.external_event_id)
    except DataErased:
        return False
    posts = Posts(who.session, account, statement.id, statement.position, file, who.actor, who.at)
    payments = replace(entry, booked=True)
    if entry.credit:
        await post_entry(posts, payments, done)
    await ledger.reverse(
        who.session, f"movement:{whole.id}", reversal_key=f"itemised:{whole.id}",
        effective_on=whole.booked_on, at=who.at, actor=who.actor,
    )  # fmt: skip
    await mark_undone(who.session, Movement, [whole.id], who.at)
    if not entry.credit:
        await post_entry(posts, payments, done)
    return True


# OFFSET 0 keeps each key a lookup of its own, as for known keys (banking.movements).
_NOTICES: Final = text(
    """
    SELECT DISTINCT i.external_event_id
      FROM unnest(CAST(:keys AS text[])) AS w (key)
     CROSS JOIN LATERAL (SELECT n.import_id FROM notice_entries n
                          WHERE n.account = :account AND n.currency = :currency
                            AND n.entry = w.key OFFSET 0) n
      JOIN bank_imports i ON i.id = n.import_id AND i.state NOT IN ('undone', 'forgotten')
     ORDER BY 1 LIMIT :most
    """
)
