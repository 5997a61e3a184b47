"""What dates would move, and moving them, over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from app.deps import ReadSession, Router, Session, Staff
from app.recounts import service
from app.recounts.schemas import (
    ApproveIn,
    DifferenceOut,
    DifferencesOut,
    LeftOut,
    RecountedOut,
)
from app.schemas import Id

router = Router(prefix="/v1", tags=["casework"])


@router.get("/recounts", operation_id="list_recounts")
async def list_recounts(
    session: ReadSession,
    caller: Staff,
    after: Annotated[Id | None, Query(description="next_after of the call before")] = None,
) -> DifferencesOut:
    """Open deadlines that would get another date by the holidays and rules of today."""
    found, following = await service.page(session, after)
    return DifferencesOut(
        items=[_shown(one) for one in found if one.found.moves],
        looked_at=len(found),
        next_after=following,
    )


def _shown(one: service.Counted) -> DifferenceOut:
    case, found = one.case, one.found
    assert found.was and found.now and found.basis, "a date that moves was counted"
    return DifferenceOut(
        case_id=case.id,
        reference=case.reference,
        stage=case.stage.value,
        waiting_on=case.waiting_on.value if case.waiting_on else None,
        was=found.was,
        due=found.now,
        last_day=found.basis.due,
        rule=found.basis.rule,
        passed_over=[f"{day.isoformat()} {why}" for day, why in found.basis.skipped],
    )


@router.post("/recounts", operation_id="approve_recounts")
async def approve_recounts(body: ApproveIn, session: Session, caller: Staff) -> RecountedOut:
    """Move exactly these dates, with a reason. What is another difference by now is left alone."""
    moved, left = await service.approve(session, body, actor=caller.actor)
    return RecountedOut(moved=moved, left=[LeftOut(case_id=i, why=why) for i, why in left])
