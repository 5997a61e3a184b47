"""The round that anchors the history outside the database and lets go of what is old."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from obstore.store import LocalStore
from sqlalchemy import insert, text

from app import audit
from app.audit_check import anchor_key, verify
from app.clock import wall_now
from app.db import Database
from app.documents.store import ObjectStore
from app.tables.people import AgencyProfileRow
from tests.support.agency import licence
from workers.housekeeping import Housekeeper


async def _write_history(database: Database, code: str) -> None:
    async with database.transaction() as session:
        await audit.append(
            session, stream=audit.SYSTEM, code=code, params={}, actor="system", at=wall_now()
        )


async def test_a_round_anchors_the_history_outside_the_database(
    database: Database, tmp_path: Path
) -> None:
    store = ObjectStore(LocalStore(prefix=tmp_path))
    await _write_history(database, "something_happened")
    keeper = Housekeeper(database, store)
    await keeper.once()
    assert keeper.anchored == 1
    assert await store.get_named(anchor_key(1)) is not None
    async with database.read() as session:
        report = await verify(session, store.get_named)
    assert report.sound and report.anchors == 1


async def test_a_round_without_news_takes_no_anchor(database: Database, tmp_path: Path) -> None:
    store = ObjectStore(LocalStore(prefix=tmp_path))
    await _write_history(database, "something_happened")
    keeper = Housekeeper(database, store)
    await keeper.once()
    await keeper.once()
    assert keeper.anchored == 1


async def test_a_history_cut_off_behind_the_anchor_is_found(
    database: Database, tmp_path: Path
) -> None:
    store = ObjectStore(LocalStore(prefix=tmp_path))
    await _write_history(database, "first")
    await _write_history(database, "second")
    await Housekeeper(database, store).once()
    async with database.transaction() as session:
        await session.execute(text("ALTER TABLE audit_entries DISABLE TRIGGER ALL"))
        await session.execute(text("DELETE FROM audit_entries WHERE seq = 2"))
        await session.execute(
            text(
                "UPDATE audit_heads SET audit_seq = 1, audit_head ="
                " (SELECT hash FROM audit_entries WHERE seq = 1)"
            )
        )
    async with database.read() as session:
        report = await verify(session, store.get_named)
    assert not report.sound


async def test_legal_is_told_once_per_band_that_a_licence_ends(
    database: Database, tmp_path: Path
) -> None:
    keeper = Housekeeper(database, ObjectStore(LocalStore(prefix=tmp_path)))
    last = (wall_now() + timedelta(days=20)).date()
    profile = {"licences": [licence("FI", valid_until=last.isoformat(), insurer=None)]}
    async with database.transaction() as session:
        await session.execute(
            insert(AgencyProfileRow).values(
                version=1, profile=profile, effective_at=wall_now(), set_by="test"
            )
        )
    await keeper.once()
    await keeper.once()
    async with database.read() as session:
        rows = (await session.execute(text("SELECT role, key, priority_reason FROM tasks"))).all()
    assert [tuple(row) for row in rows] == [
        ("legal", f"FI:FI-1:licence:{last}:30", f"licence_ending:licence FI-1, {last}")
    ]
    renewed = {"licences": [licence("FI", insurer=None)]}
    async with database.transaction() as session:
        await session.execute(
            insert(AgencyProfileRow).values(
                version=2, profile=renewed, effective_at=wall_now(), set_by="test"
            )
        )
    await keeper.once()
    async with database.read() as session:
        states = (await session.execute(text("SELECT state, closed_by FROM tasks"))).all()
    assert [tuple(row) for row in states] == [("done", "system")]
