"""Who may sign for whom: the claimant themself, a minor's guardian, a proxy with an authority."""

from __future__ import annotations

from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.authorisation import Principal
from app.cases.access import own_claimant
from app.crypto import DataErased, Keyring
from app.domain.errors import NotFound
from app.domain.screening import SERVED
from app.fields import FieldError, FieldsRefused
from app.law.adulthood import age_of, is_minor
from app.mandates.schemas import ActingIn, MandateIn
from app.tables.cases import ClaimantRow
from app.tables.people import ConsumerRow
from app.tables.work import EvidenceRow, MandateSignerRow
from app.vault import open_cipher

BIRTH_COLUMN: Final = f"{ConsumerRow.__tablename__}.birth_date_cipher"


async def signing_claimant(
    session: AsyncSession, principal: Principal, case_id: UUID, body: MandateIn
) -> Any:
    """The claimant the caller signs for: their own; or, where somebody acts, another person of
    the caller's own case (a parent booked for the child; `check_signer` sees to it that it is a
    child). Raises NotFound."""
    if body.acting is None or principal.kind != "consumer":
        return await own_claimant(session, principal, case_id, body.claimant_id)
    row = await session.scalar(
        select(ClaimantRow).where(
            ClaimantRow.id == body.claimant_id, ClaimantRow.case_id == case_id
        )
    )
    if row is None:
        raise _not_theirs()
    return row


def _not_theirs() -> NotFound:
    return NotFound("there is no such claimant for you to speak for", code="claimant_not_found")


async def check_signer(
    session: AsyncSession, keyring: Keyring, principal: Principal, claimant: Any, body: MandateIn,
    today: date,
) -> None:  # fmt: skip
    """A minor's mandate is signed by a guardian, a proxy shows an authority that covers it. One of
    a party signs for another only as the guardian of a child. Raises FieldsRefused, NotFound."""
    person = await session.get(ConsumerRow, claimant.consumer_id)
    assert person is not None, "a claimant is a consumer"
    minor, acting = await _is_minor(session, keyring, person, today), body.acting
    if principal.kind == "consumer" and principal.id != person.id:
        caller = await session.get(ConsumerRow, principal.id)
        child = caller is None or await _is_minor(session, keyring, caller, today)
        if child or not minor:
            raise _not_theirs()
    if minor and (acting is None or acting.role != "guardian"):
        years = age_of(person.country or "").years
        _refuse("/acting", f"until the age of {years} a guardian signs", "guardian_needed")
    if acting is None:
        return
    if acting.role == "guardian" and not minor and acting.evidence_id is None:
        _refuse("/acting/evidence_id", "a guardian of an adult shows it", "authority_needed")
    if acting.role == "proxy":
        _check_proxy(acting, body, today)
    if acting.evidence_id is not None:
        await check_paper(session, claimant.case_id, acting.evidence_id, "/acting/evidence_id")


def _check_proxy(acting: ActingIn, body: MandateIn, today: date) -> None:
    if acting.evidence_id is None or acting.valid_until is None:
        _refuse("/acting", "a proxy shows the written authority and its last day",
                "authority_needed")  # fmt: skip
    if acting.valid_until is not None and acting.valid_until < today:
        _refuse("/acting/valid_until", "this authority has ended", "authority_ended")
    if "sign" not in acting.scope or (body.receives_money and "receive_money" not in acting.scope):
        _refuse("/acting/scope", "the authority does not cover what is signed", "authority_narrow")


async def check_paper(
    session: AsyncSession, case_id: UUID, evidence_id: UUID, pointer: str
) -> None:
    """A file of this case that was looked at and let through. Raises FieldsRefused."""
    found = await session.scalar(
        select(EvidenceRow.state).where(
            EvidenceRow.id == evidence_id, EvidenceRow.case_id == case_id
        )
    )
    if found not in SERVED:
        _refuse(pointer, "add the paper to the case first; it is looked at, then it can be named",
                "evidence_not_found")  # fmt: skip


async def keep_signer(session: AsyncSession, mandate_id: UUID, acting: ActingIn) -> None:
    """Who signed for the claimant, apart from the mandate."""
    await session.execute(
        insert(MandateSignerRow).values(
            mandate_id=mandate_id, role=acting.role, name=acting.name, relation=acting.relation,
            evidence_id=acting.evidence_id, scope=list(acting.scope),
            valid_until=acting.valid_until,
        )
    )  # fmt: skip


async def _is_minor(
    session: AsyncSession, keyring: Keyring, person: ConsumerRow, today: date
) -> bool:
    """Known to be one: whose birth date we do not have signs for themself."""
    born = await _born(session, keyring, person)
    return born is not None and is_minor(born, today, person.country or "")


async def _born(session: AsyncSession, keyring: Keyring, person: ConsumerRow) -> date | None:
    if person.birth_date_cipher is None:
        return None
    try:
        cipher = await open_cipher(session, keyring, person.id)
    except DataErased:
        return None
    plain = cipher.decrypt(person.birth_date_cipher, column=BIRTH_COLUMN, row_id=person.id)
    return date.fromisoformat(plain)


def _refuse(pointer: str, message: str, code: str) -> None:
    raise FieldsRefused(FieldError(pointer, message, code))
