"""Receiving a file: into quarantine on disk while it is hashed, within its bound, then judged."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from app.domain.errors import InvalidInput, Unsupported
from app.evidence.kinds import HEAD_BYTES, KINDS, MAIL, SIZE_MIN, TEXT, TextCheck, agrees, kind_of


class FileEmpty(InvalidInput):
    code = "file_empty"


class FileLies(Unsupported):
    """The content is of another kind than declared, or of none we take."""

    code = "file_type_mismatch"


@dataclass(frozen=True, slots=True)
class Received:
    """A file in quarantine whose kind was told by its content."""

    path: Path
    media_type: str
    size: int
    sha256: str


def check_declared(content_type: str | None, kinds: tuple[str, ...] = KINDS) -> str:
    """The declared media type without its options. Raises Unsupported."""
    declared = (content_type or "").partition(";")[0].strip().lower()
    if declared not in kinds:
        raise Unsupported(f"send one of {', '.join(kinds)} as Content-Type")
    return declared


@asynccontextmanager
async def quarantine(
    chunks: AsyncIterator[bytes], folder: Path, declared: str
) -> AsyncIterator[Received]:
    """The file while it is judged; whatever is not taken over is deleted at the end.

    `chunks` must stop at its own bound (it raises TooLarge). Raises FileEmpty, FileLies.
    """
    path = folder / secrets.token_hex(16)
    digest, size, head, whole = sha256(), 0, b"", TextCheck()
    handle = await asyncio.to_thread(_open, path)
    try:
        try:
            async for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                whole.feed(chunk)
                if len(head) < HEAD_BYTES:
                    head += chunk[: HEAD_BYTES - len(head)]
                await asyncio.to_thread(_write, handle, chunk)
        finally:
            await asyncio.to_thread(os.close, handle)
        if size < SIZE_MIN:
            raise FileEmpty("the file is empty")
        whole.feed(b"", last=True)
        found = kind_of(head)
        if found in (TEXT, MAIL) and not whole.holds:
            found = None
        if found is None or not agrees(declared, found):
            raise FileLies(
                "the content is not what Content-Type says",
                declared=declared,
                found=found or "something we do not take",
            )
        yield Received(path, found, size, digest.hexdigest())
    finally:
        await asyncio.to_thread(path.unlink, missing_ok=True)


def _open(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def _write(handle: int, chunk: bytes) -> None:
    left = memoryview(chunk)
    while left:
        left = left[os.write(handle, left) :]
