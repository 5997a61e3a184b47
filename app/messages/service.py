"""Out of the holding pen and back: a person says whose message it is; the ladder hears of it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import audit
from app.authorisation.principal import Principal
from app.case_change import CaseChange, Facts, lock_facts
from app.correspondence.alerts import raise_alerts
from app.correspondence.pen import into_pen, out_of_pen, released
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.events import MailUnplaced, MessageArrived
from app.ids import new_id
from app.messages.schemas import FileMessageIn, NotOursIn, PartIn, PlacedOut
from app.moment import read_moment
from app.tables.correspondence import LearnedSenderRow, MessageRow

# Every case an act of the pen may touch, in one order: two people may place mails about the same.
_KNOWN = text("""
    SELECT EXISTS (SELECT 1 FROM consumers WHERE email = :address)
        OR EXISTS (SELECT 1 FROM channels WHERE kind = 'email' AND lower(address) = :address)
""")
_LOCK = text("SELECT 1 FROM cases WHERE id = ANY(:ids) ORDER BY id FOR UPDATE")


async def file_message(
    session: AsyncSession, caller: Principal, message_id: uuid.UUID, body: FileMessageIn
) -> PlacedOut:
    """To a case the caller works on. Locks the cases first, then the message, like the mail path.

    Raises NotFound, Conflict when somebody filed it meanwhile, TransitionRefused.
    """
    await _lock_cases(session, message_id, [body.case_id])
    case = await lock_facts(session, caller, body.case_id)
    message = await _in_pen(session, message_id)
    if body.learn_sender:
        await _learn(session, caller, message, case, body.sender)
    await _give(session, caller, message, case, message_id, body.sender)
    await out_of_pen(session, message_id, actor=caller.actor)
    return PlacedOut(message_id=message_id, state=_state(message), case_ids=[case.id])


async def split_message(
    session: AsyncSession, caller: Principal, message_id: uuid.UUID, parts: Sequence[PartIn]
) -> PlacedOut:
    """One mail about several cases: the first gets it, the others a copy of their own each."""
    ids = [part.case_id for part in parts]
    if len(set(ids)) != len(ids):
        raise InvalidInput("each case once", code="case_twice", field="parts")
    await _lock_cases(session, message_id, ids)
    cases = [await lock_facts(session, caller, one) for one in ids]
    message = await _in_pen(session, message_id)
    for at, (part, case) in enumerate(zip(parts, cases, strict=True)):
        own_id = message_id if at == 0 else await _copy(session, message)
        await _give(session, caller, message, case, own_id, part.sender)
    await out_of_pen(session, message_id, actor=caller.actor)
    return PlacedOut(message_id=message_id, state=_state(message), case_ids=ids)


async def not_ours(
    session: AsyncSession, caller: Principal, message_id: uuid.UUID, body: NotOursIn
) -> PlacedOut:
    """Kept, and out of the way. Raises NotFound, Conflict."""
    await _lock_cases(session, message_id, [])
    message = await _in_pen(session, message_id, "pen", "quarantine")
    await session.execute(
        update(MessageRow).where(MessageRow.id == message_id).values(state="not_ours")
    )
    now = (await read_moment(session)).now
    if body.block_sender:
        _need_address(message)
        await _refuse_known(session, message.from_address)
        await _remember(session, caller, message, company_id=None)
    await audit.append(
        session, stream=audit.SYSTEM, code="mail_not_ours", actor=caller.actor, at=now,
        params={"message": str(message_id), "blocked": body.block_sender},
    )  # fmt: skip
    await out_of_pen(session, message_id, actor=caller.actor)
    return PlacedOut(message_id=message_id, state="not_ours", case_ids=[])


async def release_message(
    session: AsyncSession, caller: Principal, message_id: uuid.UUID, reason: str
) -> PlacedOut:
    """Out of quarantine, into the pen; its trust stays what it was. Raises NotFound, Conflict."""
    message = await _in_pen(session, message_id, "quarantine")
    await session.execute(update(MessageRow).where(MessageRow.id == message_id).values(state="pen"))
    now = (await read_moment(session)).now
    await audit.append(
        session, stream=audit.SYSTEM, code="mail_released", actor=caller.actor, at=now,
        params={"message": str(message_id), "reason": reason},
    )  # fmt: skip
    if not message.automatic:
        await released(session, message_id, actor=caller.actor)
    return PlacedOut(message_id=message_id, state="pen", case_ids=[])


async def unfile_message(
    session: AsyncSession, caller: Principal, message_id: uuid.UUID, reason: str
) -> PlacedOut:
    """Back to the pen: it was filed to the wrong case, or is no longer "not ours".

    Raises Conflict once a person has read it there: what was recorded of it stands.
    """
    seen = await session.scalar(select(MessageRow.case_id).where(MessageRow.id == message_id))
    case = await lock_facts(session, caller, seen) if seen is not None else None
    message = await _locked(session, message_id)
    untouched = message.state in ("unread", "not_ours") or (
        message.state == "set_aside" and message.automatic  # set aside by us, not by a reader
    )
    if message.direction != "in" or not untouched:
        raise Conflict("this message was read or never lay in the pen", code="message_filed")
    if message.case_id != seen:
        raise Conflict("somebody moved this message just now", code="message_filed")
    await session.execute(
        update(MessageRow)
        .where(MessageRow.id == message_id)
        .values(case_id=None, state="pen", sender="unknown",
                pen_reasons=[*message.pen_reasons, "taken_back"])
    )  # fmt: skip
    if case is not None:
        change = CaseChange(session, caller, case, await read_moment(session))
        await change.note("unfiled", reason)
        await change.advance(MailUnplaced(message_id, caller.actor))
    await into_pen(
        session, message_id, subject=message.subject, words=message.text,
        sender=message.from_address or None,
    )  # fmt: skip
    return PlacedOut(message_id=message_id, state="pen", case_ids=[])


async def _lock_cases(
    session: AsyncSession, message_id: uuid.UUID, named: Collection[uuid.UUID]
) -> None:
    """The cases named and those guessed, which run again when the mail is placed."""
    guesses = await session.scalar(
        select(MessageRow.pen_guesses).where(MessageRow.id == message_id)
    )
    ids = {*named, *(uuid.UUID(one["case_id"]) for one in guesses or ())}
    await session.execute(_LOCK, {"ids": sorted(ids)})


async def _locked(session: AsyncSession, message_id: uuid.UUID) -> MessageRow:
    query = select(MessageRow).where(MessageRow.id == message_id).with_for_update()
    message = (await session.execute(query)).scalar_one_or_none()
    if message is None:
        raise NotFound("there is no such message", code="message_not_found")
    return message


async def _in_pen(session: AsyncSession, message_id: uuid.UUID, *states: str) -> MessageRow:
    message = await _locked(session, message_id)
    if message.state == "quarantine" and message.state not in states:
        raise Conflict("a senior lets it out of quarantine first", code="message_in_quarantine")
    if message.state not in (states or ("pen",)):
        raise Conflict("this message is filed already", code="message_filed")
    return message


def _state(message: MessageRow) -> Any:
    return "set_aside" if message.automatic else "unread"


async def _give(
    session: AsyncSession,
    caller: Principal,
    message: MessageRow,
    case: Facts,
    own_id: uuid.UUID,
    sender: str,
) -> None:
    await session.execute(
        update(MessageRow)
        .where(MessageRow.id == own_id)
        .values(case_id=case.id, sender=sender, state=_state(message))
    )
    change = CaseChange(session, caller, case, await read_moment(session))
    await change.advance(
        MessageArrived(message_id=own_id, sender=sender, automatic=message.automatic)
    )
    if not message.automatic:
        reading = message.reading or {}
        await raise_alerts(
            session, case.id, own_id, sender=sender, alerts=message.alerts,
            kind=reading.get("kind"), deadline=reading.get("deadline_for_us"), now=change.now,
        )  # fmt: skip


async def _copy(session: AsyncSession, message: MessageRow) -> uuid.UUID:
    own_id = new_id()
    values = {c.name: getattr(message, c.name) for c in MessageRow.__table__.columns}
    values |= {"id": own_id, "pen_guesses": None}
    await session.execute(insert(MessageRow).values(**values))
    return own_id


async def _learn(
    session: AsyncSession, caller: Principal, message: MessageRow, case: Facts, sender: str
) -> None:
    _need_address(message)
    if sender != "company" or case.company_id is None:
        raise InvalidInput(
            "only the address of a company we know is remembered",
            code="nothing_to_learn",
            field="learn_sender",
        )
    await _remember(session, caller, message, company_id=case.company_id)


async def _refuse_known(session: AsyncSession, address: str) -> None:
    """Nobody whose case or company this is goes unheard because of one mail."""
    if (await session.execute(_KNOWN, {"address": address.lower()})).scalar():
        raise Conflict(
            "this address is a consumer's or a company's of ours: it cannot be blocked",
            code="sender_known",
        )


def _need_address(message: MessageRow) -> None:
    if not message.from_address:
        raise InvalidInput("this mail names no one sender", code="sender_unknown")


async def _remember(
    session: AsyncSession, caller: Principal, message: MessageRow, company_id: uuid.UUID | None
) -> None:
    """The newest word about an address counts."""
    values = {
        "company_id": company_id, "blocked": company_id is None, "message_id": message.id,
        "learned_by": caller.actor, "learned_at": (await read_moment(session)).now,
    }  # fmt: skip
    await session.execute(
        pg_insert(LearnedSenderRow)
        .values(address=message.from_address.lower(), **values)
        .on_conflict_do_update(index_elements=["address"], set_=values)
    )
