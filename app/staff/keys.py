"""Keys of apps and partners: made once, shown once, limited in scope and time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import audit
from app.authorisation.principal import Principal
from app.clock import business_now, wall_now
from app.crypto import new_token, token_hash
from app.domain.errors import NotFound
from app.ids import new_id
from app.sessions import KEY_ENVIRONMENTS, format_api_key
from app.tables.security import ApiKey


async def create_key(
    session: AsyncSession,
    *,
    name: str,
    scopes: Iterable[str],
    days: int,
    environment: str,
    caller: Principal,
    replaces: UUID | None = None,
) -> tuple[str, ApiKey]:
    """The key in full (nowhere else) and its row.

    `replaces` names a key of the app this one is for: both work until the older one is revoked, so
    that an app changes its key without a pause and without losing its cases. Raises NotFound.
    """
    key_id, secret, now = new_id(), new_token(32), wall_now()
    app_id = key_id if replaces is None else (await find_key(session, replaces)).app_id
    await session.execute(
        insert(ApiKey).values(
            id=key_id,
            app_id=app_id,
            name=name,
            environment=KEY_ENVIRONMENTS[environment],
            secret_hash=token_hash(secret),
            scopes=sorted(scopes),
            created_by=caller.id,
            created_at=now,
            expires_at=now + timedelta(days=days),
        )
    )
    await audit.append(
        session,
        stream=f"staff:{caller.id}",
        code="api_key_created",
        actor=caller.actor,
        at=await business_now(session),
        params={
            "api_key_id": str(key_id),
            "app_id": str(app_id),
            "scopes": sorted(scopes),
            "days": days,
        },
    )
    return format_api_key(environment, key_id, secret), await find_key(session, key_id)


async def revoke_key(session: AsyncSession, *, key_id: UUID, caller: Principal) -> ApiKey:
    """Ends a key; everywhere within seconds. Revoking twice is no error."""
    done = await session.execute(
        update(ApiKey)
        .where(ApiKey.id == key_id, ApiKey.revoked_at.is_(None))
        .values(revoked_at=wall_now())
        .returning(ApiKey.id)
    )
    if done.first() is not None:
        await audit.append(
            session,
            stream=f"staff:{caller.id}",
            code="api_key_revoked",
            actor=caller.actor,
            at=await business_now(session),
            params={"api_key_id": str(key_id)},
        )
    return await find_key(session, key_id)


async def find_key(session: AsyncSession, key_id: UUID) -> ApiKey:
    row = (await session.execute(select(ApiKey).where(ApiKey.id == key_id))).scalar_one_or_none()
    if row is None:
        raise NotFound("there is no such key")
    return row


def prefix(key: ApiKey) -> str:
    """What of a key may be shown: enough to know it by, nothing of the secret."""
    return f"rk_{key.environment}_{key.id.hex}_"
