"""Takes a whole import back: mirror postings, nothing deleted, and only while nothing uses it.

Its movements are locked before that is asked, and whoever uses one takes the same lock and refuses
one that was taken back: so a hold or a match set in the same moment comes wholly before or not.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import ledger
from app.banking.chain import last_statement
from app.banking.movements import awaiting_confirmation
from app.domain.errors import Conflict, NotFound
from app.domain.money import Money
from app.tables.banking import BankAccount, BankImport, BankStatement, Movement

CHUNK: Final = 1_000
NAMED: Final = 5  # movements that a refusal names


class ImportUsed(Conflict):
    """Money of the import was allocated, paid, explained or held since."""

    code = "import_used"


class ImportNotLast(Conflict):
    """A later statement of the account stands on this one."""

    code = "import_not_last"


class ImportUndone(Conflict):
    """It was taken back before."""

    code = "import_undone"


async def undo_import(
    session: AsyncSession, import_id: uuid.UUID, *, actor: str, at: datetime, reason: str
) -> list[BankImport]:
    """Take back all that a file posted, and the files whose pages made statements with its own.
    Answers with all of them, this one first. NotFound, ImportUndone, ImportNotLast, ImportUsed.

    A file that waits or only informs is set aside: it follows nothing any more.
    """
    rows = await _together(session, import_id)
    if rows[0].state == "undone":
        raise ImportUndone("This import was taken back before.")
    statements = (
        await session.scalars(
            select(BankStatement)
            .where(
                BankStatement.import_id.in_([row.id for row in rows]),
                BankStatement.undone_at.is_(None),
            )
            .order_by(BankStatement.position.desc())
        )
    ).all()
    await _itemises_nothing(session, [row.id for row in rows])
    for account in await _accounts(session, statements):
        mine = [s for s in statements if s.bank_account_id == account.id]
        await _is_last(session, account, mine)
        await _take_back(session, account, mine, actor=actor, at=at)
    for row in rows:
        row.state, row.undone_at, row.undone_by, row.undo_reason = "undone", at, actor, reason
    await session.flush()
    return rows


async def _together(session: AsyncSession, import_id: uuid.UUID) -> list[BankImport]:
    """The import and those it was posted with, locked; this one first."""
    lead = import_id
    while True:
        rows = list(
            await session.scalars(
                select(BankImport)
                .where((BankImport.id == lead) | (BankImport.posted_with == lead))
                .order_by(BankImport.id)
                .with_for_update()
                .execution_options(populate_existing=True)
            )
        )
        mine = next((row for row in rows if row.id == import_id), None)
        if mine is None:
            raise NotFound("There is no such import.", code="import_not_found")
        if mine.posted_with in (None, lead):
            return sorted(rows, key=lambda row: row.id != import_id)
        lead = mine.posted_with


async def _itemises_nothing(session: AsyncSession, import_ids: Sequence[uuid.UUID]) -> None:
    """A notice whose payments stand in the books stays while they do."""
    stands = await session.scalar(_ITEMISED, {"ids": list(import_ids)})
    if stands is not None:
        raise ImportUsed(
            "A batch of a statement was itemised by this notice: take that statement back first.",
            count=1, used=stands,
        )  # fmt: skip


async def _accounts(
    session: AsyncSession, statements: Sequence[BankStatement]
) -> Sequence[BankAccount]:
    wanted = {s.bank_account_id for s in statements}
    return (
        await session.scalars(
            select(BankAccount)
            .where(BankAccount.id.in_(wanted))
            .order_by(BankAccount.id)
            .with_for_update()
        )
    ).all()


async def _is_last(
    session: AsyncSession, account: BankAccount, mine: Sequence[BankStatement]
) -> None:
    last = await last_statement(session, account)
    if last is not None and last.id not in {s.id for s in mine}:
        raise ImportNotLast(
            "A later statement of this account stands on this one: take that back first.",
            later=last.ident,
        )


async def _take_back(
    session: AsyncSession,
    account: BankAccount,
    statements: Sequence[BankStatement],
    *,
    actor: str,
    at: datetime,
) -> None:
    ids = [s.id for s in statements]
    movements = (await session.scalars(_LOCKED, {"ids": ids})).all()
    await _nothing_used(session, movements)
    keys = [f"movement:{m}" for m in (await session.execute(_POSTED, {"ids": ids})).scalars()]
    for start in range(0, len(keys), CHUNK):
        await ledger.reverse_many(
            session,
            keys[start : start + CHUNK],
            prefix="import-undone:",
            effective_on=at.date(),
            at=at,
            actor=actor,
        )
    for start in range(0, len(movements), CHUNK):
        await mark_undone(session, Movement, movements[start : start + CHUNK], at)
    await mark_undone(session, BankStatement, ids, at)
    book = await ledger.balance_of(session, "C.BANK", str(account.id), account.currency)
    ahead = await awaiting_confirmation(session, account)
    stands = statements[-1].opening_minor + ahead.minor
    assert book.minor == stands, "the book must stand where it stood before"


async def mark_undone(
    session: AsyncSession,
    table: type[Movement | BankStatement],
    ids: Sequence[uuid.UUID],
    at: datetime,
) -> None:
    """Mark rows as taken back; it is set once and never lifted."""
    await session.execute(
        update(table)
        .where(table.id.in_(ids))
        .values(undone_at=at)
        .execution_options(synchronize_session=False)
    )


async def used_of(session: AsyncSession, movement_ids: Sequence[uuid.UUID]) -> Sequence[Row[Any]]:
    """Of these movements, locked by the caller, those whose money is in use, and ``why``."""
    return (await session.execute(_USED, {"ids": list(movement_ids)})).all()


async def _nothing_used(session: AsyncSession, movement_ids: Sequence[uuid.UUID]) -> None:
    used = await used_of(session, movement_ids)
    if used:
        raise ImportUsed(
            "Money of this import is in use: take back what was done with it first. It stays as it"
            " is.",
            count=len(used), used="; ".join(_named(line) for line in used[:NAMED]),
        )  # fmt: skip


def _named(line: Row[Any]) -> str:
    return f"{Money(line.amount_minor, line.currency)} of movement {line.id} {line.why}"


_LOCKED = text(
    """
    SELECT id FROM movements WHERE statement_id = ANY(:ids) AND undone_at IS NULL
     ORDER BY id FOR UPDATE
    """
)
# Payments are known by the key of their batch and their number.
_ITEMISED = text(
    """
    SELECT n.entry FROM notice_entries n
      JOIN bank_accounts a ON a.number = n.account AND a.currency = n.currency
      JOIN movements m ON m.bank_account_id = a.id AND m.undone_at IS NULL
                      AND m.entry_key = n.entry || '/1'
      JOIN bank_statements s ON s.id = m.statement_id
     WHERE n.import_id = ANY(:ids) AND s.import_id <> ALL(:ids) LIMIT 1
    """
)
# Debits first: the account may not fall below zero on the way.
_POSTED = text(
    """
    SELECT m.id FROM movements m
     WHERE m.statement_id = ANY(:ids) AND m.undone_at IS NULL
       AND EXISTS (SELECT FROM journal_txns t WHERE t.event_key = 'movement:' || m.id)
     ORDER BY m.direction DESC, m.id
    """
)
_USED = text(
    """
    SELECT m.id, m.amount_minor, m.currency, CASE
             WHEN m.kind IN ('payout', 'sweep') THEN 'settled a payout'
             WHEN m.kind = 'payout_return' THEN 'brought a payout back'
             WHEN EXISTS (SELECT FROM allocations a WHERE a.movement_id = m.id
                                                      AND a.undone_at IS NULL) THEN 'is allocated'
             WHEN EXISTS (SELECT FROM movement_holds h WHERE h.movement_id = m.id
                            AND h.outcome IN ('waiting', 'accepted')) THEN 'is held'
             WHEN m.kind = 'receipt' THEN 'was allocated, paid out or set aside'
             ELSE 'was explained' END AS why
      FROM movements m
     WHERE m.id = ANY(:ids) AND m.undone_at IS NULL
       AND (m.kind IN ('payout', 'sweep', 'payout_return')
            OR EXISTS (SELECT FROM movement_holds h WHERE h.movement_id = m.id
                                                     AND h.outcome IN ('waiting', 'accepted'))
            OR EXISTS (SELECT FROM journal_txns t WHERE t.event_key = 'movement:' || m.id
                AND EXISTS (SELECT FROM journal_txns r WHERE r.reverses_id = t.id))
            OR m.kind = 'receipt'
               AND EXISTS (SELECT FROM journal_txns t WHERE t.event_key = 'movement:' || m.id)
               AND coalesce((SELECT b.balance FROM account_balances b
                   WHERE b.account = 'C.UNALLOC' AND b.sub = m.id::text
                     AND b.currency = m.currency), 0) <> m.amount_minor)
     ORDER BY m.id
    """
)
