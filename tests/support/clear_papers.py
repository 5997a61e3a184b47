"""Documents from before the store sealed them: in the clear, under their hash."""

from __future__ import annotations

from hashlib import sha256

import obstore

from app.documents.store import ObjectStore, object_key


async def put_in_clear(store: ObjectStore, data: bytes) -> str:
    """As the store did it then. Returns the hash."""
    digest = sha256(data).hexdigest()
    await obstore.put_async(store._backend, object_key(digest), data)
    return digest
