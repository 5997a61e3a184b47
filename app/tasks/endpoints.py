"""Queues: typed tasks in a stored order, and "next task"."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from app.clock import business_now
from app.deps import Pages, ReadSession, Router, Session, Staff, problems
from app.domain.decision import TaskKind
from app.domain.errors import NotFound
from app.schemas import Id
from app.tasks import queries, service
from app.tasks.schemas import (
    AssignTaskIn,
    FinishTaskIn,
    NextTaskIn,
    NextTaskOut,
    Queue,
    TaskListOut,
    TaskOut,
)

router = Router(prefix="/v1/tasks", tags=["tasks"])


@router.post("/next", operation_id="next_task", responses=problems("conflict"))
async def next_task(session: Session, caller: Staff, body: NextTaskIn | None = None) -> NextTaskOut:
    """My next open task; else the first free one of the pool, assigned to me with its case."""
    task_id, now = await service.next_task(session, caller, body or NextTaskIn(skip=[]))
    if task_id is None:
        return NextTaskOut(task=None)
    return NextTaskOut(task=(await queries.show(session, caller, [task_id], now=now))[0])


@router.get("", operation_id="list_tasks")
async def list_tasks(
    session: ReadSession,
    caller: Staff,
    pages: Pages,
    queue: Annotated[Queue, Query()] = "all",
    kind: Annotated[TaskKind | None, Query()] = None,
) -> TaskListOut:
    """Open tasks by stored priority, then due date: mine, the free ones, or all I may see."""
    filters = {"queue": queue, "kind": kind.value if kind else None}
    page = (
        await session.execute(
            queries.queue_page(
                caller,
                queue,
                after=pages.after("tasks", filters),
                limit=pages.limit + 1,
                kinds=[kind.value] if kind else None,
            )
        )
    ).all()
    shown = page[: pages.limit]
    items = await queries.show(
        session,
        caller,
        [row.id for row in shown],
        now=await business_now(session),
        scope=queries.task_scope(caller),
    )
    more = len(page) > pages.limit
    last = shown[-1] if shown else None
    return TaskListOut(
        items=items,
        next_cursor=pages.next("tasks", [last.priority, last.due_at, last.id], filters)
        if more and last
        else None,
    )


@router.get("/{task_id}", operation_id="get_task")
async def get_task(task_id: Id, session: ReadSession, caller: Staff) -> TaskOut:
    return await _shown(session, caller, task_id)


@router.post("/{task_id}/assign", operation_id="assign_task", responses=problems("conflict"))
async def assign_task(task_id: Id, body: AssignTaskIn, session: Session, caller: Staff) -> TaskOut:
    """Take a free task, give it back (null); a senior gives it to somebody."""
    now = await service.assign_task(session, caller, task_id, body.assignee_id)
    return (await queries.show(session, caller, [task_id], now=now))[0]


@router.post("/{task_id}/done", operation_id="finish_task", responses=problems("conflict"))
async def finish_task(task_id: Id, body: FinishTaskIn, session: Session, caller: Staff) -> TaskOut:
    """End work that nothing else ends (a call, an incident, a legal letter), with what was done."""
    now = await service.finish_task(session, caller, task_id, body.words)
    return (await queries.show(session, caller, [task_id], now=now))[0]


async def _shown(session: ReadSession, caller: Staff, task_id: Id) -> TaskOut:
    found = await queries.show(
        session,
        caller,
        [task_id],
        now=await business_now(session),
        scope=queries.task_scope(caller),
    )
    if not found:
        raise NotFound("there is no such task", code="task_not_found")
    return found[0]
