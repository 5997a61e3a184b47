"""Stored bytes under the name of their own hash: put once, never changed, checked on every read.

A folder by default, an S3-compatible store by setting; the same code serves both. The key is made
of the SHA-256 alone, never of a name that somebody gave.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from app.domain.errors import NotFound, RecourseError
from app.settings import Settings

CHUNK_BYTES = 256 * 1024
_HASH = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[a-z]+(/[a-z0-9-]+)+(\.json)?")


class DocumentMissing(NotFound):
    """A row names bytes that are not in the store: an alarm, not a user's mistake."""

    code = "document_missing"


class DocumentCorrupt(RecourseError):
    """The stored bytes no longer have their hash; they are never served."""

    kind = "unavailable"
    code = "document_corrupt"


def object_key(digest: str) -> str:
    """`sha256/ab/cd/<hash>`; refuses anything that is not a lower-case hash."""
    assert _HASH.fullmatch(digest), "a document is named by its SHA-256"
    return f"sha256/{digest[:2]}/{digest[2:4]}/{digest}"


class ObjectStore:
    """`backend` is a store of obstore (LocalStore, S3Store, MemoryStore)."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    async def put(self, data: bytes) -> str:
        """Store once; the same bytes again change nothing. Returns the hash."""
        digest = sha256(data).hexdigest()
        await self._create(digest, data)
        return digest

    async def put_file(self, path: Path, digest: str) -> None:
        """Store a file of known hash (an upload that was hashed while it was received)."""
        await self._create(digest, path)

    async def get(self, digest: str) -> bytes:
        """The bytes, with their hash checked. Raises DocumentMissing, DocumentCorrupt."""
        import obstore  # heavy (a compiled store client): loaded by the first who stores anything

        try:
            answer = await obstore.get_async(self._backend, object_key(digest))
        except FileNotFoundError:
            raise DocumentMissing("the stored document is missing") from None
        data = bytes(await answer.bytes_async())
        if sha256(data).hexdigest() != digest:
            raise DocumentCorrupt("the stored document was altered")
        return data

    async def stream(self, digest: str) -> AsyncIterator[bytes]:
        """The bytes in pieces. The hash is checked as they pass: a wrong one breaks the stream off
        before its last piece, so that no whole document ever arrives altered."""
        import obstore  # see get

        try:
            answer = await obstore.get_async(self._backend, object_key(digest))
        except FileNotFoundError:
            raise DocumentMissing("the stored document is missing") from None
        seen = sha256()
        held = b""
        async for piece in answer.stream(min_chunk_size=CHUNK_BYTES):
            if held:
                yield held
            held = bytes(piece)
            seen.update(held)
        if seen.hexdigest() != digest:
            raise DocumentCorrupt("the stored document was altered")
        yield held

    async def exists(self, digest: str) -> bool:
        import obstore  # see get

        try:
            await obstore.head_async(self._backend, object_key(digest))
        except FileNotFoundError:
            return False
        return True

    async def put_named(self, name: str, data: bytes) -> None:
        """Store under a name of ours (an anchor of the history); a name is given once."""
        assert _NAME.fullmatch(name), "a name of ours: words, digits, slashes"
        await self._create_at(name, data)

    async def get_named(self, name: str) -> bytes | None:
        """The bytes of a name of ours, or None when nothing has it."""
        import obstore  # see get

        assert _NAME.fullmatch(name), "a name of ours: words, digits, slashes"
        try:
            answer = await obstore.get_async(self._backend, name)
        except FileNotFoundError:
            return None
        return bytes(await answer.bytes_async())

    async def _create(self, digest: str, data: bytes | Path) -> None:
        await self._create_at(object_key(digest), data)

    async def _create_at(self, key: str, data: bytes | Path) -> None:
        import obstore  # see get
        from obstore.exceptions import AlreadyExistsError

        try:
            # Create-only: whatever crashes, a name never holds other bytes than its hash says.
            await obstore.put_async(self._backend, key, data, mode="create", use_multipart=False)
        except AlreadyExistsError:
            return


def open_store(settings: Settings) -> ObjectStore:
    """The installation's store: `object_store_url`, or the folder `documents` in `data_dir`."""
    from obstore.store import LocalStore, S3Store  # heavy: see ObjectStore.get

    url = settings.object_store_url
    if url is None:
        folder = settings.data_dir.resolve() / "documents"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return ObjectStore(LocalStore(prefix=folder))
    options: dict[str, Any] = {}
    if settings.object_store_endpoint:
        options["endpoint"] = settings.object_store_endpoint
        options["client_options"] = {
            "allow_http": settings.object_store_endpoint.startswith("http:")
        }
    if settings.object_store_access_key and settings.object_store_secret_key:
        options["access_key_id"] = settings.object_store_access_key.get_secret_value()
        options["secret_access_key"] = settings.object_store_secret_key.get_secret_value()
    return ObjectStore(S3Store.from_url(url, **options))
