"""Documents from before the store sealed them: each is sealed for everybody whose row names it, and
only then removed from where it lies in the clear. Interrupted and begun again it does no harm."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text

from app.clock import wall_now
from app.crypto import DataErased, Keyring
from app.db import Database
from app.documents.keys import key_of, key_to_write
from app.documents.sealing import DocumentKey
from app.documents.store import ObjectStore

BATCH: Final = 500
# Who a stored file belongs to; `one`: a single subject, who gets a key if there never was one.
_OWNERS: Final = text("""
    SELECT e.sha256, ARRAY[c.consumer_id] AS subjects, true AS one
      FROM evidence e JOIN cases c ON c.id = e.case_id WHERE e.sha256 = ANY(:digests)
     UNION ALL
    SELECT a.sha256, ARRAY[a.inbound_id], true FROM attachments a WHERE a.sha256 = ANY(:digests)
     UNION ALL
    SELECT d.sha256, ARRAY[p.consumer_id], true
      FROM mandate_documents d JOIN mandates m ON m.id = d.mandate_id
      JOIN claimants p ON p.id = m.claimant_id WHERE d.sha256 = ANY(:digests)
     UNION ALL
    SELECT v.sha256, v.sealed_for, false FROM letter_versions v WHERE v.sha256 = ANY(:digests)
     UNION ALL
    SELECT l.sha256, '{}', false FROM letters l
     WHERE l.sha256 = ANY(:digests)
       AND NOT EXISTS (SELECT FROM letter_versions v WHERE v.letter_id = l.id
                          AND v.sha256 = l.sha256)
""")


@dataclass
class Sealed:
    """`sealed`: now under their keys; `forgotten`: their key was destroyed before, so the bytes are
    removed; `left`: nobody is known whose key it could be."""

    sealed: int = 0
    forgotten: int = 0
    left: int = 0


async def seal_old(database: Database, store: ObjectStore, keyring: Keyring) -> Sealed:
    done = Sealed()
    async for digests in _batches(store):
        async with database.read() as session:
            rows = (await session.execute(_OWNERS, {"digests": digests})).all()
        owners: dict[str, list[Any]] = defaultdict(list)
        for row in rows:
            owners[row.sha256].append(row)
        for digest in digests:
            await _settle(database, store, keyring, digest, owners[digest], done)
    return done


async def _batches(store: ObjectStore) -> AsyncIterator[list[str]]:
    held: list[str] = []
    async for digest in store.unsealed():
        held.append(digest)
        if len(held) >= BATCH:
            yield held
            held = []
    if held:
        yield held


async def _settle(
    database: Database,
    store: ObjectStore,
    keyring: Keyring,
    digest: str,
    owners: Sequence[Any],
    done: Sealed,
) -> None:
    keys: list[DocumentKey] = []
    for row in owners:
        try:
            key = await _key(database, keyring, row)
        except DataErased:
            continue  # theirs is gone already; the others' is sealed for them
        if key is None:
            done.left += 1
            return
        keys.append(key)
    if not owners:
        done.left += 1
        return
    for key in keys:
        await store.seal_old(digest, key)
    await store.drop_old(digest)
    done.sealed += bool(keys)
    done.forgotten += not keys


async def _key(database: Database, keyring: Keyring, row: Any) -> DocumentKey | None:
    async with database.transaction() as session:
        if row.one:
            return await key_to_write(session, keyring, row.subjects[0], wall_now())
        return await key_of(session, keyring, row.subjects)
