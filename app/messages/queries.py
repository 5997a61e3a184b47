"""Reading the holding pen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.authorisation.principal import Principal
from app.authorisation.scope import case_scope
from app.correspondence.schemas import AttachmentOut
from app.domain.errors import NotFound
from app.messages.schemas import GuessOut, PenMessageOut
from app.tables.cases import CaseRow
from app.tables.correspondence import MessageRow

SHOWN_CHARACTERS: Final = 4_000  # enough to recognise a mail; the whole is read on its case
WAITING: Final = ("pen", "quarantine")
SEES_WORDS: Final = ("handler", "senior", "legal")
ORDER: Final = (MessageRow.__table__.c.received_at, MessageRow.__table__.c.id)


def pen_query() -> Select[Any]:
    table = MessageRow.__table__.c
    return select(
        table.id,
        table.received_at,
        table.channel,
        table.from_address,
        table.to_address,
        table.subject,
        func.left(table.text, SHOWN_CHARACTERS).label("text"),
        table.automatic,
        table.pen_reasons,
        table.pen_guesses,
        table.state,
        table.trust,
        table.trust_reasons,
        table.alerts,
    ).where(table.state.in_(WAITING))


async def guessed_cases(
    session: AsyncSession, rows: Sequence[Any], caller: Principal
) -> dict[UUID, str]:
    """The references of the guessed cases that the caller may see."""
    ids = {UUID(one["case_id"]) for row in rows for one in row.pen_guesses or ()}
    if not ids:
        return {}
    query = select(CaseRow.id, CaseRow.reference).where(CaseRow.id.in_(ids), case_scope(caller))
    return {row.id: row.reference for row in await session.execute(query)}


def _guesses(row: Any, cases: Mapping[UUID, str]) -> list[GuessOut]:
    found = []
    for one in row.pen_guesses or ():
        case_id = UUID(one["case_id"])
        if case_id in cases:
            told = {"score": one["score"], "why": one["why"]}
            found.append(GuessOut(case_id=case_id, reference=cases[case_id], **told))
    return found


def pen_message(
    row: Any,
    caller: Principal,
    cases: Mapping[UUID, str],
    files: Mapping[UUID, list[AttachmentOut]],
) -> PenMessageOut:
    """As the caller may read it: who does not work on cases sees that it came, and why it waits."""
    words = caller.has(*SEES_WORDS)
    return PenMessageOut(
        id=row.id,
        received_at=row.received_at,
        channel=row.channel,
        from_address=row.from_address if words else _masked(row.from_address),
        to_address=row.to_address,
        subject=row.subject if words else "",
        text=row.text if words else "",
        automatic=row.automatic,
        why=row.pen_reasons,
        guesses=_guesses(row, cases),
        state=row.state,
        trust=row.trust,
        trust_reasons=row.trust_reasons,
        alerts=row.alerts if words else [],
        attachments=files.get(row.id, []) if words else [],
    )


def _masked(address: str) -> str:
    return f"***@{address.rpartition('@')[2]}" if "@" in address else "***"


async def message_html(session: AsyncSession, caller: Principal, message_id: UUID) -> str:
    """Of a message on a case the caller sees, or in the holding pen. Raises NotFound."""
    query = (
        select(MessageRow.html)
        .outerjoin(CaseRow, CaseRow.id == MessageRow.case_id)
        .where(MessageRow.id == message_id, or_(MessageRow.case_id.is_(None), case_scope(caller)))
    )
    found = await session.scalar(query)
    if found is None:
        raise NotFound("this message has no look of its own", code="message_not_found")
    return str(found)
