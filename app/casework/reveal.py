"""A masked field in the clear, for a reason that is written down with the name."""

from __future__ import annotations

import uuid
from typing import Final, Literal

from sqlalchemy import ColumnElement, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import audit
from app.authorisation.principal import Principal
from app.authorisation.scope import case_scope, may_reveal
from app.case_change import IN_WORDS, work_scope
from app.clock import business_now
from app.crypto import Keyring, SubjectCipher
from app.domain.errors import Forbidden, NotFound
from app.ids import new_id
from app.tables.cases import CaseRow, ClaimantRow
from app.tables.casework import CaseNoteRow
from app.tables.payouts import PayoutAccount
from app.tables.people import ConsumerRow
from app.vault import open_cipher

What = Literal["iban", "address", "birth_date"]
COLUMNS: Final = {"address": "address_cipher", "birth_date": "birth_date_cipher"}


async def reveal(
    session: AsyncSession,
    caller: Principal,
    keyring: Keyring,
    case_id: uuid.UUID,
    claimant_id: uuid.UUID,
    *,
    what: What,
    reason: str,
) -> str:
    """Accounts for finance, addresses and birth dates for who works on the case.

    The history of the case keeps who looked at what; the version of the case does not move, for
    nothing in it changed. Raises Forbidden, NotFound, DataErased.
    """
    consumer_id = await _consumer(session, _scope(caller, what), case_id, claimant_id)
    cipher = await open_cipher(session, keyring, consumer_id)
    value = (
        await _account(session, consumer_id, cipher)
        if what == "iban"
        else await _field(session, consumer_id, cipher, COLUMNS[what])
    )
    now = await business_now(session)
    await session.execute(
        insert(CaseNoteRow).values(
            id=new_id(),
            case_id=case_id,
            about="revealed",
            words=reason,
            written_by=caller.actor,
            written_at=now,
        )
    )
    await audit.append(
        session,
        stream=f"case:{case_id}",
        code="field_revealed",
        params={"what": what, "claimant": str(claimant_id), "reason": IN_WORDS, "internal": "1"},
        actor=caller.actor,
        at=now,
    )
    return value


def _scope(caller: Principal, what: What) -> ColumnElement[bool]:
    if what == "iban":
        if not may_reveal(caller):
            raise Forbidden("finance looks at account numbers", code="finance_needed")
        return case_scope(caller)
    if not caller.has("handler", "senior", "legal"):
        raise Forbidden("who works on the case looks at this", code="handler_needed")
    return work_scope(caller)


async def _consumer(
    session: AsyncSession, scope: ColumnElement[bool], case_id: uuid.UUID, claimant_id: uuid.UUID
) -> uuid.UUID:
    found = await session.scalar(
        select(ClaimantRow.consumer_id)
        .join(CaseRow, CaseRow.id == ClaimantRow.case_id)
        .where(ClaimantRow.id == claimant_id, ClaimantRow.case_id == case_id, scope)
    )
    if found is None:
        raise NotFound("there is no such claimant", code="claimant_not_found")
    return found


async def _field(
    session: AsyncSession, consumer_id: uuid.UUID, cipher: SubjectCipher, column: str
) -> str:
    stored = await session.scalar(
        select(getattr(ConsumerRow, column)).where(ConsumerRow.id == consumer_id)
    )
    if stored is None:
        raise NotFound("nothing is on file here", code="not_on_file")
    return cipher.decrypt(stored, column=f"consumers.{column}", row_id=consumer_id)


async def _account(session: AsyncSession, consumer_id: uuid.UUID, cipher: SubjectCipher) -> str:
    row = (
        await session.execute(
            select(PayoutAccount.id, PayoutAccount.iban_cipher).where(
                PayoutAccount.consumer_id == consumer_id, PayoutAccount.retired_at.is_(None)
            )
        )
    ).one_or_none()
    if row is None:
        raise NotFound("nothing is on file here", code="not_on_file")
    return cipher.decrypt(row.iban_cipher, column="payout_accounts.iban_cipher", row_id=row.id)
