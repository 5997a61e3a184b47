"""Into the holding pen and out of it: the guesses, the task, and the cases that wait for both."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import engine
from app.correspondence.guesses import Guess, guess, plausible
from app.domain.decision import TaskKind
from app.domain.errors import StaleEvent, TransitionRefused
from app.domain.events import Event, MailGuessed, MailPlaced
from app.ids import new_id
from app.moment import read_moment
from app.playbooks.working_day import next_working_moment
from app.tables.correspondence import LearnedSenderRow, MessageRow

log = structlog.get_logger(__name__)
ACTOR: Final = "system"
PRIORITY: Final = 10  # like an unread answer: it may be one
ALARMED: Final = 0  # words of distress stand in it
SOON: Final = timedelta(hours=2)
_TASK = text("""
    INSERT INTO tasks (id, case_id, kind, key, role, state, due_at, priority, priority_reason,
                       subject_id, opened_at)
    VALUES (:id, NULL, :kind, :key, :role, 'open', :due_at, :priority, :reason, :subject,
            :now)
    ON CONFLICT DO NOTHING
""")
_DONE = text("""
    UPDATE tasks SET state = 'done', closed_at = :now, closed_by = :actor
     WHERE kind = :kind AND key = :key AND case_id IS NULL AND state = 'open'
""")


async def is_blocked(session: AsyncSession, sender: str | None) -> bool:
    """Whether a person said that nothing from this address is for us."""
    if not sender:
        return False
    query = select(LearnedSenderRow.blocked).where(LearnedSenderRow.address == sender.lower())
    return bool(await session.scalar(query))


async def into_pen(
    session: AsyncSession,
    message_id: UUID,
    *,
    subject: str,
    words: str,
    sender: str | None,
    proven: Collection[UUID] = (),
) -> None:
    """A person's mail that nothing places: guesses, a task for the next working day, and a
    standstill of the cases it is likely about. The message lies in the pen already."""
    found = await guess(session, subject=subject, words=words, sender=sender, proven=proven)
    await _wait(session, message_id, found, TaskKind.PLACE_MAIL, "handler", "unplaced")


async def into_quarantine(
    session: AsyncSession,
    message_id: UUID,
    *,
    subject: str,
    words: str,
    sender: str | None,
    proven: Collection[UUID] = (),
) -> None:
    """A mail that names no one sender: a senior looks before anybody may file it. The cases it may
    be about stand still like those of the pen. The message lies in quarantine already."""
    found = await guess(session, subject=subject, words=words, sender=sender, proven=proven)
    await _wait(session, message_id, found, TaskKind.RELEASE_MAIL, "senior", "sender_in_doubt")


async def released(session: AsyncSession, message_id: UUID, *, actor: str) -> None:
    """Out of quarantine into the pen: the guesses and the standstill go on, the task is another."""
    await _end_task(session, TaskKind.RELEASE_MAIL, message_id, actor)
    await _open_task(session, message_id, TaskKind.PLACE_MAIL, "handler", "unplaced")


async def _wait(
    session: AsyncSession,
    message_id: UUID,
    found: list[Guess],
    kind: TaskKind,
    role: str,
    reason: str,
) -> None:
    await _store(session, message_id, found)
    await _open_task(session, message_id, kind, role, reason)
    # In one order: two mails may name two cases.
    for one in sorted(plausible(found), key=lambda g: g.case_id):
        await _tell(session, one.case_id, MailGuessed(message_id))


async def _open_task(
    session: AsyncSession, message_id: UUID, kind: TaskKind, role: str, reason: str
) -> None:
    now = (await read_moment(session)).now
    alerts = await session.scalar(select(MessageRow.alerts).where(MessageRow.id == message_id))
    alarmed = "distress" in (alerts or ())
    await session.execute(_TASK, {
        "id": new_id(), "kind": kind.value, "key": str(message_id), "role": role,
        "due_at": now + SOON if alarmed else next_working_moment(now),
        "priority": ALARMED if alarmed else PRIORITY, "reason": "distress" if alarmed else reason,
        "subject": message_id, "now": now,
    })  # fmt: skip


async def _end_task(session: AsyncSession, kind: TaskKind, message_id: UUID, actor: str) -> None:
    now = (await read_moment(session)).now
    await session.execute(
        _DONE, {"kind": kind.value, "key": str(message_id), "now": now, "actor": actor}
    )


async def out_of_pen(session: AsyncSession, message_id: UUID, *, actor: str) -> None:
    """A person has placed it: the task is done and the cases that waited run again."""
    for kind in (TaskKind.PLACE_MAIL, TaskKind.RELEASE_MAIL):
        await _end_task(session, kind, message_id, actor)
    row = await session.scalar(select(MessageRow.pen_guesses).where(MessageRow.id == message_id))
    for case_id in sorted(UUID(one["case_id"]) for one in row or ()):
        await _tell(session, case_id, MailPlaced(message_id))


async def _store(session: AsyncSession, message_id: UUID, found: list[Guess]) -> None:
    documents: list[Any] = [one.document() for one in found]
    await session.execute(
        update(MessageRow).where(MessageRow.id == message_id).values(pen_guesses=documents)
    )


async def _tell(session: AsyncSession, case_id: UUID, event: Event) -> None:
    try:
        await engine.advance(session, case_id, event, actor=ACTOR)
    except (TransitionRefused, StaleEvent) as refused:
        log.info("guess_refused", case_id=str(case_id), code=refused.code)
