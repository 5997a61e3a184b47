"""Whose case it is: reassign one, hand over all of an absent colleague's in bounded batches."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import audit, engine
from app.case_change import CaseChange
from app.db import Database
from app.domain.errors import Conflict, Forbidden, NotFound
from app.domain.events import CaseReassigned
from app.moment import read_moment
from app.tables.cases import CaseRow
from app.tables.security import Staff
from app.tables.work import TaskRow

HAND_OVER_BATCH: Final = 100  # cases per transaction: locks held well under a second
HAND_OVER_BATCHES_MAX: Final = 20  # per call; `more` asks for another
WORKS_ON_CASES: Final = frozenset({"handler", "senior"})


class NotAHandler(Conflict):
    """Cases go to an active colleague who may work on them."""

    code = "not_a_handler"


async def reassign(change: CaseChange, handler_id: uuid.UUID | None) -> None:
    """A handler takes a case of the pool or gives an own one back; a senior moves any."""
    own = change.caller.id
    if not change.caller.has("senior") and handler_id not in (None, own):
        raise Forbidden("a senior hands a case to somebody else", code="senior_needed")
    if handler_id is not None:
        await check_handler(change.session, handler_id)
    await change.advance(CaseReassigned(handler_id=handler_id, by=change.actor))
    await follow_case(change.session, [change.case.id], handler_id)


async def check_handler(session: AsyncSession, staff_id: uuid.UUID) -> None:
    """Raises NotFound or NotAHandler."""
    row = (
        await session.execute(select(Staff.status, Staff.roles).where(Staff.id == staff_id))
    ).one_or_none()
    if row is None:
        raise NotFound("there is no such colleague", code="staff_not_found")
    if row.status != "active" or WORKS_ON_CASES.isdisjoint(row.roles):
        raise NotAHandler("this colleague is not active or does not work on cases")


async def follow_case(
    session: AsyncSession, case_ids: Sequence[uuid.UUID], handler_id: uuid.UUID | None
) -> None:
    """The handler's tasks of these cases go where the cases went (their rows are locked by us)."""
    await session.execute(
        update(TaskRow)
        .where(TaskRow.case_id.in_(case_ids), TaskRow.state == "open", TaskRow.role == "handler")
        .values(assignee_id=handler_id)
    )


@dataclass(slots=True)
class HandedOver:
    cases: int = 0
    tasks: int = 0
    refused: list[uuid.UUID] = field(default_factory=list)
    more: bool = False


async def hand_over(
    database: Database,
    staff_id: uuid.UUID,
    to: uuid.UUID | None,
    *,
    actor: str,
    now: datetime,
) -> HandedOver:
    """Every open case and task of an absent colleague, to another or to the pool.

    Batches commit one by one: what was moved stays moved, and the call can be repeated. A case the
    ladder refuses to move is named, never skipped in silence.
    """
    async with database.transaction() as session:
        if await session.get(Staff, staff_id) is None:
            raise NotFound("there is no such colleague", code="staff_not_found")
        if to == staff_id:
            raise Conflict("hand over to somebody else", code="same_person")
        if to is not None:
            await check_handler(session, to)
        await audit.append(
            session,
            stream=f"staff:{staff_id}",
            code="handed_over",
            params={"to": str(to) if to else "pool"},
            actor=actor,
            at=now,
        )
    done = HandedOver()
    after: uuid.UUID | None = None
    for _ in range(HAND_OVER_BATCHES_MAX):
        async with database.transaction() as session:
            last = await _move_batch(session, staff_id, to, actor, after, done)
        if last is None:
            done.tasks += await _move_tasks(database, staff_id, to)
            return done
        after = last
    done.more = True
    return done


async def give_open_work(
    session: AsyncSession, staff_id: uuid.UUID, to: uuid.UUID | None, actor: str
) -> int:
    """The same inside one transaction, for the deactivation of an account: cases and tasks moved.

    Raises Conflict when the ladder refuses a case, or when there are more than a call can move:
    hand over first, then deactivate.
    """
    if to is not None:
        await check_handler(session, to)
    done = HandedOver()
    after: uuid.UUID | None = None
    for _ in range(HAND_OVER_BATCHES_MAX):
        after = await _move_batch(session, staff_id, to, actor, after, done)
        if after is None:
            break
    else:
        raise Conflict("too many cases for one step: hand over first", code="hand_over_first")
    if done.refused:
        raise Conflict(
            "some cases cannot be moved", code="hand_over_refused", cases=len(done.refused)
        )
    for _ in range(HAND_OVER_BATCHES_MAX):
        moved = await _move_task_batch(session, staff_id, to)
        done.tasks += moved
        if not moved:
            break
    return done.cases + done.tasks


async def _move_batch(
    session: AsyncSession,
    staff_id: uuid.UUID,
    to: uuid.UUID | None,
    actor: str,
    after: uuid.UUID | None,
    done: HandedOver,
) -> uuid.UUID | None:
    """One batch by the index of a handler's open cases; None when nothing was left."""
    query = (
        select(CaseRow.id)
        .where(CaseRow.handler_id == staff_id, CaseRow.stage != "closed")
        .order_by(CaseRow.id)
        .limit(HAND_OVER_BATCH)
    )
    if after is not None:
        query = query.where(CaseRow.id > after)
    ids = list((await session.scalars(query.with_for_update())).all())
    if not ids:
        return None
    event = CaseReassigned(handler_id=to, by=actor)
    results = await engine.advance_many(
        session,
        [engine.Fact(case_id, event, actor) for case_id in ids],
        moment=await read_moment(session),
    )
    moved = [r.case_id for r in results if r.why is None]
    done.refused += [r.case_id for r in results if r.why is not None]
    done.cases += len(moved)
    await follow_case(session, moved, to)
    return ids[-1]


# Tasks taken from other roles' queues, and those on cases that are closed meanwhile.
_MOVE_TASKS = text("""
    UPDATE tasks SET assignee_id = CASE WHEN role = 'handler' THEN CAST(:to AS uuid) END
     WHERE id IN (SELECT id FROM tasks WHERE assignee_id = :staff_id AND state = 'open'
                   ORDER BY priority, due_at, id LIMIT :limit)
    RETURNING id
""")


async def _move_tasks(database: Database, staff_id: uuid.UUID, to: uuid.UUID | None) -> int:
    moved = 0
    for _ in range(HAND_OVER_BATCHES_MAX):
        async with database.transaction() as session:
            batch = await _move_task_batch(session, staff_id, to)
        moved += batch
        if not batch:
            break
    return moved


async def _move_task_batch(session: AsyncSession, staff_id: uuid.UUID, to: uuid.UUID | None) -> int:
    bound = {"staff_id": staff_id, "to": to, "limit": HAND_OVER_BATCH}
    return len((await session.execute(_MOVE_TASKS, bound)).all())
