"""Settling what cannot be known, and the switch that holds everything back."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Row,
    Uuid,
    and_,
    exists,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app import audit, engine, outbox
from app.authorisation.principal import Principal
from app.case_change import IN_WORDS, work_scope
from app.domain.decision import TaskKind
from app.domain.effects import MONEY_LANE
from app.domain.errors import Conflict, Forbidden, NotFound
from app.domain.events import EffectSettled, LetterBounced
from app.ids import new_id
from app.moment import Moment, read_moment
from app.tables.cases import CaseRow
from app.tables.casework import CaseNoteRow
from app.tables.effects import EffectRow
from app.tables.work import TaskRow

SETTLEABLE: Final = ("unknown", "parked")
# An order its provider took, of which a person was asked what became of it (a letter that the
# printer lost): it went, or it did not. Sending again is the ladder's, after the second.
DOUBT_VERDICTS: Final = ("sent", "not_sent")
LISTED: Final = (*SETTLEABLE, "failed")
# Not done yet and to be tried again at its time: their server said "later", or a rate holds it.
DEFERRED: Final = "deferred"
# A letter's second sending is the ladder's decision (a new number); every other order is repeated
# under its own key, so that a provider that did get it refuses the second time.
LADDER_REPEATS: Final = frozenset({"SendLetter"})
WORKER: Final = "person"


class EffectSettledBefore(Conflict):
    code = "effect_settled"


@dataclass(frozen=True, slots=True)
class Settled:
    id: uuid.UUID
    state: str
    verdict: str
    again_as: uuid.UUID | None


def effect_scope(caller: Principal) -> ColumnElement[bool]:
    """Operators, seniors and the auditor see all; finance what moves money; a handler those of
    own cases and the pool."""
    if caller.has("admin", "senior", "auditor"):
        return EffectRow.id.is_not(None)
    if caller.has("finance", "finance_approver"):
        return EffectRow.lane == MONEY_LANE
    # Uncorrelated: the outer query may join cases as well.
    return EffectRow.case_id.in_(select(CaseRow.id).where(work_scope(caller)).correlate(None))


async def settle(
    session: AsyncSession, caller: Principal, effect_id: uuid.UUID, *, verdict: str, reason: str
) -> Settled:
    """A person's verdict on an order whose outcome is unknown, or that was set aside.

    Locks the case first, then the order, like everybody. Raises NotFound, EffectSettledBefore,
    TransitionRefused.
    """
    case_id = await _case_of(session, caller, effect_id)
    moment = await read_moment(session)
    if case_id is not None:
        await session.execute(select(CaseRow.id).where(CaseRow.id == case_id).with_for_update())
    effect = await _locked(session, effect_id)
    if effect.lane == MONEY_LANE and not caller.has("finance_approver"):
        raise Forbidden(
            "who approves payouts settles what moves money", code="finance_approver_needed"
        )
    doubted = effect.state == "done" and await _doubted(session, effect_id)
    if effect.state not in SETTLEABLE and not (doubted and verdict in DOUBT_VERDICTS):
        raise EffectSettledBefore("this order does not wait for a verdict", state=effect.state)
    repeats_itself = verdict == "again" and effect.kind not in LADDER_REPEATS
    state = "planned" if repeats_itself else _state_after(verdict)
    await _close(session, effect_id, state, caller, moment)
    attempt = outbox.Attempt(
        effect_id=effect_id,
        epoch=effect.lease_epoch,
        worker=WORKER,
        what=f"settled:{verdict}",
        detail=reason,
    )
    await outbox.log_attempts(session, [attempt])
    if case_id is None:
        params = {
            "effect": str(effect_id),
            "kind": effect.kind,
            "verdict": verdict,
            "reason": IN_WORDS,
        }
        await audit.append(
            session,
            stream=audit.SYSTEM,
            code="effect_settled",
            params=params,
            actor=caller.actor,
            at=moment.now,
        )
        return Settled(effect_id, state, verdict, effect_id if repeats_itself else None)
    event = EffectSettled(
        effect_id=effect_id, kind=effect.kind, verdict=verdict, by=caller.actor,
        letter_id=effect.letter_id,
    )  # fmt: skip
    await _tell_case(session, case_id, event, reason, moment)
    if doubted and verdict == "not_sent" and effect.letter_id is not None:
        lost = LetterBounced(letter_id=effect.letter_id, hard=True, reason="post_lost")
        await engine.advance(session, case_id, lost, actor=caller.actor, moment=moment)
    again_as = effect_id if repeats_itself else None
    if verdict == "again" and not repeats_itself:
        again_as = await _newest_like(session, case_id, effect_id, effect.kind)
    return Settled(effect_id, state, verdict, again_as)


async def _locked(session: AsyncSession, effect_id: uuid.UUID) -> Row[Any]:
    letter_id = EffectRow.payload["letter_id"].astext.cast(Uuid).label("letter_id")
    locked = await session.execute(
        select(EffectRow.kind, EffectRow.state, EffectRow.lease_epoch, EffectRow.lane, letter_id)
        .where(EffectRow.id == effect_id)
        .with_for_update()
    )
    return locked.one()


async def _doubted(session: AsyncSession, effect_id: uuid.UUID) -> bool:
    """A person was asked about an order that counts as done."""
    return bool(
        await session.scalar(
            select(
                exists().where(
                    TaskRow.kind == TaskKind.SETTLE_EFFECT.value,
                    TaskRow.key == str(effect_id),
                    TaskRow.state == "open",
                )
            )
        )
    )


async def _tell_case(
    session: AsyncSession, case_id: uuid.UUID, event: EffectSettled, reason: str, moment: Moment
) -> None:
    """The verdict is the case's too: the reason in words beside it, the ladder runs on."""
    await session.execute(
        insert(CaseNoteRow).values(
            id=new_id(),
            case_id=case_id,
            about="effect_settled",
            words=reason,
            written_by=event.by,
            written_at=moment.now,
        )
    )
    await engine.advance(session, case_id, event, actor=event.by, moment=moment)


