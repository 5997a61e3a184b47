"""Where a case stands, as every change of it by staff answers: position, date and why, work."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.money import Money
from app.schemas import Out


class AmountOut(Out):
    """`minor` in the smallest unit; `amount` as on paper; `text` for people."""

    minor: int
    currency: str
    amount: str
    text: str

    @classmethod
    def of(cls, minor: int, currency: str) -> AmountOut:
        money = Money(minor, currency)
        return cls(minor=minor, currency=currency, amount=money.format(), text=str(money))


_WHOSE = {
    "law": "a date of the law",
    "ours": "a date of ours",
    "word": "on someone's word",
    "theirs": "a date set by the body",
}
_STATE = text("""
    SELECT c.id AS case_id, c.reference, c.stage, c.step, c.outcome, c.waiting_on, c.due_at,
           c.due_basis, c.mode, c.handler_id, c.version, c.pauses, c.letter_id,
           (SELECT coalesce(jsonb_agg(jsonb_build_object(
                     'id', t.id, 'kind', t.kind, 'role', t.role, 'due_at', t.due_at,
                     'assignee_id', t.assignee_id) ORDER BY t.priority, t.due_at, t.id), '[]')
              FROM tasks t WHERE t.case_id = c.id AND t.state = 'open') AS open_tasks
      FROM cases c WHERE c.id = :id
""")


class StandingPauseOut(Out):
    kind: str
    key: str
    until: datetime
    reason: str


class TaskOnCaseOut(Out):
    id: uuid.UUID
    kind: str
    role: str
    due_at: datetime
    assignee_id: uuid.UUID | None


class CaseStateOut(Out):
    """`due_because` says in words where the date comes from; `version` is the ETag to send next."""

    case_id: uuid.UUID
    reference: str
    stage: str
    step: int
    outcome: str | None
    waiting_on: str | None
    due_at: datetime | None
    due_because: str | None
    mode: str
    handler_id: uuid.UUID | None
    letter_id: uuid.UUID | None
    pauses: list[StandingPauseOut]
    open_tasks: list[TaskOnCaseOut]
    version: int


async def read_state(session: AsyncSession, case_id: uuid.UUID) -> CaseStateOut:
    """The state after a change, in the changing transaction."""
    row = dict((await session.execute(_STATE, {"id": case_id})).mappings().one())
    basis = row.pop("due_basis")
    pauses = [{k: p[k] for k in ("kind", "key", "until", "reason")} for p in row.pop("pauses")]
    return CaseStateOut.model_validate(
        row | {"due_because": basis_words(basis) if basis else None, "pauses": pauses}
    )


def basis_words(basis: dict[str, Any]) -> str:
    """Promise 4 in one sentence: start, period, rule, days passed over, whose date it is."""
    words = (
        f"{_period(basis['period'])}, counted from {_event(basis['start_event'])} on"
        f" {_day(basis['start'])} (rule {basis['rule']};"
        f" {_WHOSE.get(basis['whose'], basis['whose'])})"
    )
    skipped = basis.get("skipped") or []
    if skipped:
        days = ", ".join(f"{_day(day)}: {why}" for day, why in skipped)
        words += f"; passed over {days}"
    if basis.get("due"):
        words += f"; the last day is {_day(basis['due'])}"
    return words


def _period(period: str) -> str:
    number, _, rest = period.partition(" ")
    unit, comma, more = rest.partition(",")
    if number == "1":
        unit = unit.removesuffix("s")
    return f"{number} {unit}{comma}{more}".strip().replace("_", " ")


def _event(name: str) -> str:
    """`LetterDelivered` -> "letter delivered"; codes lose their underscores."""
    spaced = "".join(f" {c.lower()}" if c.isupper() else c for c in name)
    return spaced.strip().replace("_", " ").replace(".", " ")


def _day(value: str) -> str:
    day = date.fromisoformat(value[:10])
    return f"{day.day} {day:%B %Y}"
