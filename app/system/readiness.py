"""Can this process serve calls: database, migrations, and (for information) Redis."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import asyncpg
import redis.exceptions
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.deps import Parts

Check = Literal["ok", "down", "behind", "not_set"]
ASK_SECONDS_MAX = 2
VERSIONS = Path(__file__).resolve().parents[2] / "migrations" / "versions"
_REVISION = re.compile(r"^(down_revision|revision)\b[^=]*=\s*(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Readiness:
    database: Check
    migrations: Check
    redis: Check

    @property
    def ready(self) -> bool:
        return self.database == "ok" and self.migrations == "ok"


async def readiness(held: Parts) -> Readiness:
    present = await _revisions_present(held)
    if present is None:
        return Readiness("down", "down", await _redis(held))
    migrations: Check = "ok" if present == heads_wanted() else "behind"
    return Readiness("ok", migrations, await _redis(held))


@cache
def heads_wanted(folder: Path = VERSIONS) -> frozenset[str]:
    """Revisions no other one follows, read from the files: loading alembic here costs memory."""
    revisions: set[str] = set()
    followed: set[str] = set()
    for path in folder.glob("*.py"):
        for name, value in _REVISION.findall(path.read_text("utf-8")):
            words = set(re.findall(r"['\"]([^'\"]+)['\"]", value))
            (revisions if name == "revision" else followed).update(words)
    return frozenset(revisions - followed)


async def _revisions_present(held: Parts) -> frozenset[str] | None:
    """The revisions of the database; empty before the first migration, None without a database."""
    try:
        async with asyncio.timeout(ASK_SECONDS_MAX), held.database.read() as session:
            if (
                await session.execute(text("SELECT to_regclass('alembic_version') IS NULL"))
            ).scalar():
                return frozenset()
            rows = await session.execute(text("SELECT version_num FROM alembic_version"))
            return frozenset(rows.scalars())
    except (SQLAlchemyError, asyncpg.PostgresError, OSError, TimeoutError):
        return None


async def _redis(held: Parts) -> Check:
    if held.settings.redis_url is None:
        return "not_set"
    try:
        async with asyncio.timeout(ASK_SECONDS_MAX):
            return "ok" if await held.limiter.alive() else "down"
    except (redis.exceptions.RedisError, OSError, TimeoutError):
        return "down"
