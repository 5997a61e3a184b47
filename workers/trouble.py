"""Is this failure the database's state of health, or this statement's own fault?"""

from __future__ import annotations

import asyncio

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# What a connection attempt raises bare (the dialect wraps only what statements raise).
AWAY = (OSError, PoolTimeout, asyncio.TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
DATABASE_TROUBLE = (DBAPIError, *AWAY)
# SQLSTATE classes: connection, rollback (deadlock), resources, lock not available, intervention.
PASSING_CLASSES = ("08", "40", "53", "55", "57")


def passes(failure: BaseException) -> bool:
    """True when the very same thing may work in a moment."""
    if isinstance(failure, DBAPIError):
        state = str(getattr(failure.orig, "sqlstate", None) or "")
        return failure.connection_invalidated or state[:2] in PASSING_CLASSES
    return isinstance(failure, AWAY)
