"""A bank's file is forgotten after its term, and not a day before, and not while money waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from obstore.store import LocalStore
from sqlalchemy import insert, text

from app.banking.files import read_event
from app.clock import wall_now
from app.crypto import DataErased
from app.db import Database
from app.documents.store import ObjectStore
from app.tables.people import AgencyProfileRow
from tests.banking.desk import KEYRING, Desk
from workers.housekeeping import Housekeeper

_FILES = text("SELECT id, sha256 FROM external_events ORDER BY received_at")


async def test_files_whose_term_is_over_are_forgotten(database: Database, tmp_path: Path) -> None:
    now = wall_now()
    due = datetime(now.year - 7, 12, 31, 12, tzinfo=UTC)  # six years from the end of its year
    async with database.transaction() as session:
        await session.execute(insert(AgencyProfileRow).values(
            version=1, profile={"country": "FI", "zone": "Europe/Helsinki"}, effective_at=now,
            set_by="test",
        ))  # fmt: skip
    desk = await Desk(database, at=due - timedelta(days=9)).open()
    await desk.received(10_000)  # nobody has found its case
    desk.at = due
    await desk.bank()
    desk.at = due + timedelta(hours=12)  # the next year in Helsinki
    await desk.bank()
    async with database.read() as session:
        waits, over, young = (await session.execute(_FILES)).all()
    keeper = Housekeeper(database, ObjectStore(LocalStore(prefix=tmp_path)))
    await keeper.once()
    await keeper.once()
    async with database.read() as session:
        with pytest.raises(DataErased):
            await read_event(session, KEYRING, over.id)
        for kept in (waits, young):
            assert b"<Stmt>" in await read_event(session, KEYRING, kept.id)
        told = (await session.execute(text(
            "SELECT params FROM audit_entries WHERE code = 'bank_file_forgotten'"
        ))).scalars().all()  # fmt: skip
    assert [(one["sha256"], one["kept_until"]) for one in told] == [
        (over.sha256, f"{now.year - 1}-12-31")
    ]
