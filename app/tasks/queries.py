"""Reading queues: the stored order (priority, due date, id) by index, never a whole sort."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    exists,
    literal,
    or_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.authorisation.principal import Principal
from app.case_state import AmountOut, basis_words
from app.domain.decision import TaskKind
from app.tables.cases import CaseRow, LetterRow
from app.tables.casework import AssessmentRow
from app.tables.people import CompanyRow, ConsumerRow
from app.tables.work import TaskRow
from app.tasks.forms import forms
from app.tasks.help_lines import help_lines
from app.tasks.schemas import HelpLineOut, OperationOut, TaskCaseOut, TaskOut

# Whose queue a role works on. A senior can do a handler's work, never the other way round.
QUEUES: Final = {
    "handler": ("handler",),
    "senior": ("senior", "handler"),
    "finance": ("finance",),
    "finance_approver": ("finance",),
    "legal": ("legal",),
    "admin": ("admin",),
    "auditor": ("handler", "senior", "finance", "legal", "admin"),
}
SEES_NAMES: Final = ("handler", "senior", "legal")
_ORDER = (TaskRow.priority, TaskRow.due_at, TaskRow.id)


def queues_of(caller: Principal) -> tuple[str, ...]:
    found = {queue for role in caller.roles for queue in QUEUES.get(role, ())}
    return tuple(sorted(found))


def task_scope(caller: Principal) -> ColumnElement[bool]:
    """The tasks a person may see: their queues', on cases they may see.

    A handler's are those of own cases and the pool, so a foreign one is as unknown as none.
    """
    queues = TaskRow.role.in_(queues_of(caller))
    if caller.has("senior", "auditor"):
        return queues
    case = aliased(CaseRow)  # a name of its own: the outer query may join cases as well
    foreign = exists().where(
        case.id == TaskRow.case_id, case.handler_id.is_not(None), case.handler_id != caller.id
    )
    on_mine = or_(TaskRow.role != "handler", ~foreign)
    return or_(TaskRow.assignee_id == caller.id, queues & on_mine)


def not_own_work(caller: Principal) -> ColumnElement[bool]:
    """Leaves out approvals of what the person prepared: four eyes are somebody else's two."""
    prepared = exists().where(
        LetterRow.id == TaskRow.subject_id, LetterRow.prepared_by == caller.actor
    )
    assessed = exists().where(
        AssessmentRow.case_id == TaskRow.case_id, AssessmentRow.decided_by == caller.actor
    )
    return or_(TaskRow.kind != "approve_letter", TaskRow.role != "senior", ~prepared & ~assessed)


def queue_page(
    caller: Principal,
    queue: str,
    *,
    after: list[Any] | None,
    limit: int,
    kinds: Sequence[str] | None = None,
    skip: Sequence[uuid.UUID] = (),
    extra: ColumnElement[bool] | None = None,
) -> Select[uuid.UUID, int, datetime]:
    """Ids of a queue in order: at most `limit` from each index range, then merged.

    It asks no other table about each row: that would read all cases before the first task is shown.
    """
    where: list[ColumnElement[bool]] = [TaskRow.state == "open"]
    if kinds is not None:
        where.append(TaskRow.kind.in_(kinds))
    if skip:
        where.append(TaskRow.id.not_in(skip))
    if after is not None:
        values = [literal(v, c.type) for v, c in zip(after, _ORDER, strict=True)]
        where.append(tuple_(*_ORDER) > tuple_(*values))
    if extra is not None:
        where.append(extra)
    mine = _range([*where, TaskRow.assignee_id == caller.id], limit)
    if queue == "mine":
        return mine
    # A free handler's task is one of a case in the pool; `show` and `_take` look again by case.
    everything = queue == "all" and caller.has("senior", "auditor")
    if not everything:
        where.append(TaskRow.assignee_id.is_(None))
    ranges = [
        _range([*where, TaskRow.role == role], limit).subquery() for role in queues_of(caller)
    ]
    if queue == "all" and not everything:
        ranges.append(mine.subquery())
    merged = union_all(*[select(r) for r in ranges]).subquery()
    return (
        select(merged.c.id, merged.c.priority, merged.c.due_at)
        .order_by(merged.c.priority, merged.c.due_at, merged.c.id)
        .limit(limit)
    )


def _range(where: Sequence[ColumnElement[bool]], limit: int) -> Select[uuid.UUID, int, datetime]:
    return (
        select(TaskRow.id, TaskRow.priority, TaskRow.due_at)
        .where(*where)
        .order_by(*_ORDER)
        .limit(limit)
    )


