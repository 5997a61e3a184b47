"""Out of the holding pen: a person says whose message it is, and the ladder hears of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.authorisation.principal import Principal
from app.case_change import CaseChange, lock_facts
from app.domain.errors import Conflict, NotFound
from app.domain.events import MessageArrived
from app.moment import read_moment
from app.tables.correspondence import MessageRow


@dataclass(frozen=True, slots=True)
class Filed:
    message_id: uuid.UUID
    case_id: uuid.UUID
    state: str


async def file_message(
    session: AsyncSession,
    caller: Principal,
    message_id: uuid.UUID,
    case_id: uuid.UUID,
    sender: str,
) -> Filed:
    """To a case the caller works on. Locks the case first, then the message, like the mail path.

    Raises NotFound, Conflict when somebody filed it meanwhile, TransitionRefused.
    """
    case = await lock_facts(session, caller, case_id)
    message = (
        await session.execute(
            select(MessageRow.state, MessageRow.automatic)
            .where(MessageRow.id == message_id)
            .with_for_update()
        )
    ).one_or_none()
    if message is None:
        raise NotFound("there is no such message", code="message_not_found")
    if message.state != "pen":
        raise Conflict("this message is filed already", code="message_filed")
    state = "set_aside" if message.automatic else "unread"
    await session.execute(
        update(MessageRow)
        .where(MessageRow.id == message_id)
        .values(case_id=case.id, sender=sender, state=state)
    )
    change = CaseChange(session, caller, case, await read_moment(session))
    await change.advance(
        MessageArrived(message_id=message_id, sender=sender, automatic=message.automatic)
    )
    return Filed(message_id, case.id, state)
