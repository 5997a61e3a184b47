"""The data keys of subjects in the database: make, open, destroy, wrap anew."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_skip
from sqlalchemy.ext.asyncio import AsyncSession

from app.crypto import DataErased, Keyring, SubjectCipher
from app.domain.errors import NotFound
from app.tables.security import DataKey

REWRAP_BATCH = 500


def data_key_row(
    keyring: Keyring, subject_id: UUID, at: datetime
) -> tuple[SubjectCipher, dict[str, object]]:
    """A new subject's cipher and the row of `data_keys`, for callers that insert many at once."""
    cipher, wrapped = keyring.new_cipher(subject_id)
    return cipher, {
        "subject_id": subject_id,
        "key_id": keyring.active,
        "wrapped": wrapped,
        "created_at": at,
    }


async def create_cipher(
    session: AsyncSession, keyring: Keyring, subject_id: UUID, *, at: datetime
) -> SubjectCipher:
    cipher, row = data_key_row(keyring, subject_id, at)
    await session.execute(insert(DataKey).values(**row))
    return cipher


async def keep_cipher(
    session: AsyncSession, keyring: Keyring, subject_id: UUID, *, at: datetime
) -> SubjectCipher | None:
    """The cipher of a subject, made where there never was one; None where it was destroyed. Who
    comes second finds the first one's."""
    _, row = data_key_row(keyring, subject_id, at)
    await session.execute(insert_or_skip(DataKey).values(**row).on_conflict_do_nothing())
    return (await open_ciphers(session, keyring, [subject_id]))[subject_id]


async def open_cipher(session: AsyncSession, keyring: Keyring, subject_id: UUID) -> SubjectCipher:
    """The cipher of one subject. Raises NotFound, DataErased, KeyMissing, CiphertextRefused."""
    ciphers = await open_ciphers(session, keyring, [subject_id])
    cipher = ciphers.get(subject_id)
    if cipher is None:
        raise DataErased("this person's data has been erased")
    return cipher


async def open_ciphers(
    session: AsyncSession, keyring: Keyring, subject_ids: Iterable[UUID]
) -> dict[UUID, SubjectCipher | None]:
    """Ciphers of many subjects with one query; None where the key was destroyed."""
    wanted = set(subject_ids)
    rows = await session.execute(
        select(DataKey.subject_id, DataKey.wrapped).where(DataKey.subject_id.in_(wanted))
    )
    found = {
        row.subject_id: keyring.cipher(row.subject_id, row.wrapped) if row.wrapped else None
        for row in rows
    }
    if len(found) != len(wanted):
        raise NotFound("no data key for this person", code="data_key_not_found")
    return found


async def destroy_key(session: AsyncSession, subject_id: UUID, *, at: datetime) -> bool:
    """Erasure: afterwards no field of this subject can be read. True when there was a key.

    The row stays as a mark, so that erased is told from unknown and a restored backup can be
    cleaned again.
    """
    done = await session.execute(
        update(DataKey)
        .where(DataKey.subject_id == subject_id, DataKey.wrapped.is_not(None))
        .values(wrapped=None, destroyed_at=at)
        .returning(DataKey.subject_id)
    )
    return done.first() is not None


async def rewrap_keys(session: AsyncSession, keyring: Keyring, *, limit: int = REWRAP_BATCH) -> int:
    """Wraps up to `limit` data keys under the active KEK; returns how many. Repeat until 0.

    Fields are not touched: only their data keys were wrapped with the old KEK. When it returns 0
    the old KEK may leave the key file.
    """
    rows = (
        await session.execute(
            select(DataKey.subject_id, DataKey.wrapped)
            .where(DataKey.key_id != keyring.active, DataKey.wrapped.is_not(None))
            .order_by(DataKey.subject_id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    ).all()
    for subject_id, wrapped in rows:
        assert wrapped is not None, "destroyed keys are left out by the query"
        plain = keyring.unwrap(wrapped, subject_id=subject_id)
        await session.execute(
            update(DataKey)
            .where(DataKey.subject_id == subject_id)
            .values(wrapped=keyring.wrap(plain, subject_id=subject_id), key_id=keyring.active)
        )
    return len(rows)
