"""Looking through the open cases page by page, and moving what a person approved."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import engine
from app.domain.case import Case
from app.domain.errors import NotFound
from app.domain.events import DateRecounted
from app.domain.periods import place
from app.domain.recount import Recounted, by_todays_calendar
from app.engine.load import read_cases
from app.ids import new_id
from app.moment import read_moment
from app.playbooks import book
from app.recounts.schemas import ApproveIn
from app.tables.cases import CaseRow
from app.tables.casework import CaseNoteRow

PAGE: Final = 500
Count = Callable[[Case, datetime], Recounted]


@dataclass(frozen=True, slots=True)
class Counted:
    case: Case
    found: Recounted


def today(case: Case, at: datetime) -> Recounted:
    """By the pinned playbook, with the holidays and regimes as they are now."""
    playbook = book.for_case(case.playbook, case.bodies)
    there = place(playbook.zone, book.calendar(playbook), playbook.regime)
    return by_todays_calendar(case, there, at)


async def page(
    session: AsyncSession, after: uuid.UUID | None, *, count: Count = today, limit: int = PAGE
) -> tuple[list[Counted], uuid.UUID | None]:
    """Open cases in the order of their ids, each counted; and where the next page begins."""
    query = select(CaseRow.id).where(CaseRow.stage != "closed").order_by(CaseRow.id).limit(limit)
    if after is not None:
        query = query.where(CaseRow.id > after)
    ids = list((await session.execute(query)).scalars())
    at = (await read_moment(session)).now
    cases = await read_cases(session, ids)
    found = [Counted(one.case, count(one.case, at)) for one in cases.values()]
    return found, ids[-1] if len(ids) == limit else None


async def all_open(session: AsyncSession, *, count: Count = today) -> AsyncIterator[Counted]:
    after: uuid.UUID | None = None
    while True:
        found, after = await page(session, after, count=count)
        for one in found:
            yield one
        if after is None:
            return


async def approve(
    session: AsyncSession, body: ApproveIn, *, actor: str
) -> tuple[list[uuid.UUID], list[tuple[uuid.UUID, str]]]:
    """(cases moved, cases left with the reason). A case is moved once however often it is named.
    Raises NotFound for an id that is no case; then nothing is moved."""
    wanted = {one.case_id: one for one in body.differences}
    known = await session.scalars(select(CaseRow.id).where(CaseRow.id.in_(wanted)))
    if unknown := set(wanted) - set(known):
        raise NotFound(f"there is no case {min(unknown)}", code="case_not_found")
    moment = await read_moment(session)
    results = await engine.advance_many(
        session,
        [engine.Fact(i, DateRecounted(w.was, w.due, actor), actor) for i, w in wanted.items()],
        moment=moment,
    )
    moved = [r.case_id for r in results if r.why is None]
    if moved:
        await session.execute(insert(CaseNoteRow), _notes(moved, body.reason, actor, moment.now))
    return moved, [(r.case_id, r.why) for r in results if r.why is not None]


def _notes(
    cases: Sequence[uuid.UUID], reason: str, actor: str, at: datetime
) -> list[dict[str, object]]:
    return [
        {"id": new_id(), "case_id": case, "about": "recount", "words": reason,
         "written_by": actor, "written_at": at}
        for case in cases
    ]  # fmt: skip
