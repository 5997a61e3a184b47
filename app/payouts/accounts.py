"""Where a consumer's money goes. An account is never changed: a new one retires the old.

The fields arrive encrypted; this module never sees a number in the clear.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import exists, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.errors import Conflict
from app.payouts.batches import void_for_account
from app.tables.banking import RecoveryLine
from app.tables.cases import ClaimantRow
from app.tables.payouts import PayoutAccount

# A thief who takes over a mailbox changes the account first: the owner gets two days to object.
CHANGE_HOLD: Final = timedelta(hours=48)


@dataclass(frozen=True, slots=True, repr=False)
class NewAccount:
    """An account as it will be stored. ``iban_*`` hold the IBAN on rail ``sepa``; on other rails
    ``iban_cipher`` holds that rail's fields and the index and tail may be missing."""

    id: uuid.UUID
    consumer_id: uuid.UUID
    rail: str
    country: str
    currency: str
    iban_cipher: bytes
    holder_cipher: bytes
    iban_index: bytes | None
    iban_last4: str | None
    added_by: str


@dataclass(frozen=True, slots=True)
class AccountDone:
    """The account as it now stands; ``voided_batches`` lost their approval by the change."""

    id: uuid.UUID
    consumer_id: uuid.UUID
    version: int
    rail: str
    usable_from: datetime
    voided_batches: tuple[uuid.UUID, ...]


async def set_account(session: AsyncSession, new: NewAccount, *, at: datetime) -> AccountDone:
    """Store an account and retire the one before.

    The first account, given before any money came for this consumer, may be paid at once; every
    other one only after ``CHANGE_HOLD``. A batch that was approved but not exported with the old
    account loses its approval. Two that arrive at the same moment take turns.
    """
    # The first account of a person has no row to lock yet, so their id is locked instead.
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:consumer, 0))"),
        {"consumer": str(new.consumer_id)},
    )
    current = (
        await session.execute(
            select(PayoutAccount)
            .where(PayoutAccount.consumer_id == new.consumer_id, PayoutAccount.retired_at.is_(None))
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).scalar_one_or_none()
    if current is not None and current.id == new.id:
        return AccountDone(
            current.id, current.consumer_id, current.version, current.rail, current.usable_from, ()
        )
    voided: tuple[uuid.UUID, ...] = ()
    if current is not None:
        voided = await void_for_account(session, current.id, actor=new.added_by, at=at)
        current.retired_at = at
        await session.flush()
    held = current is not None or await _has_money(session, new.consumer_id)
    row = PayoutAccount(
        id=new.id, consumer_id=new.consumer_id,
        version=await _next_version(session, new.consumer_id), rail=new.rail,
        country=new.country, currency=new.currency, iban_cipher=new.iban_cipher,
        iban_index=new.iban_index, iban_last4=new.iban_last4, holder_cipher=new.holder_cipher,
        added_by=new.added_by, added_at=at, usable_from=at + CHANGE_HOLD if held else at,
        retired_at=None,
    )  # fmt: skip
    session.add(row)
    try:
        await session.flush()
    except IntegrityError as error:
        if "uq_payout_accounts" not in str(error.orig):
            raise
        raise Conflict("The account was just changed by someone else.", code="account_race") from (
            error
        )
    return AccountDone(row.id, row.consumer_id, row.version, row.rail, row.usable_from, voided)


async def _has_money(session: AsyncSession, consumer_id: uuid.UUID) -> bool:
    found = await session.execute(
        select(
            exists().where(
                RecoveryLine.claimant_id == ClaimantRow.id, ClaimantRow.consumer_id == consumer_id
            )
        )
    )
    return bool(found.scalar())


async def _next_version(session: AsyncSession, consumer_id: uuid.UUID) -> int:
    last = await session.execute(
        select(func.max(PayoutAccount.version)).where(PayoutAccount.consumer_id == consumer_id)
    )
    return int(last.scalar() or 0) + 1


async def same_account_elsewhere(
    session: AsyncSession, iban_index: bytes, consumer_id: uuid.UUID, *, limit: int = 20
) -> list[uuid.UUID]:
    """Other consumers who gave the same account: one IBAN for many people is a warning sign."""
    rows = await session.execute(
        select(PayoutAccount.consumer_id)
        .where(PayoutAccount.iban_index == iban_index, PayoutAccount.consumer_id != consumer_id)
        .distinct()
        .limit(limit)
    )
    return list(rows.scalars())
