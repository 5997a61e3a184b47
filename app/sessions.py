"""Sessions and keys: who holds a token, until when, and how it is taken away.

Tokens are opaque, 256 bits from the system's generator; only hashes are stored, so a copy of the
database opens nothing. Identity is read on a connection of its own in autocommit, one round trip,
before the business transaction begins. All times here are wall-clock times.
"""

from __future__ import annotations

import hmac
import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import insert, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.authorisation.principal import Kind, Principal
from app.clock import monotonic, wall_now
from app.crypto import new_token, token_hash
from app.db import Database
from app.domain.errors import NotAuthenticated
from app.ids import new_id
from app.tables.security import LoginSession

IDLE_SECONDS = {"staff": 30 * 60, "consumer": 24 * 3600}  # reliability.md section 7, sessions
SEEN_EVERY_SECONDS = (
    60  # how exactly last use is kept; a write per call would cost more than it says
)
KEY_CACHE_SECONDS = 5  # a revoked key is refused everywhere within this time
KEY_CACHE_MAX = 1_000
TOKEN_LENGTH_MAX = 200
KEY_ENVIRONMENTS = {"development": "dev", "test": "test", "production": "live"}
_API_KEY = re.compile(r"rk_(dev|test|live)_([0-9a-f]{32})_([A-Za-z0-9_-]{43})", re.ASCII)

_SESSION = text("""
    SELECT s.id, s.kind, s.subject_id, s.last_seen_at, s.stepped_up_at, st.roles,
           (s.kind = 'consumer' OR st.status = 'active') AS usable
      FROM login_sessions s LEFT JOIN staff st ON s.kind = 'staff' AND st.id = s.subject_id
     WHERE s.token_hash = :token_hash AND s.revoked_at IS NULL AND s.expires_at > :now
       AND s.last_seen_at > CASE s.kind WHEN 'staff' THEN CAST(:staff_idle AS timestamptz)
                                        ELSE CAST(:consumer_idle AS timestamptz) END
""")
_SEEN = text("UPDATE login_sessions SET last_seen_at = :now WHERE id = :id")
_KEY = text(
    "SELECT app_id, secret_hash, environment, scopes, expires_at, revoked_at"
    " FROM api_keys WHERE id = :id"
)
_KEY_USED = text(
    "UPDATE api_keys SET last_used_at = :now WHERE id = :id AND (last_used_at IS NULL"
    " OR last_used_at < :before)"
)


@dataclass(frozen=True)
class NewSession:
    """A session just opened; `token` is shown to its owner once and stored nowhere."""

    id: uuid.UUID
    token: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"NewSession(id={self.id})"


async def open_session(
    session: AsyncSession, *, kind: Kind, subject_id: uuid.UUID, hours: int, now: datetime
) -> NewSession:
    """A fresh session with a fresh token, whatever the caller sent before (no fixation)."""
    opened = NewSession(new_id(), new_token(), now + timedelta(hours=hours))
    await session.execute(
        insert(LoginSession).values(
            id=opened.id,
            kind=kind,
            subject_id=subject_id,
            token_hash=token_hash(opened.token),
            created_at=now,
            last_seen_at=now,
            stepped_up_at=now,
            expires_at=opened.expires_at,
        )
    )
    return opened


async def rotate_session(
    session: AsyncSession, session_id: uuid.UUID, *, now: datetime
) -> NewSession:
    """The same session under a new token, its second factor just shown; the old token is void."""
    token = new_token()
    row = (
        await session.execute(
            update(LoginSession)
            .where(LoginSession.id == session_id, LoginSession.revoked_at.is_(None))
            .values(token_hash=token_hash(token), stepped_up_at=now, last_seen_at=now)
            .returning(LoginSession.expires_at)
        )
    ).one_or_none()
    if row is None:
        raise NotAuthenticated("this session has ended")
    return NewSession(session_id, token, row[0])


async def revoke_session(session: AsyncSession, session_id: uuid.UUID, *, now: datetime) -> None:
    await session.execute(
        update(LoginSession)
        .where(LoginSession.id == session_id, LoginSession.revoked_at.is_(None))
        .values(revoked_at=now)
    )


async def revoke_all(session: AsyncSession, subject_id: uuid.UUID, *, now: datetime) -> int:
    """Ends every session of a person; returns how many there were."""
    done = await session.execute(
        update(LoginSession)
        .where(LoginSession.subject_id == subject_id, LoginSession.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(LoginSession.id)
    )
    return len(done.all())


def format_api_key(environment: str, key_id: uuid.UUID, secret: str) -> str:
    return f"rk_{KEY_ENVIRONMENTS[environment]}_{key_id.hex}_{secret}"


class Authenticator:
    """Turns tokens into principals. One per process; holds a short cache of API keys."""

    def __init__(self, database: Database, *, environment: str) -> None:
        self._engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._environment = KEY_ENVIRONMENTS[environment]
        self._keys: dict[bytes, tuple[float, Principal]] = {}

    async def by_token(self, token: str) -> Principal:
        """The principal behind a token. Raises NotAuthenticated, the same for every cause."""
        if not token.isascii() or len(token) > TOKEN_LENGTH_MAX:
            raise _refused()
        return await (self._by_key(token) if token.startswith("rk_") else self._by_session(token))

    async def _by_session(self, token: str) -> Principal:
        now = wall_now()
        idle = {f"{kind}_idle": now - timedelta(seconds=s) for kind, s in IDLE_SECONDS.items()}
        async with self._engine.connect() as connection:
            row = (
                await connection.execute(
                    _SESSION, {"token_hash": token_hash(token), "now": now, **idle}
                )
            ).one_or_none()
            if row is None or not row.usable:
                raise _refused()
            if now - row.last_seen_at > timedelta(seconds=SEEN_EVERY_SECONDS):
                await connection.execute(_SEEN, {"now": now, "id": row.id})
        return Principal(
            row.kind,
            row.subject_id,
            roles=frozenset(row.roles or ()),
            session_id=row.id,
            stepped_up_at=row.stepped_up_at,
        )

    async def _by_key(self, token: str) -> Principal:
        name = sha256(token.encode()).digest()
        cached = self._keys.get(name)
        if cached is not None and cached[0] > monotonic():
            return cached[1]
        found = _API_KEY.fullmatch(token)
        if found is None or found[1] != self._environment:
            raise _refused()
        principal = await self._stored_key(uuid.UUID(hex=found[2]), found[3])
        if len(self._keys) >= KEY_CACHE_MAX:
            self._keys.clear()
        self._keys[name] = (monotonic() + KEY_CACHE_SECONDS, principal)
        return principal

    async def _stored_key(self, key_id: uuid.UUID, secret: str) -> Principal:
        now = wall_now()
        async with self._engine.connect() as connection:
            row = (await connection.execute(_KEY, {"id": key_id})).one_or_none()
            if (
                row is None
                or not hmac.compare_digest(bytes(row.secret_hash), token_hash(secret))
                or row.revoked_at is not None
                or row.expires_at <= now
                or row.environment != self._environment
            ):
                raise _refused()
            await connection.execute(
                _KEY_USED,
                {"now": now, "id": key_id, "before": now - timedelta(seconds=SEEN_EVERY_SECONDS)},
            )
        return Principal("app", row.app_id, scopes=frozenset(row.scopes))


def _refused() -> NotAuthenticated:
    return NotAuthenticated("this token is not valid, has expired or was revoked")
