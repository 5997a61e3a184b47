"""Whose key a stored document is sealed under, told from the row that names it.

Evidence: of who filed the case. A signed mandate: of who signed. A letter: of everybody it speaks
of. A paper of the case: of whom it tells, a bundle of exhibits of all its claimants. What came in
from outside (the files of a mail, a scanned letter) has a key of its own, whose subject is the
inbound message.
None: from before documents were sealed; the bytes lie in the clear under their hash.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.crypto import DataErased, Keyring
from app.documents.sealing import DocumentKey
from app.domain.errors import NotFound
from app.tables.cases import CaseRow, ClaimantRow, LetterVersionRow
from app.tables.work import MandateRow
from app.vault import keep_cipher, open_ciphers


async def key_of(
    session: AsyncSession, keyring: Keyring, subjects: Collection[UUID]
) -> DocumentKey | None:
    """Raises DataErased once one of them is erased. None: nobody is named or ever had a key."""
    if not subjects:
        return None
    try:
        found = await open_ciphers(session, keyring, subjects)
    except NotFound:
        return None
    ciphers = [cipher for cipher in found.values() if cipher is not None]
    if len(ciphers) != len(found):
        raise DataErased("the key of this document has been destroyed")
    return DocumentKey(ciphers)


async def subject_key(
    session: AsyncSession, keyring: Keyring, subject: UUID, *, at: datetime | None = None
) -> DocumentKey | None:
    """With `at` a key is made where there is none; who comes second finds the first one's."""
    if at is not None:
        await keep_cipher(session, keyring, subject, at=at)
    return await key_of(session, keyring, [subject])


async def key_to_write(
    session: AsyncSession, keyring: Keyring, subject: UUID, at: datetime
) -> DocumentKey:
    """The key of a person, or of a file of its own. Raises DataErased."""
    key = await subject_key(session, keyring, subject, at=at)
    assert key is not None, "a key was made where there was none"
    return key


async def case_key(session: AsyncSession, keyring: Keyring, case_id: UUID) -> DocumentKey | None:
    """For what belongs to a case: the key of who filed it."""
    filed_by = await session.scalar(select(CaseRow.consumer_id).where(CaseRow.id == case_id))
    return await key_of(session, keyring, [filed_by] if filed_by else [])


async def mandate_key(
    session: AsyncSession, keyring: Keyring, mandate_id: UUID
) -> DocumentKey | None:
    """For the document of what somebody signed: their own."""
    signer = await session.scalar(
        select(ClaimantRow.consumer_id)
        .join(MandateRow, MandateRow.claimant_id == ClaimantRow.id)
        .where(MandateRow.id == mandate_id)
    )
    return await key_of(session, keyring, [signer] if signer else [])


async def letter_key(
    session: AsyncSession, keyring: Keyring, letter_id: UUID, digest: str
) -> DocumentKey | None:
    people = await session.scalar(
        select(LetterVersionRow.sealed_for)
        .where(LetterVersionRow.letter_id == letter_id, LetterVersionRow.sha256 == digest)
        .order_by(LetterVersionRow.n.desc())
        .limit(1)
    )
    return await key_of(session, keyring, people or [])


async def paper_key(
    session: AsyncSession, keyring: Keyring, case_id: UUID, claimant_id: UUID | None
) -> DocumentKey | None:
    """Of a paper about one claimant, or (None) about all of the case. Raises DataErased."""
    people = select(ClaimantRow.consumer_id).where(ClaimantRow.case_id == case_id)
    if claimant_id is not None:
        people = people.where(ClaimantRow.id == claimant_id)
    return await key_of(session, keyring, list(await session.scalars(people.distinct())))
