"""Whether stored documents and raw mails are sealed at rest."""

from __future__ import annotations

from typing import Final

import asyncpg
from obstore.exceptions import BaseError

from app.documents.store import ObjectStore
from ops.check import Check

UNSEALED_SHOWN: Final = 1_000


async def check_documents(store: ObjectStore, most: int = UNSEALED_SHOWN) -> Check:
    """Whether anything lies in the document store in the clear."""
    found = 0
    try:
        async for _ in store.unsealed():
            found += 1
            if found >= most:
                break
    except (OSError, BaseError) as trouble:
        return Check("documents", "fail", f"cannot be listed: {type(trouble).__name__}",
                     "mend RECOURSE_OBJECT_STORE_URL or the data folder")  # fmt: skip
    if not found:
        return Check("documents", "ok", "all are sealed at rest")
    told = f"{found}{' or more' if found >= most else ''} lie in the clear"
    return Check("documents", "warn", told, "recourse documents seal")


async def check_mails(connection: asyncpg.Connection) -> Check:
    """Whether raw mails lie in the database in the clear. The schema is the newest."""
    found = await connection.fetchval(
        "SELECT count(*) FROM (SELECT FROM inbound WHERE NOT raw_sealed AND raw <> ''::bytea"
        " LIMIT $1) clear",
        UNSEALED_SHOWN,
    )
    if not found:
        return Check("raw mails", "ok", "all are sealed at rest")
    told = f"{found}{' or more' if found >= UNSEALED_SHOWN else ''} lie in the clear"
    return Check("raw mails", "warn", told, "recourse documents seal")
