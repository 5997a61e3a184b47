"""What came from outside about money, sealed under a key of its own per file.

A bank's file speaks of many people at once, so no one person's key can hold it; it is a voucher of
the books, kept until its term ends and then forgotten by destroying its one key
(docs/decisions/0029). The accounts of payers read from a file are sealed under the same key.
"""

from __future__ import annotations

import asyncio
import uuid
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import BinaryIO, Final

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
PLAIN: Final = "none"
ZLIB: Final = "zlib"
_CHUNK: Final = 1024 * 1024


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
    digest = sha256(raw).hexdigest()
    return await _keep(
        session, keyring, raw, digest, PLAIN, provider=provider, external_id=external_id, at=at
    )


async def keep_file(
    session: AsyncSession, keyring: Keyring, source: BinaryIO, *, provider: str, at: datetime
) -> KeptFile:
    """The same for a file, which is named by its hash; packed, as a day of 100,000 lines has 80 MB
    of XML and 5 MB of content."""
    digest = await asyncio.to_thread(_digest, source)
    stored = await session.scalar(
        select(ExternalEvent.id).where(
            ExternalEvent.provider == provider, ExternalEvent.external_id == digest
        )
    )
    if stored is not None:
        return KeptFile(stored, digest, await open_cipher(session, keyring, stored))
    packed = await asyncio.to_thread(_pack, source)
    return await _keep(
        session, keyring, packed, digest, ZLIB, provider=provider, external_id=digest, at=at
    )


def _chunks(source: BinaryIO) -> Iterator[bytes]:
    source.seek(0)
    while chunk := source.read(_CHUNK):
        yield chunk
    source.seek(0)


def _digest(source: BinaryIO) -> str:
    digest = sha256()
    for chunk in _chunks(source):
        digest.update(chunk)
    return digest.hexdigest()


def _pack(source: BinaryIO) -> bytes:
    packer = zlib.compressobj(1)
    return b"".join([*map(packer.compress, _chunks(source)), packer.flush()])


async def _keep(
    session: AsyncSession,
    keyring: Keyring,
    content: bytes,
    digest: str,
    packing: str,
    *,
    provider: str,
    external_id: str,
    at: datetime,
) -> KeptFile:
    event_id = new_id()
    cipher, key = data_key_row(keyring, event_id, at)
    fresh = await session.scalar(
        insert_or_skip(ExternalEvent)
        .values(
            id=event_id, provider=provider, external_id=external_id,
            raw_cipher=cipher.seal(content, column=RAW_COLUMN, row_id=event_id),
            packing=packing, sha256=digest, received_at=at,
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
    content = cipher.open(event.raw_cipher, column=RAW_COLUMN, row_id=event_id)
    return zlib.decompress(content) if event.packing == ZLIB else content


async def open_file(session: AsyncSession, keyring: Keyring, event_id: uuid.UUID) -> KeptFile:
    """A file that was kept before. NotFound, DataErased."""
    event = await session.get_one(ExternalEvent, event_id)
    return KeptFile(event_id, event.sha256, await open_cipher(session, keyring, event_id))


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