_SHOWN = (
    select(
        TaskRow,
        CaseRow.reference,
        CaseRow.stage,
        CaseRow.step,
        CaseRow.waiting_on,
        CaseRow.claim_kind,
        CaseRow.currency,
        CaseRow.claimed_minor,
        CaseRow.version,
        CaseRow.due_at.label("case_due_at"),
        CaseRow.due_basis,
        CompanyRow.legal_name,
        CaseRow.company_text,
        ConsumerRow.name.label("consumer"),
        ConsumerRow.country,
        CaseRow.jurisdiction,
    )
    .outerjoin(CaseRow, CaseRow.id == TaskRow.case_id)
    .outerjoin(CompanyRow, CompanyRow.id == CaseRow.company_id)
    .outerjoin(ConsumerRow, ConsumerRow.id == CaseRow.consumer_id)
)


async def show(
    session: AsyncSession,
    caller: Principal,
    ids: Sequence[uuid.UUID],
    *,
    now: datetime,
    scope: ColumnElement[bool] | None = None,
) -> list[TaskOut]:
    """The tasks of these ids as the person reads them, in the order of the ids."""
    if not ids:
        return []
    query = _SHOWN.where(TaskRow.id.in_(ids), scope if scope is not None else true())
    found = {row.TaskRow.id: _task(row, caller, now) for row in await session.execute(query)}
    return [found[i] for i in ids if i in found]


def _task(row: Any, caller: Principal, now: datetime) -> TaskOut:
    task: TaskRow = row.TaskRow
    form = forms().form(task.kind)
    case = None
    if task.case_id is not None:
        case = TaskCaseOut(
            id=task.case_id,
            reference=row.reference,
            stage=row.stage,
            step=row.step,
            waiting_on=row.waiting_on,
            claim_kind=row.claim_kind,
            company=row.legal_name or row.company_text,
            consumer=row.consumer if caller.has(*SEES_NAMES) else None,
            claimed=AmountOut.of(row.claimed_minor, row.currency),
            version=row.version,
        )
    return TaskOut(
        id=task.id,
        kind=task.kind,
        title=form.title,
        what_happened=form.happened,
        role=task.role,
        state=task.state,
        case=case,
        subject_id=task.subject_id,
        due_at=task.due_at,
        due_because=_due_because(task, row),
        overdue=task.due_at < now,
        priority=task.priority,
        priority_reason=task.priority_reason,
        priority_because=forms().reason(task.priority_reason),
        assignee_id=task.assignee_id,
        opened_at=task.opened_at,
        allowed=_allowed(task),
        help_lines=_help_lines(row),
    )


def _help_lines(row: Any) -> list[HelpLineOut]:
    """Where the consumer lives; where nobody asked them, the country of the case."""
    if row.TaskRow.kind != TaskKind.CARE:
        return []
    return [
        HelpLineOut(
            name=line.name,
            number=line.number,
            hours=line.hours,
            source=line.source,
            to_be_confirmed=not line.verified,
        )
        for line in help_lines(row.country or row.jurisdiction or "")
    ]


def _due_because(task: TaskRow, row: Any) -> str:
    """The case's own date explains itself; another one is ours and says from when it counts."""
    if row.due_basis is not None and row.case_due_at == task.due_at:
        return basis_words(row.due_basis)
    opened = task.opened_at
    return (
        f"a date of ours, set when this came up on {opened.day} {opened:%B %Y}:"
        f" {forms().reason(task.priority_reason)}"
    )


def _allowed(task: TaskRow) -> list[OperationOut]:
    known = {"{case_id}": task.case_id, "{task_id}": task.id}
    if task.kind in ("approve_letter", "file_complaint"):
        known["{letter_id}"] = task.subject_id
    if task.kind == "settle_effect":
        known["{effect_id}"] = task.subject_id
    if task.kind in ("place_mail", "release_mail"):
        known["{message_id}"] = task.subject_id
    if task.kind == "check_direct_payment":
        known["{report_id}"] = task.subject_id
    out = []
    for operation in forms().form(task.kind).operations:
        path = operation.path
        for blank, value in known.items():
            if value is not None:
                path = path.replace(blank, str(value))
        out.append(
            OperationOut(
                operation=operation.id, method=operation.method, path=path, what=operation.what
            )
        )
    return out
