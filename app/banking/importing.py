"""Imports bank statements: the file is kept as it came, then posted whole or not at all.

Each movement posts once, understood or not: a credit to *unallocated*, a debit of ours settles its
payout, a returned payout comes back, anything else is the own book's debt to the clients until a
person explains it. What a movement means for a case is decided later, by allocation.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import ledger
from app.banking.files import KeptFile, keep_event
from app.banking.movements import (
    awaiting_confirmation,
    confirmed_by,
    insert_movements,
    movement_row,
)
from app.banking.reading.amounts import written
from app.banking.reading.gate import postable
from app.banking.reading.lines import EntryRead, lines_of
from app.banking.reading.model import Statement
from app.banking.reading.reader import read_file
from app.crypto import Keyring
from app.domain.errors import Conflict
from app.domain.money import Money
from app.ids import new_id
from app.ledger import Posting
from app.payouts.settling import (
    BankLine,
    ItemReturned,
    ItemSettled,
    find_items,
    settle,
    take_return,
)
from app.tables.banking import BankAccount, BankStatement
from app.tables.payouts import PayoutItem

PROVIDER: Final = "bank_file"
POST_CHUNK: Final = 2_000  # postings per statement: well inside the statement timeout


class AccountUnknown(Conflict):
    """The statement is of an account that is not our client account."""

    code = "bank_account_unknown"


class StatementGap(Conflict):
    """The statement does not continue from the last one that was imported."""

    code = "statement_gap"


class OpeningMissing(Conflict):
    """The first statement does not open with what we know to have stood there before."""

    code = "opening_balance_missing"


class StatementChanged(Conflict):
    """A statement with this id was imported before, with another content."""

    code = "statement_changed"


@dataclass(frozen=True, slots=True)
class StatementDone:
    """One statement of the file; ``replayed`` when it stood already and nothing was posted."""

    id: uuid.UUID
    bank_account_id: uuid.UUID
    ident: str
    closing: Money
    closes_on: date | None
    movements: int
    replayed: bool


@dataclass(frozen=True, slots=True)
class ImportDone:
    """What a file did. ``unexplained`` are movements a person must look at."""

    external_event_id: uuid.UUID
    statements: tuple[StatementDone, ...]
    receipts: tuple[uuid.UUID, ...]
    settled: tuple[ItemSettled, ...]
    returned: tuple[ItemReturned, ...]
    unexplained: tuple[uuid.UUID, ...]


async def open_bank_account(
    session: AsyncSession,
    *,
    account_id: uuid.UUID,
    book: str,
    holder: str,
    number: str,
    currency: str,
    at: datetime,
    bic: str | None = None,
) -> BankAccount:
    """Register an account of the agency; its book balance starts at zero (see banking.opening)."""
    row = BankAccount(
        id=account_id, book=book, holder=holder, number="".join(number.split()).upper(),
        bic=bic, currency=currency, opened_at=at,
    )  # fmt: skip
    session.add(row)
    await session.flush()
    return row


async def store_file(
    session: AsyncSession, keyring: Keyring, raw: bytes, *, at: datetime
) -> KeptFile:
    """Keep a file exactly as it came, sealed; the same bytes again have the same id.

    Called in a transaction of its own before the import, so that a refused file is kept too.
    """
    digest = hashlib.sha256(raw).hexdigest()
    return await keep_event(session, keyring, raw, provider=PROVIDER, external_id=digest, at=at)


def read_statements(raw: bytes) -> list[Statement]:
    """The statements of a file that may be posted. StatementInvalid, TooLarge."""
    return postable(read_file(raw))


async def import_file(
    session: AsyncSession,
    keyring: Keyring,
    raw: bytes,
    *,
    actor: str,
    at: datetime,
    statements: Sequence[Statement] | None = None,
) -> ImportDone:
    """Import a camt.053 file: all its statements or none. Importing it again changes nothing.

    ``statements`` is what ``read_statements`` made of ``raw``, when that was done elsewhere.
    Refused: StatementInvalid, TooLarge, AccountUnknown, OpeningMissing, StatementGap,
    StatementChanged; the transaction rolls back whole (``store_file`` before it keeps the bytes).
    """
    if statements is None:
        statements = read_statements(raw)
    file = await store_file(session, keyring, raw, at=at)
    done: list[StatementDone] = []
    posted: list[_Posted] = []
    for statement in statements:
        result = await _import_statement(session, statement, file, actor=actor, at=at)
        done.append(result.done)
        posted.append(result)
    return ImportDone(
        file.id, tuple(done),
        tuple(m for p in posted for m in p.receipts),
        tuple(s for p in posted for s in p.settled),
        tuple(r for p in posted for r in p.returned),
        tuple(m for p in posted for m in p.unexplained),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Posted:
    done: StatementDone
    receipts: tuple[uuid.UUID, ...] = ()
    settled: tuple[ItemSettled, ...] = ()
    returned: tuple[ItemReturned, ...] = ()
    unexplained: tuple[uuid.UUID, ...] = ()


async def _import_statement(
    session: AsyncSession,
    statement: Statement,
    file: KeptFile,
    *,
    actor: str,
    at: datetime,
) -> _Posted:
    assert statement.opening is not None and statement.closing is not None, "checked at the gate"
    account = await _account(session, statement)
    known = (
        await session.execute(
            select(BankStatement).where(
                BankStatement.bank_account_id == account.id, BankStatement.ident == statement.ident
            )
        )
    ).scalar_one_or_none()
    if known is not None:
        if known.content_hash != statement.content_hash:
            raise StatementChanged("This statement was imported before with another content.")
        return _Posted(_statement_done(known, 0, replayed=True, currency=account.currency))
    position = await _continues(session, account, statement)
    row = BankStatement(
        id=new_id(), bank_account_id=account.id, external_event_id=file.id, position=position,
        ident=statement.ident, sequence=statement.sequence, closes_on=statement.closes_on,
        opening_minor=statement.opening, closing_minor=statement.closing,
        content_hash=statement.content_hash, imported_at=at,
    )  # fmt: skip
    session.add(row)
    await session.flush()
    lines = list(lines_of(statement.entries))
    posted = await _post_entries(session, account, row, file, lines, actor=actor, at=at)
    book = await ledger.balance_of(session, "C.BANK", str(account.id), account.currency)
    ahead = await awaiting_confirmation(session, account)
    assert book.minor == statement.closing + ahead.minor, (
        "the book must stand where the statement says"
    )
    done = _statement_done(row, len(lines), replayed=False, currency=account.currency)
    return _Posted(done, posted.receipts, posted.settled, posted.returned, posted.unexplained)


def _statement_done(
    row: BankStatement, movements: int, *, replayed: bool, currency: str
) -> StatementDone:
    return StatementDone(
        row.id, row.bank_account_id, row.ident, Money(row.closing_minor, currency), row.closes_on,
        movements, replayed,
    )  # fmt: skip


async def _account(session: AsyncSession, statement: Statement) -> BankAccount:
    """The account, locked: statements of one account take turns."""
    account = (
        await session.execute(
            select(BankAccount)
            .where(
                BankAccount.number == statement.account,
                BankAccount.currency == statement.currency,
                BankAccount.book == "client",
            )
            .with_for_update()
        )
    ).scalar_one_or_none()
    if account is None:
        raise AccountUnknown("The statement is not of our client account.")
    return account


async def _continues(session: AsyncSession, account: BankAccount, statement: Statement) -> int:
    last = (
        await session.execute(
            select(BankStatement)
            # Positions below zero are what people recorded by hand, not statements.
            .where(BankStatement.bank_account_id == account.id, BankStatement.position > 0)
            .order_by(BankStatement.position.desc())
            .limit(1)
        )
    ).scalar_one_or_none()
    if last is None:
        _opens_as_recorded(account, statement)
        return 1
    expected = last.closing_minor
    if statement.opening != expected:
        raise StatementGap(
            "The opening balance is not the last closing balance: a statement is missing.",
            expected=Money(expected, account.currency).format(),
            opening=written(statement.opening or 0, account.currency),
        )
    # Banks number from 1 again each year; between two numbers of one year nothing may be missing.
    given, before = statement.sequence, last.sequence
    if given is not None and before is not None and given not in (before + 1, 1):
        raise StatementGap(
            "A statement is missing before this one.", expected=before + 1, sequence=given
        )
    return last.position + 1


def _opens_as_recorded(account: BankAccount, statement: Statement) -> None:
    expected = account.opening_minor or 0
    if statement.opening != expected:
        raise OpeningMissing(
            "This first statement opens with another balance than is known here: record the opening"
            " balance of the account first, or import from the account's beginning.",
            expected=Money(expected, account.currency).format(),
            opening=written(statement.opening or 0, account.currency),
        )


async def _post_entries(
    session: AsyncSession,
    account: BankAccount,
    row: BankStatement,
    file: KeptFile,
    entries: Sequence[EntryRead],
    *,
    actor: str,
    at: datetime,
) -> _Posted:
    singles, grouped = await find_items(
        session,
        {e.end_to_end_id for e in entries if e.end_to_end_id},
        {e.payment_info_id for e in entries if e.payment_info_id and not e.credit},
    )
    by_hand = await confirmed_by(session, account.id, [e.key for e in entries])
    movements: list[dict[str, object]] = []
    postings: list[Posting] = []
    outgoing: list[tuple[PayoutItem, BankLine]] = []
    incoming: list[tuple[PayoutItem, BankLine]] = []
    taken: set[uuid.UUID] = set()
    for entry in entries:
        movement_id = new_id()
        line = BankLine(movement_id, account.id, entry.booked_on, entry.return_reason)
        ours = _items_for(entry, singles, grouped, taken)
        taken.update(item.id for item in ours)
        if ours:
            (incoming if entry.credit else outgoing).extend((item, line) for item in ours)
        kind = _kind(entry, ours)
        movements.append(movement_row(movement_id, account, row.id, file, entry, kind, at))
        if not ours and entry.key not in by_hand:
            postings.append(_posting(movement_id, account, entry, kind, actor=actor, at=at))
    await insert_movements(session, movements)
    # Credits first: a debit late in the list may spend what came earlier the same day.
    postings.sort(key=lambda p: p.kind != "bank_credit_imported")
    for start in range(0, len(postings), POST_CHUNK):
        await ledger.post_many(session, postings[start : start + POST_CHUNK])
    returned = [await take_return(session, i, x, actor=actor, at=at) for i, x in incoming]
    settled = await settle(session, outgoing, actor=actor, at=at)
    done = StatementDone(row.id, account.id, row.ident, Money(0, account.currency), None, 0, False)
    return _Posted(
        done, _ids(movements, "receipt", but=by_hand), tuple(settled), tuple(returned),
        _ids(movements, "unexplained_debit"),
    )  # fmt: skip


def _items_for(
    entry: EntryRead,
    singles: dict[str, PayoutItem],
    grouped: dict[str, list[PayoutItem]],
    taken: set[uuid.UUID],
) -> list[PayoutItem]:
    """Our payouts this entry is about, to the cent; anything that does not fit is not ours."""
    item = singles.get(entry.end_to_end_id or "")
    if item is not None and item.id not in taken:
        fits = item.amount_minor == entry.amount.minor and item.currency == entry.amount.currency
        wanted = "settled" if entry.credit else "exported"
        if entry.credit and (entry.return_reason is None or item.kind == "sweep"):
            return []
        return [item] if fits and item.state == wanted else []
    if entry.credit:
        return []
    batch = [
        i for i in grouped.get(entry.payment_info_id or "", ())
        if i.state == "exported" and i.id not in taken
    ]  # fmt: skip
    return batch if sum(i.amount_minor for i in batch) == entry.amount.minor else []


def _kind(entry: EntryRead, ours: Sequence[PayoutItem]) -> str:
    if entry.credit:
        return "payout_return" if ours else "receipt"
    if ours:
        return "sweep" if ours[0].kind == "sweep" else "payout"
    return "bank_charge" if entry.is_charge else "unexplained_debit"


def _posting(
    movement_id: uuid.UUID,
    account: BankAccount,
    entry: EntryRead,
    kind: str,
    *,
    actor: str,
    at: datetime,
) -> Posting:
    return Posting(
        kind="bank_credit_imported" if kind == "receipt" else kind,
        key=f"movement:{movement_id}",
        currency=account.currency,
        amounts={"amount": entry.amount.minor},
        subs={"bank_account": str(account.id), "movement": str(movement_id)},
        effective_on=entry.booked_on,
        at=at,
        actor=actor,
    )


def _ids(
    movements: Sequence[dict[str, object]], kind: str, *, but: Collection[str] = ()
) -> tuple[uuid.UUID, ...]:
    found = (m["id"] for m in movements if m["kind"] == kind and m["entry_key"] not in but)
    return tuple(i for i in found if isinstance(i, uuid.UUID))
