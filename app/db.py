"""The database and the only commit in the project.

`async with db.transaction() as session:` commits at the end or rolls back whole; everything else
may flush. Reads take `db.read()`, which the database itself refuses to write in.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

POOL_SIZE = 20
POOL_WAIT_SECONDS = (
    2  # a full pool answers 503 quickly instead of queueing callers for half a minute
)
STATEMENT_TIMEOUT_MS = 5_000
LOCK_TIMEOUT_MS = 3_000


class Database:
    """Two kinds of session, each on connections of its own, opened when first needed.

    `url` is a postgresql:// or postgresql+asyncpg:// address; `pool_size` holds for each kind.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = POOL_SIZE,
        statement_timeout_ms: int = STATEMENT_TIMEOUT_MS,
        lock_timeout_ms: int = LOCK_TIMEOUT_MS,
    ) -> None:
        self.url = async_url(url)
        server_settings = {
            "application_name": "recourse",
            "timezone": "UTC",
            "jit": "off",
            "statement_timeout": str(statement_timeout_ms),
            "lock_timeout": str(lock_timeout_ms),
            "idle_in_transaction_session_timeout": "60000",
        }
        self.engine = self._engine(pool_size, server_settings)
        # Readers need no BEGIN and ROLLBACK: at READ COMMITTED every statement sees its own
        # snapshot anyway, and two of three round trips are saved. The database itself refuses to
        # write on these connections.
        self.reading_engine = self._engine(
            pool_size,
            server_settings | {"default_transaction_read_only": "on"},
            isolation_level="AUTOCOMMIT",
        )
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self._readers = async_sessionmaker(self.reading_engine, expire_on_commit=False)
        # The pool itself hands a free connection to whoever asks first, not to whoever waits
        # longest; under load a caller could starve. A gate in front lets them in by turn.
        self._write_gate = asyncio.Semaphore(pool_size)
        self._read_gate = asyncio.Semaphore(pool_size)

    def _engine(
        self, pool_size: int, server_settings: dict[str, str], **options: str
    ) -> AsyncEngine:
        return create_async_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=POOL_WAIT_SECONDS,
            pool_pre_ping=False,
            pool_recycle=1800,
            connect_args={"timeout": 10, "server_settings": server_settings},
            **options,
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        async with in_turn(self._write_gate), self._sessions() as session:
            try:
                yield session
                await session.commit()
            except BaseException:
                await session.rollback()
                raise

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        async with in_turn(self._read_gate), self._readers() as session:
            yield session

    async def close(self) -> None:
        await self.engine.dispose()
        await self.reading_engine.dispose()


@asynccontextmanager
async def in_turn(gate: asyncio.Semaphore) -> AsyncIterator[None]:
    """One of the places behind the gate, first come first served.

    Raises the pool's own TimeoutError, which everybody here takes for "away for a moment".
    """
    try:
        async with asyncio.timeout(POOL_WAIT_SECONDS):
            await gate.acquire()
    except TimeoutError:
        raise PoolTimeout("all database connections are in use") from None
    try:
        yield
    finally:
        gate.release()


def async_url(url: str) -> str:
    """The same address with the asyncpg driver named."""
    scheme, _, rest = url.partition("://")
    assert rest, "the database address needs a scheme, for example postgresql://user@host/name"
    return f"postgresql+asyncpg://{rest}" if scheme.startswith("postgres") else url
