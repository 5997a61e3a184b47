"""The bytes of a mail as it came, sealed under a key of its own whose subject is the mail.

A mail belongs to nobody yet when it is stored, and may speak of several people: so no person's key
can hold it. The files that hung on it are sealed under the same key (app.documents.keys). Mails
from before are read as they lie, in the clear (`raw_sealed` false).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import wall_now
from app.crypto import CryptoError, DataErased, Keyring, SubjectCipher
from app.db import Database
from app.vault import keep_cipher, open_ciphers

COLUMN: Final = "inbound.raw"
BATCH: Final = 50
_CLEAR: Final = text("""
    SELECT id, raw FROM inbound WHERE NOT raw_sealed AND raw <> ''::bytea AND state <> 'stored'
     ORDER BY id LIMIT :batch FOR UPDATE SKIP LOCKED
""")
_SEAL: Final = text("UPDATE inbound SET raw = :raw, raw_sealed = true WHERE id = :id")


class Raw(NamedTuple):
    """A mail's bytes as a row has them."""

    id: UUID
    raw: bytes | None
    raw_sealed: bool


def seal_raw(cipher: SubjectCipher, raw: bytes) -> bytes:
    return cipher.seal(raw, column=COLUMN, row_id=cipher.subject_id)


async def open_raws(
    session: AsyncSession, keyring: Keyring, rows: Sequence[Any]
) -> dict[UUID, bytes | DataErased | CryptoError]:
    """By id, of rows with `id`, `raw` and `raw_sealed`; what cannot be opened stops no other."""
    sealed = [row.id for row in rows if row.raw_sealed]
    ciphers = await open_ciphers(session, keyring, sealed) if sealed else {}
    return {row.id: _opened(row, ciphers.get(row.id)) for row in rows}


def _opened(row: Any, cipher: SubjectCipher | None) -> bytes | DataErased | CryptoError:
    raw = bytes(row.raw or b"")
    if not row.raw_sealed:
        return raw
    if cipher is None:
        return DataErased("the key of this mail has been destroyed")
    try:
        return cipher.open(raw, column=COLUMN, row_id=row.id)
    except CryptoError as refused:
        return refused


async def seal_old_mails(database: Database, keyring: Keyring) -> int:
    """Those that lie in the clear and have been read; how many were sealed. A mail whose key was
    destroyed is emptied. Interrupted and begun again it does no harm."""
    done = 0
    while True:
        async with database.transaction() as session:
            rows = (await session.execute(_CLEAR, {"batch": BATCH})).all()
            for row in rows:
                cipher = await keep_cipher(session, keyring, row.id, at=wall_now())
                raw = seal_raw(cipher, bytes(row.raw)) if cipher is not None else b""
                await session.execute(_SEAL, {"id": row.id, "raw": raw})
        done += len(rows)
        if len(rows) < BATCH:
            return done
