"""What the verbs on payout batches share: locks, the content hash, reserving the money."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from app import ledger
from app.domain.errors import NotFound
from app.domain.money import Money
from app.ledger import Posting
from app.tables.banking import BankAccount, Movement
from app.tables.payouts import PayoutAccount, PayoutBatch, PayoutItem


@dataclass(frozen=True, slots=True)
class BatchDone:
    """A batch as callers see it. ``content_hash`` is what an approver approves."""

    id: uuid.UUID
    state: str
    item_count: int
    total: Money
    content_hash: str
    execute_on: date
    maker: str
    checker: str | None
    file_sha256: str | None
    version: int
    items: tuple[uuid.UUID, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Payee:
    """Name and IBAN in the clear, only while the file is made."""

    name: str
    iban: str


Reveal = Callable[[PayoutAccount | Movement], Awaitable[Payee]]


async def lock_batch(session: AsyncSession, batch_id: uuid.UUID) -> PayoutBatch:
    """The batch, locked and read anew; NotFound."""
    batch = (
        await session.execute(
            select(PayoutBatch)
            .where(PayoutBatch.id == batch_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).scalar_one_or_none()
    if batch is None:
        raise NotFound("There is no such batch.")
    return batch


async def items_of(session: AsyncSession, batch_id: uuid.UUID) -> list[PayoutItem]:
    """The items of a batch, locked in id order."""
    return await lock_items(session, PayoutItem.batch_id == batch_id)


async def lock_items(session: AsyncSession, which: ColumnElement[bool]) -> list[PayoutItem]:
    """Items, locked in id order and read anew."""
    rows = await session.execute(
        select(PayoutItem)
        .where(which)
        .order_by(PayoutItem.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(rows.scalars())


async def move_items(
    session: AsyncSession,
    items: Sequence[PayoutItem],
    state: str,
    *,
    batch_id: uuid.UUID | None = None,
) -> None:
    """All these locked items to one state (and into a batch), in one statement: a batch may hold
    ten thousand. The rows of the session follow."""
    changes: dict[str, object] = {"state": state}
    if batch_id is not None:
        changes["batch_id"] = batch_id
    ids = literal([item.id for item in items], ARRAY(Uuid()))
    await session.execute(
        update(PayoutItem)
        .where(PayoutItem.id == any_(ids))
        .values(**changes)
        .execution_options(synchronize_session=False)
    )
    for item in items:
        for name, value in changes.items():
            set_committed_value(item, name, value)


async def batch_done(session: AsyncSession, batch: PayoutBatch) -> BatchDone:
    """The batch as callers see it."""
    ids = await session.execute(
        select(PayoutItem.id).where(PayoutItem.batch_id == batch.id).order_by(PayoutItem.id)
    )
    return BatchDone(
        batch.id, batch.state, batch.item_count, Money(batch.total_minor, batch.currency),
        batch.content_hash, batch.execute_on, batch.maker, batch.checker, batch.file_sha256,
        batch.version, tuple(ids.scalars()),
    )  # fmt: skip


def hash_of(batch: PayoutBatch, items: Sequence[PayoutItem]) -> str:
    """Everything that reaches the bank: account, day, and each item's payee, sum and text."""
    content = [
        str(batch.bank_account_id), batch.message_id, batch.execute_on.isoformat(),
        sorted(
            [
                str(i.id), i.kind, i.amount_minor, i.currency, i.end_to_end_id, i.remittance,
                str(i.account_id), str(i.movement_id), str(i.own_account_id),
                sorted((i.sweep_lines or {}).items()),
            ]
            for i in items
        ),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()


def describe(batch: PayoutBatch, items: Sequence[PayoutItem]) -> None:
    """Write count, sum and hash of ``items`` on the batch."""
    batch.item_count = len(items)
    batch.total_minor = sum(i.amount_minor for i in items)
    batch.content_hash = hash_of(batch, items)


async def accounts_of(
    session: AsyncSession, items: Sequence[PayoutItem]
) -> dict[uuid.UUID, PayoutAccount]:
    """The payees' accounts, locked against a change while the batch moves on."""
    ids = [i.account_id for i in items if i.account_id is not None]
    rows = await session.execute(
        select(PayoutAccount)
        .where(PayoutAccount.id.in_(ids))
        .order_by(PayoutAccount.id)
        .with_for_update(read=True)
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in rows.scalars()}


async def current_account(session: AsyncSession, account_id: uuid.UUID) -> uuid.UUID:
    """The account that is in force for the consumer of ``account_id``."""
    known = await session.get_one(PayoutAccount, account_id)
    row = await session.execute(
        select(PayoutAccount.id).where(
            PayoutAccount.consumer_id == known.consumer_id, PayoutAccount.retired_at.is_(None)
        )
    )
    return row.scalar_one()


async def payee_of(
    session: AsyncSession,
    item: PayoutItem,
    accounts: dict[uuid.UUID, PayoutAccount],
    reveal: Reveal,
) -> Payee:
    """Who is paid: the consumer's account, the payer's own, or ours."""
    if item.account_id is not None:
        return await reveal(accounts[item.account_id])
    if item.movement_id is not None:
        return await reveal(await session.get_one(Movement, item.movement_id))
    assert item.own_account_id is not None, "a sweep names our account"
    own = await session.get_one(BankAccount, item.own_account_id)
    return Payee(own.holder, own.number)


def reserve(item: PayoutItem, batch: PayoutBatch, actor: str, at: datetime) -> list[Posting]:
    """Row 5 (4 for a sweep, 16 for a return): the money is set apart for this payment."""
    key = reserve_key(item, batch.version)
    if item.kind == "sweep":
        return [
            _posting(item, "sweep_reserved", f"{key}:{case}", minor, actor, at, case=case)
            for case, minor in sorted((item.sweep_lines or {}).items())
        ]
    kind = "payout_approved" if item.kind == "consumer" else "payer_return_approved"
    return [_posting(item, kind, key, item.amount_minor, actor, at)]


def reserve_key(item: PayoutItem, version: int) -> str:
    """The key of a reservation: an item may be approved, reopened and approved again."""
    return f"payout:{item.id}:approved:{version}"


async def release(
    session: AsyncSession, item: PayoutItem, why: str, *, actor: str, at: datetime
) -> None:
    """Row 7: the money reserved for an item goes back to whom it belongs."""
    assert item.kind != "sweep", "a sweep's reservation is taken back case by case"
    kind = "payout_released" if item.kind == "consumer" else "payer_return_released"
    key = f"payout:{item.id}:{why}"
    await ledger.post(session, _posting(item, kind, key, item.amount_minor, actor, at))


async def void(session: AsyncSession, batch: PayoutBatch, *, actor: str, at: datetime) -> None:
    """Back to draft; what was reserved by the approval is released."""
    approved_version = batch.version if batch.state == "approved" else None
    items = await items_of(session, batch.id)
    batch.state, batch.checker = "draft", None
    batch.approved_at, batch.approved_hash = None, None
    batch.version += 1
    for item in items:
        item.state = "draft"
    await session.flush()
    if approved_version is None:
        return
    for item in items:
        if item.kind != "sweep":
            await release(session, item, f"released:{approved_version}", actor=actor, at=at)
            continue
        for case in sorted(item.sweep_lines or {}):
            key = f"{reserve_key(item, approved_version)}:{case}"
            await ledger.reverse(
                session, key, reversal_key=f"undo:{key}", effective_on=at.date(), at=at,
                actor=actor,
            )  # fmt: skip


def _posting(
    item: PayoutItem,
    kind: str,
    key: str,
    minor: int,
    actor: str,
    at: datetime,
    *,
    case: str | None = None,
) -> Posting:
    return Posting(
        kind=kind, key=key, currency=item.currency, amounts={"amount": minor},
        subs={
            "item": str(item.id), "case": case or str(item.case_id),
            "claimant": str(item.claimant_id), "movement": str(item.movement_id),
        },
        effective_on=at.date(), at=at, actor=actor, case_id=item.case_id,
    )  # fmt: skip
