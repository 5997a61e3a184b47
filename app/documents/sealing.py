"""Bytes at rest in the document store: AES-256-GCM in chunks, under the keys of their subjects.

Layout: mark (4) || salt (16) || chunks of 256 KiB, each with its tag of 16 bytes. Every object has
a key of its own, made from the subjects' data keys and the salt; so a nonce is a counter and a last
byte that says whether the file ends here (STREAM). The additional data hold the mark, the salt and
the SHA-256 of the plain bytes: chunks cannot be moved, left out, doubled or put into another file.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.crypto import KEY_BYTES, CiphertextRefused, SubjectCipher

MARK: Final = b"RCD1"
SALT_BYTES: Final = 16
TAG_BYTES: Final = 16
HEAD_BYTES: Final = len(MARK) + SALT_BYTES
CHUNK_BYTES: Final = 256 * 1024
PURPOSE: Final = "document"


class DocumentKey:
    """Opens what is sealed for one set of subjects, while none of them is erased.

    `ciphers`: of everybody the document speaks of, at least one; their order does not matter.
    """

    __slots__ = ("_master", "_names")

    def __init__(self, ciphers: Sequence[SubjectCipher]) -> None:
        assert ciphers, "a document speaks of somebody, or belongs to something"
        parts = sorted({c.subject_id: c for c in ciphers}.items())
        joined = b"".join(subject.bytes + cipher.derive(PURPOSE) for subject, cipher in parts)
        self._master = _derived(joined, None, b"seal")
        self._names = _derived(joined, None, b"name")

    def __repr__(self) -> str:
        return "DocumentKey(...)"

    def name(self, digest: str) -> str:
        """Where the object lies. The same bytes under another key lie elsewhere, and the name tells
        nobody without the key which bytes they are."""
        named = hmac.digest(self._names, digest.encode(), "sha256").hex()
        return f"sealed/{named[:2]}/{named[2:4]}/{named}"

    def seal(self, pieces: Iterable[bytes], digest: str) -> Iterator[bytes]:
        """Head and chunks of a file given in pieces of any size."""
        salt = secrets.token_bytes(SALT_BYTES)
        yield MARK + salt
        aead, aad = self._aead(salt), _aad(salt, digest)
        for number, (chunk, last) in enumerate(_rechunked(pieces, CHUNK_BYTES)):
            yield aead.encrypt(_nonce(number, last), chunk, aad)

    def opener(self, digest: str) -> Opener:
        return Opener(self, digest)

    def _aead(self, salt: bytes) -> AESGCM:
        return AESGCM(_derived(self._master, salt, b"object"))


class Opener:
    """Takes sealed bytes as they come and gives plain ones; nothing comes out unchecked.

    `end` must be called: a file that was cut short is refused there, before its last piece.
    """

    def __init__(self, key: DocumentKey, digest: str) -> None:
        self._key, self._digest = key, digest
        self._held = bytearray()
        self._aead: AESGCM | None = None
        self._aad = b""
        self._number = 0

    def feed(self, piece: bytes) -> bytes:
        """Raises CiphertextRefused."""
        self._held += piece
        if self._aead is None:
            if len(self._held) < HEAD_BYTES:
                return b""
            self._begin()
        out = bytearray()
        # More than one chunk at hand: the first of them is not the last.
        while len(self._held) > CHUNK_BYTES + TAG_BYTES:
            out += self._open(CHUNK_BYTES + TAG_BYTES, last=False)
        return bytes(out)

    def end(self) -> bytes:
        """The last chunk. Raises CiphertextRefused."""
        if self._aead is None:
            raise CiphertextRefused("a stored document is cut short")
        return self._open(len(self._held), last=True)

    def _begin(self) -> None:
        head = bytes(self._held[:HEAD_BYTES])
        del self._held[:HEAD_BYTES]
        if head[: len(MARK)] != MARK:
            raise CiphertextRefused("a stored document has an unknown form")
        salt = head[len(MARK) :]
        self._aead, self._aad = self._key._aead(salt), _aad(salt, self._digest)

    def _open(self, length: int, *, last: bool) -> bytes:
        assert self._aead is not None, "the head was read"
        sealed = bytes(self._held[:length])
        del self._held[:length]
        try:
            plain = self._aead.decrypt(_nonce(self._number, last), sealed, self._aad)
        except (InvalidTag, ValueError):
            raise CiphertextRefused("a stored document was altered or cut") from None
        self._number += 1
        return plain


def _rechunked(pieces: Iterable[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """Chunks of one size and whether it is the last, which may be shorter or empty."""
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) > size:
            yield bytes(held[:size]), False
            del held[:size]
    yield bytes(held), True


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _aad(salt: bytes, digest: str) -> bytes:
    return MARK + salt + bytes.fromhex(digest)


def _derived(material: bytes, salt: bytes | None, info: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=salt, info=b"recourse:document:" + info).derive(material)
