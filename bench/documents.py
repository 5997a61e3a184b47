"""Sealed documents against the same bytes stored and read in the clear, in one run, taking turns.

The floor is what the store did before: put a file under its hash, read it back and check the hash.
MB/s and ratios are by processor time of all threads.
`memory` is how much the resident size grew while 200 MB were stored sealed.
"""

from __future__ import annotations

import asyncio
import os
import resource
import tempfile
from collections.abc import Coroutine
from hashlib import sha256
from pathlib import Path
from statistics import median
from uuid import UUID

import obstore
from obstore.store import LocalStore

from app.crypto import SubjectCipher
from app.documents.sealing import DocumentKey
from app.documents.store import ObjectStore, object_key

SIZE = 20 * 1024 * 1024
ROUNDS = 7
SLOWER_TARGET = 2.0


def main(quick: bool) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(Path(folder), 3 if quick else ROUNDS))


async def _measure(folder: Path, rounds: int) -> dict[str, float]:
    backend = LocalStore(prefix=folder / "store", mkdir=True)
    store = ObjectStore(backend)
    grown = await _growth(store, folder)
    took: dict[str, list[float]] = {w: [] for w in ("put", "put_plain", "get", "get_plain")}
    for n in range(rounds):
        key = DocumentKey([SubjectCipher(UUID(int=n + 1), os.urandom(32))])
        path, digest = _file(folder, SIZE)
        took["put_plain"].append(await _timed(_put_plain(backend, path, digest)))
        took["put"].append(await _timed(store.put_file(path, digest, key)))
        took["get_plain"].append(await _timed(_read(store, digest, None)))
        took["get"].append(await _timed(_read(store, digest, key)))
    found = {f"{what}_mb_s": SIZE / 1e6 / median(times) for what, times in took.items()}
    found["upload"] = found["put_plain_mb_s"] / found["put_mb_s"]
    found["reading"] = found["get_plain_mb_s"] / found["get_mb_s"]
    found["memory_mb"] = grown
    return found


async def _put_plain(backend: LocalStore, path: Path, digest: str) -> None:
    await obstore.put_async(backend, object_key(digest), path, mode="create", use_multipart=False)


async def _read(store: ObjectStore, digest: str, key: DocumentKey | None) -> None:
    async for _ in store.stream(digest, key):
        pass


async def _growth(store: ObjectStore, folder: Path) -> float:
    path, digest = _file(folder, 10 * SIZE)
    key = DocumentKey([SubjectCipher(UUID(int=1), os.urandom(32))])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await store.put_file(path, digest, key)
    await _read(store, digest, key)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def _file(folder: Path, size: int) -> tuple[Path, str]:
    path, seen = folder / os.urandom(8).hex(), sha256()
    with path.open("wb") as file:
        for _ in range(size // (1024 * 1024)):
            piece = os.urandom(1024 * 1024)
            seen.update(piece)
            file.write(piece)
    return path, seen.hexdigest()


async def _timed(work: Coroutine[None, None, None]) -> float:
    """Processor seconds, user and system, of all threads: a busy disk says nothing of ours."""
    begun = _used()
    await work
    return _used() - begun


def _used() -> float:
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return spent.ru_utime + spent.ru_stime


def show(found: dict[str, float]) -> None:
    for name, value in found.items():
        print(f"{name:<28}{value:>12,.2f}")
