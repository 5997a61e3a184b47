"""What a person said a letter should say, kept sealed between the asking and the making of it.

A row belongs to one letter; its words are locked under the key of who filed the case, so they are
gone when that person is erased.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.crypto import Keyring
from app.tables.cases import LetterDetailsRow
from app.vault import open_cipher, open_ciphers

COLUMN: Final = "letter_details.details_cipher"


@dataclass(frozen=True, slots=True)
class LetterDetails:
    """`company_id`: whom the letter goes to, fixed when it was asked for; None: the case's."""

    said: dict[str, Any]
    company_id: uuid.UUID | None = None


async def keep_details(
    session: AsyncSession,
    keyring: Keyring,
    *,
    letter_id: uuid.UUID,
    consumer_id: uuid.UUID,
    details: LetterDetails,
) -> None:
    """`details.said` holds JSON values. Raises DataErased when the person is erased."""
    cipher = await open_cipher(session, keyring, consumer_id)
    said = json.dumps(details.said, ensure_ascii=False, sort_keys=True)
    await session.execute(
        insert(LetterDetailsRow).values(
            letter_id=letter_id,
            consumer_id=consumer_id,
            details_cipher=cipher.encrypt(said, column=COLUMN, row_id=letter_id),
            company_id=details.company_id,
        )
    )


async def read_details(
    session: AsyncSession, keyring: Keyring, letter_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, LetterDetails]:
    """By letter; one whose person is erased has none any more."""
    query = select(LetterDetailsRow).where(LetterDetailsRow.letter_id.in_(letter_ids))
    rows = list((await session.execute(query)).scalars())
    ciphers = (
        await open_ciphers(session, keyring, {row.consumer_id for row in rows}) if rows else {}
    )
    found = {}
    for row in rows:
        cipher = ciphers[row.consumer_id]
        if cipher is not None:
            plain = cipher.decrypt(row.details_cipher, column=COLUMN, row_id=row.letter_id)
            found[row.letter_id] = LetterDetails(json.loads(plain), row.company_id)
    return found
