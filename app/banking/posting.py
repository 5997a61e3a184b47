"""One statement into the books: every line once, understood or not."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from app import ledger
from app.banking.files import KeptFile
from app.banking.movements import insert_movements, known_of, movement_row
from app.banking.reading.lines import EntryRead, lines_of
from app.banking.reading.model import Entry, Statement
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
from app.tables.banking import BankAccount
from app.tables.payouts import PayoutItem

CHUNK: Final = 1_000  # lines a statement of the database: inside its timeout on a busy machine


@dataclass(slots=True)
class Posted:
    """What a statement did. ``unexplained`` are movements a person must look at."""

    lines: int = 0
    receipts: list[uuid.UUID] = field(default_factory=list)
    settled: list[ItemSettled] = field(default_factory=list)
    returned: list[ItemReturned] = field(default_factory=list)
    unexplained: list[uuid.UUID] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Posts:
    """Where and by whom lines are posted."""

    session: AsyncSession
    account: BankAccount
    statement_id: uuid.UUID
    position: int
    file: KeptFile
    actor: str
    at: datetime


async def post_lines(posts: Posts, statement: Statement) -> Posted:
    """Credits first: a debit late in the list may spend what came earlier the same day."""
    done = Posted()
    for credit in (True, False):
        lines = lines_of(statement.entries, credit=credit)
        while chunk := list(islice(lines, CHUNK)):
            await _post_chunk(posts, chunk, done)
    return done


async def post_entry(posts: Posts, entry: Entry, done: Posted) -> None:
    """The payments of one entry whose sum is taken back in the same step."""
    for credit in (True, False):
        if lines := list(lines_of([entry], credit=credit)):
            await _post_chunk(posts, lines, done)


async def _post_chunk(posts: Posts, entries: list[EntryRead], done: Posted) -> None:
    session, account = posts.session, posts.account
    known = await known_of(session, account.id, [e.key for e in entries])
    singles, grouped = await find_items(
        session,
        {e.end_to_end_id for e in entries if e.end_to_end_id},
        {e.payment_info_id for e in entries if e.payment_info_id and not e.credit},
    )
    movements: list[tuple[object, ...]] = []
    postings: list[Posting] = []
    outgoing: list[tuple[PayoutItem, BankLine]] = []
    incoming: list[tuple[PayoutItem, BankLine]] = []
    taken: set[uuid.UUID] = set()
    for read in entries:
        entry = _with_own_key(posts, read) if read.key in known.stands else read
        movement_id = new_id()
        ours = _items_for(entry, singles, grouped, taken) if singles else []
        if ours:
            line = BankLine(movement_id, account.id, entry.booked_on, entry.return_reason)
            taken.update(item.id for item in ours)
            (incoming if entry.credit else outgoing).extend((item, line) for item in ours)
        kind = _kind(entry, ours)
        movements.append(
            movement_row(
                movement_id, account, posts.statement_id, posts.file, entry, kind, posts.at
            )
        )
        confirms = entry is read and read.key in known.by_hand
        if not ours and not confirms:
            postings.append(_posting(movement_id, posts, entry, kind))
        if kind == "receipt" and not confirms:
            done.receipts.append(movement_id)
        if kind == "unexplained_debit":
            done.unexplained.append(movement_id)
    await insert_movements(session, movements)
    await ledger.post_many(session, postings)
    for item, line in incoming:
        done.returned.append(await take_return(session, item, line, actor=posts.actor, at=posts.at))
    done.settled += await settle(session, outgoing, actor=posts.actor, at=posts.at)
    done.lines += len(movements)


def _with_own_key(posts: Posts, entry: EntryRead) -> EntryRead:
    """A reference that stood on an earlier statement too names another line there: the balances
    have shown that this money is new. So its key tells of its statement."""
    return replace(entry, key=f"{entry.key}@{posts.position}")


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


def _posting(movement_id: uuid.UUID, posts: Posts, entry: EntryRead, kind: str) -> Posting:
    return Posting(
        kind="bank_credit_imported" if kind == "receipt" else kind,
        key=f"movement:{movement_id}",
        currency=posts.account.currency,
        amounts={"amount": entry.amount.minor},
        subs={"bank_account": str(posts.account.id), "movement": str(movement_id)},
        effective_on=entry.booked_on,
        at=posts.at,
        actor=posts.actor,
    )
