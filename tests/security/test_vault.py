"""Data keys in the database: erasure and rotation."""

from __future__ import annotations

import secrets
from uuid import uuid4

import pytest
from sqlalchemy import text

from app.clock import wall_now
from app.crypto import DataErased, KeyMissing, Keyring
from app.db import Database
from app.domain.errors import NotFound
from app.vault import create_cipher, destroy_key, open_cipher, open_ciphers, rewrap_keys

COLUMN = "consumers.address_cipher"


def keyring(*ids: str) -> Keyring:
    return Keyring({i: secrets.token_bytes(32) for i in ids}, ids[0], secrets.token_bytes(32))


async def test_destroying_one_key_erases_one_person(database: Database) -> None:
    ring, gone, stays = keyring("k1"), uuid4(), uuid4()
    async with database.transaction() as session:
        stored = {
            s: (await create_cipher(session, ring, s, at=wall_now())).encrypt(
                "Mannerheimintie 1", column=COLUMN, row_id=s
            )
            for s in (gone, stays)
        }
    async with database.transaction() as session:
        assert await destroy_key(session, gone, at=wall_now())
        assert not await destroy_key(session, gone, at=wall_now())
    async with database.read() as session:
        with pytest.raises(DataErased):
            await open_cipher(session, ring, gone)
        cipher = await open_cipher(session, ring, stays)
        assert cipher.decrypt(stored[stays], column=COLUMN, row_id=stays) == "Mannerheimintie 1"
        both = await open_ciphers(session, ring, [gone, stays])
        assert (both[gone] is None, both[stays] is None) == (True, False)


async def test_an_unknown_subject_is_told_from_an_erased_one(database: Database) -> None:
    async with database.read() as session:
        with pytest.raises(NotFound) as caught:
            await open_cipher(session, keyring("k1"), uuid4())
    assert caught.value.code == "data_key_not_found"


async def test_rewrapping_moves_every_key_to_the_new_kek_and_fields_stay(
    database: Database,
) -> None:
    old = keyring("k1")
    subjects = [uuid4() for _ in range(7)]
    async with database.transaction() as session:
        stored = {
            s: (await create_cipher(session, old, s, at=wall_now())).encrypt(
                "x", column=COLUMN, row_id=s
            )
            for s in subjects
        }
        await destroy_key(session, subjects[0], at=wall_now())
    both = Keyring({"k2": secrets.token_bytes(32), **old.keys}, "k2", old.index_key)
    new_only = Keyring({"k2": both.keys["k2"]}, "k2", old.index_key)
    async with database.read() as session:
        with pytest.raises(KeyMissing):
            await open_cipher(session, new_only, subjects[1])
    counts = []
    while True:
        async with database.transaction() as session:
            counts.append(await rewrap_keys(session, both, limit=4))
        if counts[-1] == 0:
            break
    assert counts == [4, 2, 0]
    async with database.read() as session:
        for subject in subjects[1:]:
            cipher = await open_cipher(session, new_only, subject)
            assert cipher.decrypt(stored[subject], column=COLUMN, row_id=subject) == "x"


async def test_no_plain_key_stands_in_the_database(database: Database) -> None:
    ring, subject = keyring("k1"), uuid4()
    async with database.transaction() as session:
        await create_cipher(session, ring, subject, at=wall_now())
        row = (await session.execute(text("SELECT wrapped FROM data_keys"))).scalar_one()
    plain = ring.unwrap(bytes(row), subject_id=subject)
    assert len(plain) == 32
    assert plain not in bytes(row)
    assert ring.keys["k1"] not in bytes(row)
