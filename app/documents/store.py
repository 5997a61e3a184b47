"""Stored bytes, sealed for whom they speak of: put once, never changed, checked on every read.

A folder by default, an S3-compatible store by setting; the same code serves both. A name is made of
the key and the SHA-256 of the plain bytes, never of a name that somebody gave.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

from app.crypto import CiphertextRefused
from app.documents.sealing import DocumentKey, Opener
from app.domain.errors import NotFound, RecourseError
from app.settings import Settings

CHUNK_BYTES = 256 * 1024
PART_BYTES = 5 * 1024 * 1024  # the least a part of an upload in parts may have
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
    """Where bytes in the clear lie, by their hash; refuses anything that is no lower-case hash."""
    assert _HASH.fullmatch(digest), "a document is named by its SHA-256"
    return f"sha256/{digest[:2]}/{digest[2:4]}/{digest}"


class ObjectStore:
    """`backend` is a store of obstore (LocalStore, S3Store, MemoryStore). Documents go in sealed;
    what lies there in the clear is from before and is read all the same."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    async def put(self, data: bytes, key: DocumentKey) -> str:
        """Store once under this key; the same bytes again change nothing. Returns the hash of the
        plain bytes."""
        digest = sha256(data).hexdigest()
        sealed = await asyncio.to_thread(lambda: b"".join(key.seal([data], digest)))
        await self._create_at(key.name(digest), sealed)
        return digest

    async def put_file(self, path: Path, digest: str, key: DocumentKey) -> None:
        """Store a file of known hash (an upload that was hashed while it was received), piece by
        piece: memory does not grow with it."""
        import obstore  # see _open

        name = key.name(digest)
        if await self._has(name):
            return
        # Written beside and moved into place whole; whoever else writes this name writes the same.
        await obstore.put_async(
            self._backend, name, _in_threads(key.seal(_pieces(path), digest)),
            use_multipart=True, chunk_size=PART_BYTES, max_concurrency=2,
        )  # fmt: skip

    async def get(self, digest: str, key: DocumentKey | None) -> bytes:
        """The bytes, checked. Raises DocumentMissing, DocumentCorrupt."""
        return b"".join([piece async for piece in self.stream(digest, key)])

    async def stream(self, digest: str, key: DocumentKey | None) -> AsyncIterator[bytes]:
        """The bytes in pieces, each checked as it passes: an altered or shortened file breaks off
        before its last piece, so that no whole document ever arrives altered."""
        answer = await self._open(key.name(digest)) if key is not None else None
        if key is not None and answer is not None:
            async for piece in _opened(answer, key.opener(digest)):
                yield piece
            return
        answer = await self._open(object_key(digest))
        if answer is None:
            raise DocumentMissing("the stored document is missing")
        async for piece in _hashed(answer, digest):
            yield piece

    async def seal_old(self, digest: str, key: DocumentKey) -> bool:
        """Put under `key` what lies in the clear; what lay there stays until `drop_old`. False: it
        is sealed already, or is not there."""
        if await self._has(key.name(digest)):
            return False
        answer = await self._open(object_key(digest))
        if answer is None:
            return False
        data = b"".join([piece async for piece in _hashed(answer, digest)])
        await self.put(data, key)
        return True

    async def drop_old(self, digest: str) -> None:
        """Remove what lies in the clear, once it is sealed for everybody it belongs to."""
        import obstore  # see _open

        await obstore.delete_async(self._backend, object_key(digest))

    async def unsealed(self) -> AsyncIterator[str]:
        """The hashes of what lies in the clear."""
        import obstore  # see _open

        async for batch in obstore.list(self._backend, prefix="sha256/"):
            for found in batch:
                yield str(found["path"]).rpartition("/")[2]

    async def _has(self, name: str) -> bool:
        import obstore  # see _open

        try:
            await obstore.head_async(self._backend, name)
        except FileNotFoundError:
            return False
        return True

    async def _open(self, name: str) -> Any | None:
        import obstore  # heavy (a compiled store client): loaded by the first who stores anything

        try:
            return await obstore.get_async(self._backend, name)
        except FileNotFoundError:
            return None

    async def put_named(self, name: str, data: bytes) -> None:
        """Store under a name of ours (an anchor of the history); a name is given once."""
        assert _NAME.fullmatch(name), "a name of ours: words, digits, slashes"
        await self._create_at(name, data)

    async def get_named(self, name: str) -> bytes | None:
        """The bytes of a name of ours, or None when nothing has it."""
        import obstore  # see _open

        assert _NAME.fullmatch(name), "a name of ours: words, digits, slashes"
        try:
            answer = await obstore.get_async(self._backend, name)
        except FileNotFoundError:
            return None
        return bytes(await answer.bytes_async())

    async def _create_at(self, key: str, data: bytes | Path) -> None:
        import obstore  # see _open
        from obstore.exceptions import AlreadyExistsError

        try:
            # Create-only: whatever crashes, a name never holds other bytes than its hash says.
            await obstore.put_async(self._backend, key, data, mode="create", use_multipart=False)
        except AlreadyExistsError:
            return


async def _opened(answer: Any, opener: Opener) -> AsyncIterator[bytes]:
    try:
        async for piece in answer.stream(min_chunk_size=CHUNK_BYTES):
            if plain := opener.feed(bytes(piece)):
                yield plain
        if plain := opener.end():
            yield plain
    except CiphertextRefused:
        raise DocumentCorrupt("the stored document was altered") from None


async def _hashed(answer: Any, digest: str) -> AsyncIterator[bytes]:
    """What lies in the clear, checked against the hash that is its name."""
    seen, held = sha256(), b""
    async for piece in answer.stream(min_chunk_size=CHUNK_BYTES):
        if held:
            yield held
        held = bytes(piece)
        seen.update(held)
    if seen.hexdigest() != digest:
        raise DocumentCorrupt("the stored document was altered")
    yield held


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(4 * CHUNK_BYTES):
            yield piece


async def _in_threads(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Some chunks at a time are read and sealed beside the event loop."""
    while some := await asyncio.to_thread(lambda: b"".join(islice(pieces, 8))):
        yield some


def open_store(settings: Settings) -> ObjectStore:
    """The installation's store: `object_store_url`, or the folder `documents` in `data_dir`."""
    from obstore.store import LocalStore, S3Store  # heavy: see ObjectStore._open

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
