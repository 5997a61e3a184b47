"""Taking, giving and ending tasks. Two people never get the same one."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.authorisation.principal import Principal
from app.case_change import CaseChange, Facts, lock_facts
from app.domain.decision import TaskKind
from app.domain.errors import Conflict, Forbidden, NotFound
from app.domain.events import CaseReassigned
from app.moment import Moment, read_moment
from app.tables.cases import CaseRow
from app.tables.security import Staff
from app.tables.work import TaskRow
from app.tasks.forms import ENDED_BY_HAND
from app.tasks.queries import not_own_work, queue_page, queues_of, task_scope
from app.tasks.schemas import NextTaskIn

CANDIDATES: Final = 40  # more than handlers who could ask in the same instant
TRIES_MAX: Final = 5


class TaskTaken(Conflict):
    code = "task_taken"


class TaskNotByHand(Conflict):
    """This kind of work ends with what it is about, not with a tick."""

    code = "task_not_by_hand"


async def next_task(
    session: AsyncSession, caller: Principal, wanted: NextTaskIn
) -> tuple[uuid.UUID | None, datetime]:
    """The person's own first open task, else the first free one of the pool, now theirs.

    Returns (task id or None, business now). Taking a handler's task of a case without a handler
    takes the case: what comes up on it later comes to the same person.
    """
    moment = await read_moment(session)
    kinds = [k.value for k in wanted.kinds] if wanted.kinds is not None else None
    own = (
        await session.execute(
            queue_page(
                caller,
                "mine",
                after=None,
                limit=1,
                kinds=kinds,
                skip=wanted.skip,
                extra=not_own_work(caller),
            )
        )
    ).first()
    if own is not None:
        return own.id, moment.now
    skip = list(wanted.skip)
    for _ in range(TRIES_MAX):
        ids = [
            row.id
            for row in await session.execute(
                queue_page(
                    caller,
                    "pool",
                    after=None,
                    limit=CANDIDATES,
                    kinds=kinds,
                    skip=skip,
                    extra=not_own_work(caller),
                )
            )
        ]
        for task_id in ids:
            if await _take(session, caller, task_id, moment):
                return task_id, moment.now
        if len(ids) < CANDIDATES:
            break
        skip += ids
    return None, moment.now


async def _take(
    session: AsyncSession, caller: Principal, task_id: uuid.UUID, moment: Moment
) -> bool:
    """Locks the case, then the task, waiting for neither: what somebody else holds is theirs."""
    case_id = await session.scalar(select(TaskRow.case_id).where(TaskRow.id == task_id))
    case = None
    if case_id is not None:
        case = (
            await session.execute(
                select(CaseRow.id, CaseRow.handler_id)
                .where(CaseRow.id == case_id)
                .with_for_update(skip_locked=True)
            )
        ).one_or_none()
        if case is None:
            return False
    task = (
        await session.execute(
            select(TaskRow.role)
            .where(TaskRow.id == task_id, TaskRow.state == "open", TaskRow.assignee_id.is_(None))
            .with_for_update(skip_locked=True)
        )
    ).one_or_none()
    if task is None:
        return False
    if case is not None and task.role == "handler" and case.handler_id != caller.id:
        if case.handler_id is not None:
            return False  # it went to a colleague a moment ago
        await _take_case(session, caller, case.id, caller.id, moment)
    await session.execute(
        update(TaskRow).where(TaskRow.id == task_id).values(assignee_id=caller.id)
    )
    return True


async def _take_case(
    session: AsyncSession,
    caller: Principal,
    case_id: uuid.UUID,
    handler_id: uuid.UUID | None,
    moment: Moment,
) -> None:
    change = CaseChange(session, caller, await lock_facts(session, caller, case_id), moment)
    await change.advance(CaseReassigned(handler_id=handler_id, by=caller.actor))
    await session.execute(
        update(TaskRow)
        .where(TaskRow.case_id == case_id, TaskRow.state == "open", TaskRow.role == "handler")
        .values(assignee_id=handler_id)
    )


async def assign_task(
    session: AsyncSession, caller: Principal, task_id: uuid.UUID, assignee_id: uuid.UUID | None
) -> datetime:
    """Take a free task, give an own one back, or (a senior) give it to somebody.

    A handler's task goes with its case: assigning one of a case in the pool assigns the case.
    Returns business now. Raises NotFound, TaskTaken, Conflict, Forbidden.
    """
    moment = await read_moment(session)
    case_id, facts = await _locked_case_of(session, caller, task_id)
    task = (
        await session.execute(
            select(TaskRow)
            .where(TaskRow.id == task_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).scalar_one()
    if task.state != "open":
        raise Conflict("the task is done", code="task_closed")
    if not caller.has("senior") and assignee_id not in (None, caller.id):
        raise Forbidden("a senior gives a task to somebody else", code="senior_needed")
    if task.assignee_id not in (None, caller.id) and not caller.has("senior"):
        raise TaskTaken("a colleague has this task")
    if assignee_id is not None:
        await _check_assignee(session, assignee_id, task.role)
    if task.role == "handler" and facts is not None and case_id is not None:
        if facts.handler_id not in (None, assignee_id, caller.id) and assignee_id is not None:
            raise Conflict("the case is a colleague's: reassign the case", code="reassign_the_case")
        if facts.handler_id != assignee_id:
            await _take_case(session, caller, case_id, assignee_id, moment)
    task.assignee_id = assignee_id
    await session.flush()
    return moment.now


async def _locked_case_of(
    session: AsyncSession, caller: Principal, task_id: uuid.UUID
) -> tuple[uuid.UUID | None, Facts | None]:
    """The case of a task in the caller's scope, locked before the task. Raises NotFound."""
    found = (
        await session.execute(
            select(TaskRow.case_id, TaskRow.role).where(TaskRow.id == task_id, task_scope(caller))
        )
    ).one_or_none()
    if found is None:
        raise NotFound("there is no such task", code="task_not_found")
    if found.case_id is None or found.role != "handler":
        return found.case_id, None
    return found.case_id, await lock_facts(session, caller, found.case_id)


