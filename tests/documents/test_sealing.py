"""Bytes at rest: sealed in chunks, bound to their file, gone with the key."""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from obstore.store import MemoryStore

from app.crypto import CiphertextRefused, SubjectCipher
from app.documents import sealing
from app.documents.sealing import CHUNK_BYTES, HEAD_BYTES, TAG_BYTES, DocumentKey
from app.documents.store import DocumentCorrupt, DocumentMissing, ObjectStore
from tests.support.clear_papers import put_in_clear

ANNA = SubjectCipher(UUID(int=1), b"a" * 32)
BEN = SubjectCipher(UUID(int=2), b"b" * 32)
KEY, BOTH = DocumentKey([ANNA]), DocumentKey([ANNA, BEN])


def opened(sealed: bytes, digest: str, cuts: list[int], key: DocumentKey = KEY) -> bytes:
    opener = key.opener(digest)
    at = [0, *sorted(c % (len(sealed) + 1) for c in cuts), len(sealed)]
    return b"".join([*(opener.feed(sealed[a:b]) for a, b in pairwise(at)), opener.end()])


@given(st.integers(0, 3 * 64 + 1), st.lists(st.integers(0, 10**6), max_size=5))
def test_any_length_comes_back_however_it_is_cut(length: int, cuts: list[int]) -> None:
    data = bytes(range(256))[: length % 256] or b""
    digest = sha256(data).hexdigest()
    with pytest.MonkeyPatch.context() as small:
        small.setattr(sealing, "CHUNK_BYTES", 64)
        sealed = b"".join(KEY.seal([data[:7], data[7:]], digest))
        assert opened(sealed, digest, cuts) == data


def test_chunks_cannot_be_changed_cut_moved_or_read_by_another() -> None:
    data = b"x" * (2 * CHUNK_BYTES + 5)
    digest = sha256(data).hexdigest()
    sealed = b"".join(BOTH.seal([data], digest))
    one = CHUNK_BYTES + TAG_BYTES
    head, first, second = sealed[:HEAD_BYTES], sealed[HEAD_BYTES:][:one], sealed[HEAD_BYTES + one :]
    assert opened(sealed, digest, [], DocumentKey([BEN, ANNA])) == data
    assert data[:100] not in sealed
    spoiled = (
        head + first, head + second[:one] + first + second[one:], head + second, sealed[:-1],
        sealed + b"!", b"RCD2" + sealed[4:], head + b"\0" + first[1:] + second, head, b"",
    )  # fmt: skip
    for bad in spoiled:
        with pytest.raises(CiphertextRefused):
            opened(bad, digest, [], BOTH)
    with pytest.raises(CiphertextRefused):
        opened(sealed, digest, [], KEY)  # one of the two alone
    with pytest.raises(CiphertextRefused):
        opened(sealed, sha256(b"other").hexdigest(), [], BOTH)


async def test_the_store_keeps_the_same_bytes_once_per_key_and_reads_what_is_old() -> None:
    backend = MemoryStore()
    store = ObjectStore(backend)
    digest = await store.put(b"%PDF the same", KEY)
    assert (
        digest == await store.put(b"%PDF the same", KEY) == await store.put(b"%PDF the same", BOTH)
    )
    names = [str(found["path"]) for batch in backend.list() for found in batch]
    assert sorted(names) == sorted([KEY.name(digest), BOTH.name(digest)])
    assert not any(digest in name for name in names)
    stored = bytes(backend.get(KEY.name(digest)).bytes())
    assert b"%PDF" not in stored
    backend.put(KEY.name(digest), stored[:-1] + bytes([stored[-1] ^ 1]))
    with pytest.raises(DocumentCorrupt):
        await store.get(digest, KEY)
    with pytest.raises(DocumentMissing):
        await store.get(sha256(b"nowhere").hexdigest(), KEY)
    old = await put_in_clear(store, b"of last year")
    assert await store.get(old, KEY) == await store.get(old, None) == b"of last year"
    assert await store.seal_old(old, KEY) and not await store.seal_old(old, KEY)
    await store.drop_old(old)
    assert [d async for d in store.unsealed()] == [] and await store.get(old, KEY)
