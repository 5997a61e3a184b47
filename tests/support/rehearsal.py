"""A database on which calls are rehearsed: everything happens, nothing stays.

So that one prepared world serves thousands of calls. While `rehearsing`, the end of a transaction
checks what a commit would check (deferred constraints included) and then rolls back; `wrote` counts
the transactions that would have left something behind.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Database

# What a call may touch whatever its answer is: when a session or key was last used.
_MOVING = {"login_sessions": "last_seen_at", "api_keys": "last_used_at"}
_DIGEST = (
    "SELECT count(*), coalesce(sum(hashtextextended((to_jsonb(t) - '{leave_out}')::text, 0)), 0)"
    " FROM {table} t"
)


class Rehearsal(Database):
    """A Database whose commits can be taken back."""

    def __init__(self, url: str, **options: int) -> None:
        super().__init__(url, **options)
        self.rehearsing = False
        self.wrote = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        if not self.rehearsing:
            async with super().transaction() as session:
                yield session
            return
        async with self._sessions() as session:
            try:
                yield session
                await session.flush()
                await session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
                xid = await session.scalar(text("SELECT pg_current_xact_id_if_assigned()::text"))
                self.wrote += xid is not None
            finally:
                await session.rollback()


async def fingerprint(database: Database) -> dict[str, tuple[int, int]]:
    """Rows and a hash of their content, for every table."""
    found: dict[str, tuple[int, int]] = {}
    async with database.read() as session:
        names = await session.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        )
        for table in names.all():
            query = _DIGEST.format(table=table, leave_out=_MOVING.get(table, ""))
            row: Any = (await session.execute(text(query))).one()
            found[table] = (int(row[0]), int(row[1]))
    return found
