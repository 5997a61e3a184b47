"""How Alembic reaches the database: one advisory lock, and timeouts on locks and statements.

Two deployments that migrate at once take turns; a migration that would wait long for a
table lock gives up instead of stopping everyone behind it. Run through ``recourse migrate``
(``ops/migrations.py``) or plain ``alembic``.
"""

import asyncio

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

import app.tables  # noqa: F401  # registers every table with Base.metadata
from app.settings import ASYNC_DRIVER, get_settings
from app.tables.base import Base

MIGRATION_LOCK_KEY = 0x5265_636F_7572_7365  # "Recourse" in ASCII; one lock per database
LOCK_TIMEOUT = "5s"  # a hot table must not be queued behind us for longer
STATEMENT_TIMEOUT = "60s"  # long rewrites belong into batches, not into a migration


def database_url() -> str:
    """The address handed in by the caller, else the one of the settings."""
    given = context.config.attributes.get("database_url")
    url = str(given) if given else get_settings().database_url
    if url.startswith("postgresql://"):
        return ASYNC_DRIVER + url.removeprefix("postgresql://")
    return url


def migrate(connection: Connection) -> None:
    """Run the revisions on this connection, alone, each in its own transaction."""
    connection.execute(text(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'"))
    connection.execute(text(f"SELECT pg_advisory_lock({MIGRATION_LOCK_KEY})"))
    lock_timeout = context.config.attributes.get("lock_timeout", LOCK_TIMEOUT)
    connection.execute(text(f"SET lock_timeout = '{lock_timeout}'"))
    connection.commit()  # the lock and the timeouts belong to the session and stay
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        compare_server_default=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_online() -> None:
    engine = create_async_engine(database_url(), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(migrate)
            await connection.commit()
    finally:
        await engine.dispose()  # closing the session gives the advisory lock back


def run_offline() -> None:
    """``alembic upgrade --sql``: print what would run."""
    context.configure(url=database_url(), target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    run_offline()
else:
    asyncio.run(run_online())
