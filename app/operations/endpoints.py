"""For operators: orders that need a person, the switch for all that leaves, how things stand."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from app.deps import Pages, ReadSession, Router, Session, Staff, problems
from app.domain.errors import InvalidInput
from app.operations import service
from app.operations.schemas import (
    EffectListOut,
    EffectOut,
    OutgoingOut,
    PauseIn,
    SettledOut,
    SettleIn,
    StatusOut,
    UnparkedOut,
)
from app.operations.status import read_status
from app.pagination import keyset
from app.schemas import Id
from app.tables.effects import EffectRow

router = Router(prefix="/v1", tags=["operations"])


@router.get("/effects", operation_id="list_effects")
async def list_effects(
    session: ReadSession,
    caller: Staff,
    pages: Pages,
    state: Annotated[
        str,
        Query(
            max_length=40, description="of unknown, parked, failed, deferred; several with commas"
        ),
    ] = "unknown,parked",
) -> EffectListOut:
    """Orders whose outcome a person has to settle, oldest first."""
    states = sorted(set(state.split(",")))
    if not set(states) <= {*service.LISTED, service.DEFERRED}:
        raise InvalidInput("state is of unknown, parked, failed, deferred", code="state_unknown")
    filters = {"state": ",".join(states)}
    query = keyset(
        service.effects_query(caller, states),
        [EffectRow.__table__.c.id],
        pages.after("effects", filters),
        pages.limit,
    )
    rows = (await session.execute(query)).all()
    shown = rows[: pages.limit]
    return EffectListOut(
        items=[_effect(row.EffectRow, row.reference) for row in shown],
        next_cursor=pages.next("effects", [shown[-1].EffectRow.id], filters)
        if len(rows) > pages.limit
        else None,
    )


def _effect(row: EffectRow, reference: str | None) -> EffectOut:
    return EffectOut(
        id=row.id,
        kind=row.kind,
        lane=row.lane,
        state="deferred" if row.state == "planned" else row.state,
        stream=row.stream,
        case_id=row.case_id,
        reference=reference,
        attempts=row.attempts,
        cause=row.cause,
        provider=row.provider,
        staged_at=row.staged_at,
        dispatched_at=row.dispatched_at,
        next_try_at=row.not_before if row.state == "planned" else None,
    )


@router.post(
    "/effects/{effect_id}/settle", operation_id="settle_effect", responses=problems("conflict")
)
async def settle_effect(
    effect_id: Id, body: SettleIn, session: Session, caller: Staff
) -> SettledOut:
    """Say whether it was sent, or have it sent again, with the reason."""
    done = await service.settle(
        session, caller, effect_id, verdict=body.verdict, reason=body.reason
    )
    return SettledOut(id=done.id, state=done.state, verdict=done.verdict, again_as=done.again_as)


@router.post("/operations/outgoing/pause", operation_id="pause_outgoing")
async def pause_outgoing(body: PauseIn, session: Session, caller: Staff) -> OutgoingOut:
    """Nothing leaves any more, from this moment, until it is resumed."""
    row = await service.switch_outgoing(session, caller, paused=True, reason=body.reason)
    return OutgoingOut(paused=row.paused, reason=row.reason, by=row.by)


@router.post("/operations/outgoing/resume", operation_id="resume_outgoing")
async def resume_outgoing(session: Session, caller: Staff) -> OutgoingOut:
    row = await service.switch_outgoing(session, caller, paused=False, reason="")
    return OutgoingOut(paused=row.paused, reason=row.reason, by=row.by)


@router.get("/operations", operation_id="operations_status")
async def operations_status(session: ReadSession) -> StatusOut:
    return await read_status(session)


@router.post(
    "/operations/cases/{case_id}/unpark", operation_id="unpark_case", responses=problems("conflict")
)
async def unpark_case(case_id: Id, session: Session, caller: Staff) -> UnparkedOut:
    """Let a case run again that could not be moved, once the cause is repaired."""
    reference = await service.unpark(session, caller, case_id)
    return UnparkedOut(case_id=case_id, reference=reference)