def _state_after(verdict: str) -> str:
    """`again` leaves the old order overtaken by the new one."""
    return {"sent": "done", "not_sent": "failed", "again": "superseded"}[verdict]


async def _case_of(
    session: AsyncSession, caller: Principal, effect_id: uuid.UUID
) -> uuid.UUID | None:
    found = (
        await session.execute(
            select(EffectRow.case_id).where(EffectRow.id == effect_id, effect_scope(caller))
        )
    ).one_or_none()
    if found is None:
        raise NotFound("there is no such order", code="effect_not_found")
    case_id: uuid.UUID | None = found.case_id
    return case_id


async def _close(
    session: AsyncSession, effect_id: uuid.UUID, state: str, caller: Principal, moment: Moment
) -> None:
    """The new epoch makes every worker that still believes it holds the lease a stale one."""
    values: dict[str, Any] = {
        "state": state,
        "lease_until": None,
        "lease_epoch": EffectRow.lease_epoch + 1,
        "cause": f"settled by {caller.actor}",
    }
    if state == "planned":
        # The person answers for what came of the tries before.
        values |= {"not_before": moment.now, "attempts": 0, "stumbles": 0, "unseen_at": None}
    else:
        values["settled_at"] = text("clock_timestamp()")
    await session.execute(update(EffectRow).where(EffectRow.id == effect_id).values(**values))


async def _newest_like(
    session: AsyncSession, case_id: uuid.UUID, effect_id: uuid.UUID, kind: str
) -> uuid.UUID | None:
    """The order the ladder staged in its place; none when the letter is no longer wanted."""
    return await session.scalar(
        select(EffectRow.id)
        .where(
            EffectRow.case_id == case_id,
            EffectRow.kind == kind,
            EffectRow.id > effect_id,
            EffectRow.state == "planned",
        )
        .order_by(EffectRow.id.desc())
        .limit(1)
    )


_SWITCH = text("""
    INSERT INTO installation (id, outgoing_paused, outgoing_paused_reason, outgoing_paused_by)
    VALUES (1, :paused, :reason, :by)
    ON CONFLICT (id) DO UPDATE SET outgoing_paused = excluded.outgoing_paused,
        outgoing_paused_reason = excluded.outgoing_paused_reason,
        outgoing_paused_by = excluded.outgoing_paused_by
""")


async def switch_outgoing(
    session: AsyncSession, caller: Principal, *, paused: bool, reason: str
) -> Row[bool, str | None, str | None]:
    """Holds every order back at once, or lets them go. Repeating it changes nothing but the why."""
    moment = await read_moment(session)
    await session.execute(
        _SWITCH,
        {
            "paused": paused,
            "reason": reason if paused else None,
            "by": caller.actor if paused else None,
        },
    )
    await audit.append(
        session,
        stream=audit.SYSTEM,
        actor=caller.actor,
        at=moment.now,
        code="outgoing_paused" if paused else "outgoing_resumed",
        params={},
    )
    return await outgoing(session)


async def outgoing(session: AsyncSession) -> Row[bool, str | None, str | None]:
    return (
        await session.execute(
            text(
                "SELECT coalesce(i.outgoing_paused, false) AS paused,"
                " i.outgoing_paused_reason AS reason, i.outgoing_paused_by AS by"
                " FROM (SELECT 1) one LEFT JOIN installation i ON i.id = 1"
            )
        )
    ).one()


async def unpark(session: AsyncSession, caller: Principal, case_id: uuid.UUID) -> str:
    """Lets a case that could not be moved run again, once its cause was repaired."""
    moment = await read_moment(session)
    case = (
        await session.execute(
            select(CaseRow.reference, CaseRow.parked_reason)
            .where(CaseRow.id == case_id)
            .with_for_update()
        )
    ).one_or_none()
    if case is None:
        raise NotFound("there is no such case", code="case_not_found")
    if case.parked_reason is None:
        raise Conflict("the case is not parked", code="case_not_parked")
    await session.execute(
        update(TaskRow)
        .where(
            TaskRow.case_id == case_id,
            TaskRow.kind == TaskKind.POISONED_CASE.value,
            TaskRow.state == "open",
        )
        .values(state="done", closed_at=moment.now, closed_by=caller.actor)
    )
    await engine.amend(
        session,
        case_id,
        {"parked_reason": None},
        code="case_unparked",
        actor=caller.actor,
        params={"internal": "1"},
        moment=moment,
    )
    return str(case.reference)


def effects_query(caller: Principal, states: list[str]) -> Any:
    waiting = and_(
        literal(DEFERRED in states), EffectRow.state == "planned", EffectRow.cause.is_not(None)
    )
    return (
        select(EffectRow, CaseRow.reference)
        .outerjoin(CaseRow, CaseRow.id == EffectRow.case_id)
        .where(or_(EffectRow.state.in_(states), waiting), effect_scope(caller))
    )
