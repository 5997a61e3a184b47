"""A person steers: next step, clocks, duplicates, the end and the new beginning, care."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.authorisation.principal import Principal
from app.authorisation.scope import case_scope
from app.case_change import CaseChange, change_case
from app.casework import schemas as s
from app.casework.other_letters import keep_denials
from app.crypto import Keyring
from app.domain.case import Stage
from app.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from app.domain.events import (
    CaseClosed,
    CaseHeld,
    CaseReopened,
    ClockRestarted,
    DeadlineExtended,
    DistressNoticed,
    DuplicateLinked,
    DuplicateUnlinked,
    HoldLifted,
    IncidentRecorded,
    LegalThreatened,
    LimitationMoved,
    NextStepChosen,
)
from app.ids import new_id
from app.playbooks import book
from app.tables.cases import CaseRow

LEGAL_KEY: Final = "legal"  # the key the ladder gives a pause after a legal threat
HOLD_DAYS_MAX: Final = 183  # half a year; longer standstill is a decision about the case itself


class DuplicateChain(Conflict):
    """Links point at a case that runs, never at another link."""

    code = "duplicate_chain"


async def move_limitation(change: CaseChange, body: s.LimitationIn) -> None:
    """An act that the law lets stop or restart the time of the claim, or a wrong day put right."""
    if body.on > book.local_day(change.case.playbook, change.now):
        raise InvalidInput("on lies in the future", code="date_in_future", field="on")
    await change.note("limitation", body.reason)
    await change.advance(
        LimitationMoved(act=body.act, on=body.on, new_day=body.new_day, by=change.actor)
    )


async def next_step(change: CaseChange, keyring: Keyring, body: s.NextStepIn) -> None:
    case = await change.advance(
        NextStepChosen(
            stage=Stage(body.stage),
            reason=await change.note("next_step", body.reason),
            decided_by=change.actor,
            letter=body.letter,
        )
    )
    await keep_denials(change, keyring, case, body.denials)


async def hold(change: CaseChange, body: s.HoldIn) -> str:
    """Always with a date. Returns the key by which the hold is lifted."""
    _ahead(change, body.until, HOLD_DAYS_MAX)
    key = body.key or new_id().hex
    await change.advance(
        CaseHeld(
            key=key,
            reason=await change.note("hold", body.reason),
            until=body.until,
            by=change.actor,
        )
    )
    return key


async def lift_hold(change: CaseChange, key: str) -> None:
    """Also ends a care pause (`distress`) and a legal one (`legal`): by legal or a senior."""
    if key == LEGAL_KEY and not change.caller.has("legal", "senior"):
        raise Forbidden("legal lifts this pause", code="legal_needed")
    await change.advance(HoldLifted(key=key, by=change.actor))


async def extend(change: CaseChange, body: s.ExtendIn) -> None:
    _ahead(change, body.until, HOLD_DAYS_MAX)
    await change.advance(
        DeadlineExtended(
            until=body.until, reason=await change.note("extend", body.reason), by=change.actor
        )
    )


async def restart(change: CaseChange, body: s.RestartIn) -> None:
    if body.at > change.now:
        raise InvalidInput("a fact lies in the past", code="date_in_future", field="at")
    await change.advance(ClockRestarted(fact=body.fact, at=body.at, by=change.actor))


def _ahead(change: CaseChange, until: datetime, days: int) -> None:
    if until <= change.now:
        raise InvalidInput("the date must lie ahead", code="date_in_past", field="until")
    if until > change.now + timedelta(days=days):
        raise InvalidInput(f"at most {days} days ahead", code="date_too_far", field="until")


async def link_duplicate(
    session: AsyncSession,
    caller: Principal,
    case_id: uuid.UUID,
    version: int,
    duplicate_of: uuid.UUID,
) -> CaseChange:
    """This case stands still while the other runs. Reversible; nothing is merged.

    Both rows are locked in id order, so that two opposite links cannot wait for each other.
    """
    if case_id == duplicate_of:
        raise DuplicateChain("a case is not its own duplicate")
    await session.execute(
        select(CaseRow.id)
        .where(CaseRow.id.in_([case_id, duplicate_of]))
        .order_by(CaseRow.id)
        .with_for_update()
    )
    change = await change_case(session, caller, case_id, version)
    other = (
        await session.execute(
            select(CaseRow.duplicate_of).where(CaseRow.id == duplicate_of, case_scope(caller))
        )
    ).one_or_none()
    if other is None:
        raise NotFound("there is no such case", code="case_not_found")
    pointed_at = await session.scalar(select(exists().where(CaseRow.duplicate_of == case_id)))
    if other.duplicate_of is not None or pointed_at:
        raise DuplicateChain("one of the two already is, or already has, a duplicate")
    await change.advance(DuplicateLinked(duplicate_of=duplicate_of, by=change.actor))
    return change


async def unlink_duplicate(change: CaseChange) -> None:
    await change.advance(DuplicateUnlinked(by=change.actor))


async def close(change: CaseChange, body: s.CloseIn) -> None:
    await change.advance(
        CaseClosed(
            outcome=body.outcome,
            reason=await change.note("close", body.reason),
            decided_by=change.actor,
        )
    )


async def reopen(change: CaseChange, reason: str) -> None:
    await change.advance(CaseReopened(reason=await change.note("reopen", reason), by=change.actor))


async def note_distress(change: CaseChange, body: s.DistressIn) -> None:
    if body.words:
        await change.note("distress", body.words)
    await change.advance(DistressNoticed(by=change.actor))


async def note_legal(change: CaseChange, body: s.LegalIn) -> None:
    """A threat, attachment or deadline set on us; a date that has passed is told as it is."""
    if body.words:
        await change.note("legal", body.words)
    await change.advance(LegalThreatened(deadline=body.deadline, by=change.actor))


async def record_incident(change: CaseChange, body: s.IncidentIn) -> uuid.UUID:
    incident_id = new_id()
    await change.advance(
        IncidentRecorded(
            incident_id=incident_id, what=await change.note("incident", body.what), by=change.actor
        )
    )
    return incident_id
