"""Finding the caller's case: ownership stands in the SQL, what is not theirs does not exist.

Shared by the features that act on one case (offers, mandates, evidence, accounts).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.authorisation import Principal, case_scope
from app.domain.errors import NotFound, StaleVersion
from app.domain.roles import STAFF_ROLES
from app.etag import expected_version
from app.tables.cases import CaseRow, ClaimantRow


@dataclass(frozen=True, slots=True)
class OwnCase:
    """The few facts about a case that the services beside the engine need."""

    id: UUID
    version: int
    reference: str
    stage: str
    currency: str
    language: str
    consumer_id: UUID
    playbook: str


def is_staff(principal: Principal) -> bool:
    return principal.has(*STAFF_ROLES)


def no_case() -> NotFound:
    return NotFound("there is no such case", code="case_not_found")


async def own_case(
    session: AsyncSession, principal: Principal, case_id: UUID, *, lock: bool = False
) -> OwnCase:
    """The case, if it is one of the caller's. Raises NotFound.

    `lock` holds its row until the transaction ends: for services that write rows beside it and
    decide by what they read.
    """
    query = select(
        CaseRow.id,
        CaseRow.version,
        CaseRow.reference,
        CaseRow.stage,
        CaseRow.currency,
        CaseRow.language,
        CaseRow.consumer_id,
        CaseRow.playbook,
    ).where(CaseRow.id == case_id, case_scope(principal))
    if lock:
        query = query.with_for_update(of=CaseRow)
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise no_case()
    return OwnCase(**row._mapping)


async def own_claimant(
    session: AsyncSession, principal: Principal, case_id: UUID, claimant_id: UUID
) -> Any:
    """A claimant whom the caller may speak for: a consumer only for themself, an app only for
    people it alone brought to us. Whoever others know too speaks for themself. Raises NotFound."""
    query = (
        select(ClaimantRow)
        .join(CaseRow, CaseRow.id == ClaimantRow.case_id)
        .where(ClaimantRow.id == claimant_id, ClaimantRow.case_id == case_id, case_scope(principal))
    )
    if principal.kind == "consumer":
        query = query.where(ClaimantRow.consumer_id == principal.id)
    if principal.kind == "app":
        theirs, other = aliased(ClaimantRow), aliased(CaseRow)
        elsewhere = (
            select(theirs.id)
            .join(other, other.id == theirs.case_id)
            .where(theirs.consumer_id == ClaimantRow.consumer_id, other.source != principal.actor)
        )
        query = query.where(~elsewhere.exists())
    found = (await session.execute(query)).scalar_one_or_none()
    if found is None:
        raise NotFound("there is no such claimant for you to speak for", code="claimant_not_found")
    return found


def version_sent(principal: Principal, if_match: str | None) -> int | None:
    """The version the caller read: staff must send it (428), others may. Raises InvalidInput."""
    if if_match is None and not is_staff(principal):
        return None
    return expected_version(if_match)


def check_sent(case: OwnCase, sent: int | None) -> None:
    """Raises StaleVersion when the caller read an older version."""
    if sent is not None and sent != case.version:
        raise StaleVersion(
            "the case has changed since you read it; read it again", current=case.version
        )
