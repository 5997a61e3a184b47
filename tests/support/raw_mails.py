"""Mails as they lie in the database, opened."""

from __future__ import annotations

from sqlalchemy import text

from app.correspondence.sealed_raw import open_raws
from app.crypto import BLIND_INDEX, Keyring, derive
from app.db import Database
from tests.conftest import TEST_SECRET

KEYRING = Keyring(
    {"derived": derive(TEST_SECRET, "kek")}, "derived", derive(TEST_SECRET, BLIND_INDEX)
)


async def raw_mails(database: Database, keyring: Keyring = KEYRING) -> list[bytes]:
    """The bytes of every stored mail, oldest first; each must lie sealed."""
    async with database.read() as session:
        rows = (
            await session.execute(text("SELECT id, raw, raw_sealed FROM inbound ORDER BY id"))
        ).all()
        assert all(row.raw_sealed for row in rows)
        raws = await open_raws(session, keyring, rows)
    found = [raws[row.id] for row in rows]
    assert all(isinstance(one, bytes) for one in found), "each opens"
    return [one for one in found if isinstance(one, bytes)]
