"""One call, one effect: an Idempotency-Key is remembered in the transaction of the write.

`claim` is one statement at the start: it takes a transaction lock on (principal, route, key) and
inserts the row, or finds the answer that was given. `finish` writes the answer beside it, and both
become visible with the write itself or not at all. A refused or crashed call leaves nothing, so it
may be repeated with the same key.

Retention is 30 days (`purge`); after that the key may be used anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.errors import Conflict, InvalidInput

KEY_LENGTH_MAX = 255
KEPT_DAYS = 30
BODY_BYTES_MAX = 1_000_000  # our largest answer to a write is a few kilobytes
UPLOAD_HEADER = "uploaded-sha256"  # kept with an answer, never sent
KEPT_HEADERS = ("content-type", "location", "etag", UPLOAD_HEADER)
PURGE_BATCH = 5_000

# The lock is asked for, never waited for: whoever comes second while the first is at work is told
# so at once, instead of holding a connection.
_CLAIM = text("""
    WITH free AS (SELECT pg_try_advisory_xact_lock(:lock) AS got),
    mine AS (
        INSERT INTO idempotency_keys (principal, route, key, request_hash, created_at)
        SELECT :principal, :route, :key, :request_hash, :now FROM free WHERE got
        ON CONFLICT DO NOTHING RETURNING 1)
    SELECT free.got, EXISTS (SELECT 1 FROM mine) AS mine FROM free
""")
_FIND = text(
    "SELECT request_hash, status, headers, body FROM idempotency_keys"
    " WHERE principal = :principal AND route = :route AND key = :key"
)
# For writers that let the answer ride in a statement of theirs; parameters from finish_values().
FINISH_SQL = (
    "UPDATE idempotency_keys SET status = :status,"
    " headers = CAST(:headers AS jsonb), body = :body"
    " WHERE principal = :principal AND route = :route AND key = :key"
)
_FINISH = text(FINISH_SQL)

_PURGE = text(
    "DELETE FROM idempotency_keys k USING"
    " (SELECT principal, route, key FROM idempotency_keys WHERE created_at < :before"
    "  ORDER BY created_at LIMIT :limit) old"
    " WHERE (k.principal, k.route, k.key) = (old.principal, old.route, old.key)"
    " RETURNING 1"
)


class KeyInvalid(InvalidInput):
    code = "idempotency_key_invalid"


class KeyReused(InvalidInput):
    """The key was used for another request."""

    code = "idempotency_key_reused"


class CallRunning(Conflict):
    """The first call with this key has not ended yet."""

    code = "call_running"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the first call answered."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to answer for a key, held until the transaction ends."""

    principal: str
    route: str
    key: str

    @property
    def identity(self) -> dict[str, str]:
        return {"principal": self.principal, "route": self.route, "key": self.key}


def valid_key(key: str) -> str:
    """1 to 255 printable ASCII characters. Raises KeyInvalid."""
    if not 1 <= len(key) <= KEY_LENGTH_MAX or not all("\x21" <= c <= "\x7e" for c in key):
        raise KeyInvalid("an Idempotency-Key is 1 to 255 printable ASCII characters, no spaces")
    return key


def request_hash(method: str, target: str, content_type: str, body: bytes) -> bytes:
    """What makes two calls the same request: method, path with query, media type and exact body."""
    digest = sha256()
    for part in (method.encode(), target.encode(), content_type.encode(), body):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()


async def claim(
    session: AsyncSession,
    *,
    principal: str,
    route: str,
    key: str,
    request_hash: bytes,
    now: datetime,
) -> Claim | Answer:
    """The right to do the work, or the answer given before.

    Raises KeyReused for another request and CallRunning while the first one is at work.
    """
    found = Claim(principal, route, key)
    lock = int.from_bytes(sha256(repr(found.identity).encode()).digest()[:8], "big", signed=True)
    row = (
        await session.execute(
            _CLAIM, {**found.identity, "lock": lock, "now": now, "request_hash": request_hash}
        )
    ).one()
    if row.mine:
        return found
    stored = (await session.execute(_FIND, found.identity)).one_or_none()
    if stored is not None and bytes(stored.request_hash) != request_hash:
        raise KeyReused("this Idempotency-Key was used for another request")
    if not row.got or stored is None or stored.status is None:
        raise CallRunning("the first call with this Idempotency-Key is still running")
    return Answer(stored.status, stored.headers, bytes(stored.body))


def finish_values(
    claimed: Claim, *, status: int, headers: dict[str, str], body: bytes
) -> dict[str, Any]:
    """The parameters of the closing UPDATE, for writers that put it into a statement of theirs."""
    assert len(body) <= BODY_BYTES_MAX, "answers to writes are small"
    kept = {k.lower(): v for k, v in headers.items() if k.lower() in KEPT_HEADERS}
    return {**claimed.identity, "status": status, "headers": _json(kept), "body": body}


async def finish(
    session: AsyncSession, claimed: Claim, *, status: int, headers: dict[str, str], body: bytes
) -> None:
    """Stores the answer beside the write; it becomes visible with the commit."""
    values = finish_values(claimed, status=status, headers=headers, body=body)
    await session.execute(_FINISH, values)


async def purge(session: AsyncSession, *, now: datetime, limit: int = PURGE_BATCH) -> int:
    """Removes up to `limit` keys older than 30 days; returns how many. Repeat until 0."""
    done = await session.execute(
        _PURGE, {"before": now - timedelta(days=KEPT_DAYS), "limit": limit}
    )
    return len(done.all())


def _json(value: dict[str, str]) -> str:
    return orjson.dumps(value).decode()
