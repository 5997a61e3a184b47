"""The migrations build what the code expects, can be taken back, and do not queue up traffic."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError

from ops import migrations
from tests.support.databases import Databases

MIGRATION_LOCK_KEY = 0x5265_636F_7572_7365

# Everything we make, by kind and name; extensions and the system's own are not ours.
INVENTORY = """
    SELECT 'relation ' || relname FROM pg_class
     WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'm', 'S', 'i')
       AND relname NOT LIKE 'alembic_version%'
    UNION ALL
    SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
      FROM information_schema.columns
     WHERE table_schema = 'public' AND table_name <> 'alembic_version'
    UNION ALL
    SELECT 'function ' || proname FROM pg_proc p WHERE pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'trigger ' || tgname || ' on ' || tgrelid::regclass FROM pg_trigger
     WHERE NOT tgisinternal
    UNION ALL
    SELECT 'constraint ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
     WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version'
    ORDER BY 1
"""


@pytest.fixture
def empty_url(databases: Databases) -> Iterator[str]:
    url = databases.empty()
    yield url
    databases.give_back(url)


async def inventory(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        return [row[0] for row in await connection.fetch(INVENTORY)]
    finally:
        await connection.close()


def revisions() -> list[str]:
    script = ScriptDirectory.from_config(migrations.alembic_config())
    return [revision.revision for revision in reversed(list(script.walk_revisions()))]


async def test_up_from_empty_one_down_and_up_again(empty_url: str) -> None:
    await asyncio.to_thread(migrations.upgrade, empty_url)
    built = await inventory(empty_url)
    assert len(built) > 100
    await asyncio.to_thread(migrations.downgrade, empty_url, "-1")
    assert await inventory(empty_url) != built
    await asyncio.to_thread(migrations.upgrade, empty_url)
    assert await inventory(empty_url) == built


async def test_all_the_way_down_leaves_nothing(empty_url: str) -> None:
    await asyncio.to_thread(migrations.upgrade, empty_url)
    await asyncio.to_thread(migrations.downgrade, empty_url, "base")
    assert await inventory(empty_url) == []


async def test_the_tables_in_the_code_are_the_tables_in_the_database(database_url: str) -> None:
    await asyncio.to_thread(migrations.check, database_url)


def test_there_is_one_line_of_revisions() -> None:
    script = ScriptDirectory.from_config(migrations.alembic_config())
    assert len(script.get_heads()) == 1
    assert revisions()[0] == "0001"


async def test_a_migration_waits_for_another_one(empty_url: str) -> None:
    other = await asyncpg.connect(empty_url)
    await other.execute(f"SELECT pg_advisory_lock({MIGRATION_LOCK_KEY})")
    started = asyncio.create_task(asyncio.to_thread(migrations.upgrade, empty_url))
    waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    async with asyncio.timeout(10):
        while not await other.fetchval(waits):  # noqa: ASYNC110  # another session's event
            await asyncio.sleep(0.02)
    assert await inventory(empty_url) == []
    await other.close()
    await started
    assert len(await inventory(empty_url)) > 100


async def test_a_migration_gives_up_on_a_table_that_is_in_use(database_url: str) -> None:
    reader = await asyncpg.connect(database_url)
    async with reader.transaction():
        tables = await reader.fetchval(
            "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables"
            " WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        )
        await reader.execute(f"LOCK TABLE {tables} IN ACCESS SHARE MODE")
        impatient = migrations.alembic_config(database_url)
        impatient.attributes["lock_timeout"] = "100ms"
        with pytest.raises((DBAPIError, asyncpg.PostgresError), match="lock timeout"):
            await asyncio.to_thread(command.downgrade, impatient, "-1")
    await reader.close()
    await asyncio.to_thread(migrations.check, database_url)
