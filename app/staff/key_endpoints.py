"""Keys of apps, for admins."""

from __future__ import annotations

from sqlalchemy import select

from app.deps import NOT_REPLAYED, Caller, Held, Pages, ReadSession, Router, Session
from app.pagination import keyset
from app.schemas import Id
from app.staff import keys
from app.staff.schemas import ApiKeyIn, ApiKeyListOut, ApiKeyOut, NewApiKeyOut
from app.tables.security import ApiKey

router = Router(prefix="/v1/api-keys", tags=["API keys"])


def _out(key: ApiKey) -> ApiKeyOut:
    return ApiKeyOut(
        id=key.id,
        app_id=key.app_id,
        name=key.name,
        scopes=key.scopes,
        prefix=keys.prefix(key),
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
        revoked_at=key.revoked_at,
    )


@router.get("", operation_id="list_api_keys")
async def list_api_keys(session: ReadSession, pages: Pages) -> ApiKeyListOut:
    query = keyset(select(ApiKey), [ApiKey.id], pages.after("api_keys"), pages.limit)
    rows = list((await session.execute(query)).scalars())
    last = rows[pages.limit - 1] if len(rows) > pages.limit else None
    return ApiKeyListOut(
        items=[_out(r) for r in rows[: pages.limit]],
        next_cursor=pages.next("api_keys", [last.id]) if last else None,
    )


@router.post("", operation_id="create_api_key", status_code=201, openapi_extra=NOT_REPLAYED)
async def create_api_key(
    body: ApiKeyIn, session: Session, caller: Caller, held: Held
) -> NewApiKeyOut:
    """A new key; the answer shows it for the only time. With `replaces` it is another key of the
    same app, which keeps its cases; revoke the older one when the app uses the new one."""
    full, row = await keys.create_key(
        session,
        name=body.name,
        scopes=body.scopes,
        days=body.days,
        environment=held.settings.environment,
        caller=caller,
        replaces=body.replaces,
    )
    return NewApiKeyOut(key=full, api_key=_out(row))


@router.delete("/{key_id}", operation_id="revoke_api_key")
async def revoke_api_key(key_id: Id, session: Session, caller: Caller) -> ApiKeyOut:
    """Ends a key; every process refuses it within five seconds."""
    return _out(await keys.revoke_key(session, key_id=key_id, caller=caller))
