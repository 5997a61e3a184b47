"""What came from outside about money, sealed under a key of its own per file.

A bank's file speaks of many people at once, so no one person's key can hold it; it is a voucher of
the books, kept until its term ends and then forgotten by destroying its one key
(docs/decisions/0029). The accounts of payers read from a file are sealed under the same key.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as insert_or_skip
from sqlalchemy.ext.asyncio import AsyncSession

from app.crypto import DataErased, Keyring, SubjectCipher
from app.ids import new_id
from app.tables.banking import BankStatement, ExternalEvent, Movement
from app.tables.security import DataKey
from app.vault import data_key_row, open_cipher, open_ciphers

RAW_COLUMN: Final = "external_events.raw_cipher"
PAYER_COLUMN: Final = "movements.payer_account_cipher"


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A stored file: the hash of its plain bytes and the cipher of what is read from it."""

    id: uuid.UUID
    sha256: str
    cipher: SubjectCipher

    def seal_account(self, number: str | None, movement_id: uuid.UUID) -> bytes | None:
        if number is None:
            return None
        return self.cipher.encrypt(number, column=PAYER_COLUMN, row_id=movement_id)


async def keep_event(
    session: AsyncSession,
    keyring: Keyring,
    raw: bytes,
    *,
    provider: str,
    external_id: str,
    at: datetime,
) -> KeptFile:
    """Store the bytes as they came, sealed; the same (provider, external_id) again is the same
    file and changes nothing. DataErased when its key was destroyed after its term."""
    event_id, digest = new_id(), sha256(raw).hexdigest()
    cipher, key = data_key_row(keyring, event_id, at)
    fresh = await session.scalar(
        insert_or_skip(ExternalEvent)
        .values(
            id=event_id, provider=provider, external_id=external_id,
            raw_cipher=cipher.seal(raw, column=RAW_COLUMN, row_id=event_id),
            sha256=digest, received_at=at,
        )
        .on_conflict_do_nothing(index_elements=["provider", "external_id"])
        .returning(ExternalEvent.id)
    )  # fmt: skip
    if fresh is not None:
        await session.execute(insert(DataKey).values(**key))
        return KeptFile(event_id, digest, cipher)
    stored = await session.scalar(
        select(ExternalEvent.id).where(
            ExternalEvent.provider == provider, ExternalEvent.external_id == external_id
        )
    )
    assert stored is not None, "the row that stood in the way is there"
    return KeptFile(stored, digest, await open_cipher(session, keyring, stored))


async def read_event(session: AsyncSession, keyring: Keyring, event_id: uuid.UUID) -> bytes:
    """The bytes as they came. NotFound, DataErased."""
    event = await session.get_one(ExternalEvent, event_id)
    cipher = await open_cipher(session, keyring, event_id)
    return cipher.open(event.raw_cipher, column=RAW_COLUMN, row_id=event_id)


async def payer_accounts(
    session: AsyncSession, keyring: Keyring, movement_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, str]:
    """The accounts that these receipts came from, in clear, for a payment back. DataErased."""
    rows = (
        await session.execute(
            select(Movement.id, Movement.payer_account_cipher, BankStatement.external_event_id)
            .join(BankStatement, BankStatement.id == Movement.statement_id)
            .where(Movement.id.in_(movement_ids), Movement.payer_account_cipher.is_not(None))
        )
    ).all()
    ciphers = await open_ciphers(session, keyring, {row.external_event_id for row in rows})
    found = {}
    for row in rows:
        cipher = ciphers[row.external_event_id]
        if cipher is None:
            raise DataErased("the bank's file was forgotten after its term")
        found[row.id] = cipher.decrypt(row.payer_account_cipher, column=PAYER_COLUMN, row_id=row.id)
    return found
