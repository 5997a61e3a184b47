"""Lanes: databases of their own for trials side by side, and one outside world for all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from app.db import Database
from app.ids import new_id
from app.settings import Settings
from ops import migrations
from tests.chaos.outside import Outside
from tests.chaos.programme import Lane
from tests.support.databases import Databases, in_thread
from tests.workers.stage import COMPANY_POST, install


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    world = Outside(tmp_path / "outside.log")
    world.start()
    yield world
    world.stop()


@pytest.fixture
async def make_lane(
    databases: Databases, settings: Settings, outside: Outside, tmp_path: Path
) -> AsyncIterator[Callable[..., object]]:
    """`await make_lane(lease_seconds=1.0)`: a fresh database with an agency and two companies."""
    async with AsyncExitStack() as stack:

        async def make(**values: object) -> Lane:
            url = databases.take()
            stack.callback(databases.give_back, url)
            return await _lane(stack, url, settings, outside, tmp_path, **values)

        yield make


@pytest.fixture
async def make_lane_on(
    settings: Settings, outside: Outside, tmp_path: Path
) -> AsyncIterator[Callable[..., object]]:
    """`await make_lane_on(server_url)`: the same on a server of the test's own."""
    async with AsyncExitStack() as stack:

        async def make(server_url: str) -> Lane:
            in_thread(lambda: migrations.upgrade(server_url))
            return await _lane(stack, server_url, settings, outside, tmp_path)

        yield make


async def _lane(
    stack: AsyncExitStack,
    url: str,
    settings: Settings,
    outside: Outside,
    folder: Path,
    **values: object,
) -> Lane:
    database = Database(url, pool_size=4)
    stack.push_async_callback(database.close)
    quick = {
        "database_url": database.url, "lease_seconds": 1.0, "sweep_seconds": 0.1,
        "database_pool_size": 6, "providers": "fake", "redis_url": None, "data_dir": folder,
    }  # fmt: skip
    lane = Lane(database, settings.model_copy(update=quick | values), outside, folder / "bank")
    lane.stack = stack
    lane.companies = {"mail": await install(database), "post": await _post_only(database)}
    return lane


async def _post_only(database: Database) -> UUID:
    """A second company that has no e-mail address."""
    company = new_id()
    async with database.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO companies SELECT (jsonb_populate_record(m, jsonb_build_object("
                "'id', CAST(:id AS text), 'legal_name', 'Postal plc', 'brand', 'Postal'))).*"
                " FROM companies m LIMIT 1"
            ),
            {"id": str(company)},
        )
        await session.execute(
            text(
                "INSERT INTO channels SELECT (jsonb_populate_record(h, jsonb_build_object("
                "'id', CAST(:id AS text), 'company_id', CAST(:company AS text),"
                " 'address', CAST(:address AS text)))).* FROM channels h"
                " WHERE h.kind = 'post' LIMIT 1"
            ),
            {"id": str(new_id()), "company": str(company), "address": COMPANY_POST},
        )
    return company
