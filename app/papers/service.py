"""Who may ask for a paper of a case and who reads it. Workers make it (workers.papers)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.authorisation import Principal, case_scope
from app.cases.access import own_case, own_claimant
from app.documents.papers import Wanted, order_again, order_papers
from app.domain.errors import NotFound
from app.ids import new_id
from app.moment import read_moment
from app.tables.cases import CaseRow, ClaimantRow
from app.tables.papers import CasePaperRow, PaperFileRow

LISTED_MAX = 500  # papers of one case: far more than any has


class NoSuchPaper(NotFound):
    code = "paper_not_found"


def _visible(caller: Principal, case_id: uuid.UUID) -> Select[Any]:
    """Papers of the case that the caller may read: consumers their own, staff every one."""
    query = (
        select(CasePaperRow)
        .join(CaseRow, CaseRow.id == CasePaperRow.case_id)
        .where(CasePaperRow.case_id == case_id, case_scope(caller))
    )
    if caller.kind == "consumer":
        query = query.join(ClaimantRow, ClaimantRow.id == CasePaperRow.claimant_id).where(
            ClaimantRow.consumer_id == caller.id
        )
    return query


async def ask_statement(
    session: AsyncSession,
    caller: Principal,
    case_id: uuid.UUID,
    claimant_id: uuid.UUID,
    language: str | None,
) -> CasePaperRow:
    """One that is being made is not ordered twice. Raises NotFound."""
    await own_claimant(session, caller, case_id, claimant_id)
    await own_case(session, caller, case_id, lock=True)
    now = (await read_moment(session)).now
    waiting: CasePaperRow | None = await session.scalar(
        select(CasePaperRow)
        .where(
            CasePaperRow.case_id == case_id, CasePaperRow.kind == "statement",
            CasePaperRow.claimant_id == claimant_id, CasePaperRow.made_at.is_(None),
            CasePaperRow.language.is_not_distinct_from(language),
        )
        .limit(1)
    )  # fmt: skip
    if waiting is not None:
        await order_again(session, case_id, waiting.id, now=now)
        return waiting
    wanted = Wanted(new_id(), case_id, "statement", claimant_id, language)
    await order_papers(session, [wanted], actor=caller.actor, now=now)
    row = await session.get(CasePaperRow, wanted.id)
    assert row is not None, "it was just written"
    return row


async def make_again(
    session: AsyncSession, caller: Principal, case_id: uuid.UUID, paper_id: uuid.UUID
) -> CasePaperRow:
    """For a paper that could not be made, when what it lacked has been filled in. A paper that is
    made, or on its way, stays as it is. Raises NotFound."""
    await own_case(session, caller, case_id, lock=True)
    row = await _found(session, caller, case_id, paper_id)
    if row.made_at is None:
        await order_again(session, case_id, paper_id, now=(await read_moment(session)).now)
    return row


async def listed(
    session: AsyncSession, caller: Principal, case_id: uuid.UUID
) -> Sequence[CasePaperRow]:
    """The newest first. Raises NotFound."""
    await own_case(session, caller, case_id)
    query = _visible(caller, case_id).order_by(CasePaperRow.id.desc()).limit(LISTED_MAX)
    return (await session.scalars(query)).all()


async def files_of(
    session: AsyncSession, ids: Sequence[uuid.UUID]
) -> Mapping[uuid.UUID, list[PaperFileRow]]:
    found: dict[uuid.UUID, list[PaperFileRow]] = {each: [] for each in ids}
    query = select(PaperFileRow).where(PaperFileRow.paper_id.in_(ids))
    for row in await session.scalars(query.order_by(PaperFileRow.paper_id, PaperFileRow.part)):
        found[row.paper_id].append(row)
    return found


async def file_of(
    session: AsyncSession, caller: Principal, case_id: uuid.UUID, paper_id: uuid.UUID, part: int
) -> tuple[CasePaperRow, PaperFileRow]:
    """Raises NotFound: unknown, not the caller's, or not made yet."""
    paper = await _found(session, caller, case_id, paper_id)
    row = await session.get(PaperFileRow, (paper_id, part))
    if row is None:
        raise NoSuchPaper("this file is not made")
    return paper, row


async def _found(
    session: AsyncSession, caller: Principal, case_id: uuid.UUID, paper_id: uuid.UUID
) -> CasePaperRow:
    row: CasePaperRow | None = await session.scalar(
        _visible(caller, case_id).where(CasePaperRow.id == paper_id)
    )
    if row is None:
        raise NoSuchPaper("there is no such paper on this case")
    return row
