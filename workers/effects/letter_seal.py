"""What a letter said, sealed: it names people and where they live.

The content is locked once for each person it speaks of, one key around the other. So it opens only
while none of them is erased, and the erasure of one leaves nothing of them readable in it
(docs/decisions/0029).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.crypto import DataErased, Keyring, SubjectCipher
from app.domain.errors import NotFound
from app.tables.cases import LetterVersionRow
from app.vault import open_ciphers

COLUMN: Final = "letter_versions.content_cipher"


def seal_content(
    content: dict[str, Any], ciphers: Sequence[SubjectCipher], letter_id: UUID
) -> bytes:
    """`ciphers` in the order of `sealed_for`, at least one."""
    assert ciphers, "a letter speaks for somebody"
    sealed = json.dumps(content, ensure_ascii=False).encode()
    for cipher in ciphers:
        sealed = cipher.seal(sealed, column=COLUMN, row_id=letter_id)
    return sealed


async def open_content(
    session: AsyncSession, keyring: Keyring, letter_id: UUID, n: int
) -> dict[str, Any]:
    """What this rendering said. NotFound; DataErased once one of its people is erased."""
    row = (
        await session.execute(
            select(LetterVersionRow.content_cipher, LetterVersionRow.sealed_for).where(
                LetterVersionRow.letter_id == letter_id, LetterVersionRow.n == n
            )
        )
    ).one_or_none()
    if row is None or row.content_cipher is None:
        raise NotFound("the content of this letter is not kept", code="letter_not_found")
    ciphers = await open_ciphers(session, keyring, row.sealed_for)
    sealed: bytes = row.content_cipher
    for person in reversed(row.sealed_for):
        cipher = ciphers[person]
        if cipher is None:
            raise DataErased("a person this letter speaks of has been erased")
        sealed = cipher.open(sealed, column=COLUMN, row_id=letter_id)
    content: dict[str, Any] = json.loads(sealed)
    return content