async def _check_assignee(session: AsyncSession, staff_id: uuid.UUID, role: str) -> None:
    row = (
        await session.execute(select(Staff.status, Staff.roles).where(Staff.id == staff_id))
    ).one_or_none()
    if row is None:
        raise NotFound("there is no such colleague", code="staff_not_found")
    as_caller = Principal("staff", staff_id, frozenset(row.roles))
    if row.status != "active" or role not in queues_of(as_caller) or "auditor" in row.roles:
        raise Conflict("this colleague does not work on such tasks", code="not_their_work")


async def finish_task(
    session: AsyncSession, caller: Principal, task_id: uuid.UUID, words: str
) -> datetime:
    """Ends work that no event ends, with what was done. Returns business now."""
    found = (
        await session.execute(
            select(TaskRow.case_id, TaskRow.kind).where(TaskRow.id == task_id, task_scope(caller))
        )
    ).one_or_none()
    if found is None or found.case_id is None:
        raise NotFound("there is no such task", code="task_not_found")
    if TaskKind(found.kind) not in ENDED_BY_HAND:
        raise TaskNotByHand("this task ends when what it asks for is recorded")
    facts = await lock_facts(session, caller, found.case_id)
    change = CaseChange(session, caller, facts, await read_moment(session))
    closed = await session.execute(
        update(TaskRow)
        .where(TaskRow.id == task_id, TaskRow.state == "open")
        .values(state="done", closed_at=change.now, closed_by=caller.actor)
        .returning(TaskRow.id)
    )
    if closed.first() is None:
        raise Conflict("the task is done", code="task_closed")
    code = await change.note(f"task_{found.kind}", words)
    await change.amend("task_done", kind=found.kind, said=code, internal="1")
    return change.now
