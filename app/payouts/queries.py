"""Reads about payouts: accounts (masked), what waits, batches with their items and holds."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.money import Money
from app.tables.payouts import PayoutAccount, PayoutBatch, PayoutItem

PAGE_MAX: Final = 200
ITEMS_MAX: Final = 10_000  # as many as a batch holds


@dataclass(frozen=True, slots=True)
class AccountView:
    """A payout account without its number."""

    id: uuid.UUID
    version: int
    rail: str
    country: str
    currency: str
    last4: str | None
    added_at: datetime
    usable_from: datetime


async def current_account(session: AsyncSession, consumer_id: uuid.UUID) -> AccountView | None:
    """The account in force for a consumer; None when none was given."""
    row = (
        await session.execute(
            select(PayoutAccount).where(
                PayoutAccount.consumer_id == consumer_id, PayoutAccount.retired_at.is_(None)
            )
        )
    ).scalar_one_or_none()
    if row is None:
        return None
    return AccountView(
        row.id, row.version, row.rail, row.country, row.currency, row.iban_last4, row.added_at,
        row.usable_from,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ItemView:
    """One payout. ``usable_from`` is when its account may be paid (None: not a consumer's)."""

    id: uuid.UUID
    kind: str
    state: str
    case_id: uuid.UUID | None
    claimant_id: uuid.UUID | None
    amount: Money
    account_last4: str | None
    usable_from: datetime | None
    end_to_end_id: str
    batch_id: uuid.UUID | None
    reason: str | None
    created_by: str
    created_at: datetime


async def items(
    session: AsyncSession,
    *,
    state: str | None = None,
    case_id: uuid.UUID | None = None,
    batch_id: uuid.UUID | None = None,
    after: uuid.UUID | None = None,
    limit: int = 50,
) -> list[ItemView]:
    """Payouts by state, case or batch, in the order they were made."""
    query = (
        select(PayoutItem, PayoutAccount.iban_last4, PayoutAccount.usable_from)
        .outerjoin(PayoutAccount, PayoutAccount.id == PayoutItem.account_id)
        .order_by(PayoutItem.id)
        .limit(min(limit, ITEMS_MAX))
    )
    if state is not None:
        query = query.where(PayoutItem.state == state)
    if case_id is not None:
        query = query.where(PayoutItem.case_id == case_id)
    if batch_id is not None:
        query = query.where(PayoutItem.batch_id == batch_id)
    if after is not None:
        query = query.where(PayoutItem.id > after)
    return [_item_view(*row) for row in await session.execute(query)]


async def item(session: AsyncSession, item_id: uuid.UUID) -> ItemView | None:
    """One payout; None when there is none."""
    row = (
        await session.execute(
            select(PayoutItem, PayoutAccount.iban_last4, PayoutAccount.usable_from)
            .outerjoin(PayoutAccount, PayoutAccount.id == PayoutItem.account_id)
            .where(PayoutItem.id == item_id)
            .execution_options(populate_existing=True)
        )
    ).one_or_none()
    return _item_view(*row) if row is not None else None


def _item_view(i: PayoutItem, last4: str | None, usable_from: datetime | None) -> ItemView:
    return ItemView(
        i.id, i.kind, i.state, i.case_id, i.claimant_id, Money(i.amount_minor, i.currency),
        last4, usable_from, i.end_to_end_id, i.batch_id, i.reason, i.created_by, i.created_at,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch for the list and the approval screen; ``version`` is its ETag."""

    id: uuid.UUID
    state: str
    execute_on: date
    item_count: int
    total: Money
    content_hash: str
    maker: str
    made_at: datetime
    checker: str | None
    approved_at: datetime | None
    exported_at: datetime | None
    file_sha256: str | None
    version: int


async def batches(
    session: AsyncSession,
    *,
    state: str | None = None,
    after: uuid.UUID | None = None,
    limit: int = 50,
) -> list[BatchView]:
    """Batches, oldest first; ``after`` is the last id of the page before."""
    query = select(PayoutBatch).order_by(PayoutBatch.id).limit(min(limit, PAGE_MAX))
    if state is not None:
        query = query.where(PayoutBatch.state == state)
    if after is not None:
        query = query.where(PayoutBatch.id > after)
    return [batch_view(row) for row in (await session.execute(query)).scalars()]


async def batch(session: AsyncSession, batch_id: uuid.UUID) -> BatchView | None:
    """One batch; None when there is none."""
    row = await session.get(PayoutBatch, batch_id, populate_existing=True)
    return batch_view(row) if row is not None else None


def batch_view(row: PayoutBatch) -> BatchView:
    """A row as people see it."""
    return BatchView(
        row.id, row.state, row.execute_on, row.item_count, Money(row.total_minor, row.currency),
        row.content_hash, row.maker, row.made_at, row.checker, row.approved_at, row.exported_at,
        row.file_sha256, row.version,
    )  # fmt: skip
