"""What a queue answers: everything a person needs to begin, in words."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from app.case_state import AmountOut
from app.domain.decision import TaskKind
from app.schemas import Id, In, Out, Reason

SKIPPED_MAX = 50
Queue = Literal["mine", "pool", "all"]


class OperationOut(Out):
    """One thing the person may do now; braces left in `path` are theirs to fill."""

    operation: str
    method: str
    path: str
    what: str


class TaskCaseOut(Out):
    """`consumer` is null for those who see amounts only. `version` is the ETag of the case."""

    id: uuid.UUID
    reference: str
    stage: str
    step: int
    waiting_on: str | None
    claim_kind: str
    company: str
    consumer: str | None
    claimed: AmountOut
    version: int


class HelpLineOut(Out):
    """Whom a person in distress can call. `to_be_confirmed`: nobody has read it on the line's
    own page, so check it before you name it."""

    name: str
    number: str
    hours: str | None
    source: str
    to_be_confirmed: bool


class TaskOut(Out):
    """`help_lines`: with a care task, those of the country the consumer lives in."""

    id: uuid.UUID
    kind: str
    title: str
    what_happened: str
    role: str
    state: str
    case: TaskCaseOut | None
    subject_id: uuid.UUID | None
    due_at: datetime
    due_because: str
    overdue: bool
    priority: int
    priority_reason: str
    priority_because: str
    assignee_id: uuid.UUID | None
    opened_at: datetime
    allowed: list[OperationOut]
    help_lines: list[HelpLineOut]


class TaskListOut(Out):
    items: list[TaskOut]
    next_cursor: str | None


class NextTaskIn(In):
    """`kinds`: only these. `skip`: tasks looked at and left for later."""

    kinds: Annotated[list[TaskKind], Field(max_length=len(TaskKind))] | None = None
    skip: Annotated[list[Id], Field(max_length=SKIPPED_MAX, default_factory=list)]


class NextTaskOut(Out):
    """`task` is null when nothing waits."""

    task: TaskOut | None


class AssignTaskIn(In):
    assignee_id: Id | None


class FinishTaskIn(In):
    words: Reason
