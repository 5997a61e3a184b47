"""Staff work on a case: assess, ask, steer. Every change needs the ETag that was read."""

from __future__ import annotations

from fastapi import Response

from app.case_state import CaseStateOut
from app.casework import assess, assignment, steering
from app.casework import schemas as s
from app.casework.base_endpoints import Changing, answer
from app.clock import business_now
from app.deps import Expected, Held, Router, Session, Staff, problems
from app.schemas import Id

router = Router(prefix="/v1", tags=["casework"])
CONFLICT = problems("conflict")


@router.post("/cases/{case_id}/assessment", operation_id="assess_case", responses=CONFLICT)
async def assess_case(body: s.AssessmentIn, change: Changing, response: Response) -> CaseStateOut:
    """Accept with entry stage and reason, or reject with the rule and what would change it."""
    await assess.assess(change, body)
    return await answer(change, response)


@router.post(
    "/cases/{case_id}/questions", operation_id="ask_question", status_code=201, responses=CONFLICT
)
async def ask_question(body: s.QuestionIn, change: Changing, response: Response) -> CaseStateOut:
    """Ask the consumer, with a date and what silence brings."""
    await assess.ask_question(change, body)
    return await answer(change, response)


@router.post("/cases/{case_id}/company", operation_id="confirm_company", responses=CONFLICT)
async def confirm_company(
    body: s.ConfirmCompanyIn, change: Changing, response: Response
) -> CaseStateOut:
    """Say which legal entity this case is against."""
    await assess.confirm_company(change, body.company_id)
    return await answer(change, response)


@router.post("/cases/{case_id}/next-step", operation_id="next_step", responses=CONFLICT)
async def next_step(
    body: s.NextStepIn, change: Changing, held: Held, response: Response
) -> CaseStateOut:
    """Choose what follows a denial, a dead channel or the end of the bodies."""
    await steering.next_step(change, held.keyring, body)
    return await answer(change, response)


@router.post(
    "/cases/{case_id}/holds", operation_id="hold_case", status_code=201, responses=CONFLICT
)
async def hold_case(body: s.HoldIn, change: Changing, response: Response) -> CaseStateOut:
    """Stand still until a date; the key to lift it stands among the pauses."""
    await steering.hold(change, body)
    return await answer(change, response)


@router.delete("/cases/{case_id}/holds/{key}", operation_id="resume_case", responses=CONFLICT)
async def resume_case(key: s.HoldKey, change: Changing, response: Response) -> CaseStateOut:
    await steering.lift_hold(change, key)
    return await answer(change, response)


@router.post("/cases/{case_id}/extend", operation_id="extend_deadline", responses=CONFLICT)
async def extend_deadline(body: s.ExtendIn, change: Changing, response: Response) -> CaseStateOut:
    """A later last day, agreed with the other side; counted from the base date."""
    await steering.extend(change, body)
    return await answer(change, response)


@router.post("/cases/{case_id}/limitation", operation_id="move_limitation", responses=CONFLICT)
async def move_limitation(
    body: s.LimitationIn, change: Changing, response: Response
) -> CaseStateOut:
    """Record an act that moved the day on which the claim becomes too old, or correct that day."""
    await steering.move_limitation(change, body)
    return await answer(change, response)


@router.post("/cases/{case_id}/restart", operation_id="restart_clock", responses=CONFLICT)
async def restart_clock(body: s.RestartIn, change: Changing, response: Response) -> CaseStateOut:
    """A new fact starts the period again."""
    await steering.restart(change, body)
    return await answer(change, response)


@router.post("/cases/{case_id}/duplicate", operation_id="link_duplicate", responses=CONFLICT)
async def link_duplicate(
    case_id: Id,
    body: s.DuplicateIn,
    session: Session,
    caller: Staff,
    expected: Expected,
    response: Response,
) -> CaseStateOut:
    """This case stands still while the other runs. Nothing is merged."""
    change = await steering.link_duplicate(session, caller, case_id, expected, body.duplicate_of)
    return await answer(change, response)


@router.delete("/cases/{case_id}/duplicate", operation_id="unlink_duplicate", responses=CONFLICT)
async def unlink_duplicate(change: Changing, response: Response) -> CaseStateOut:
    await steering.unlink_duplicate(change)
    return await answer(change, response)


@router.post("/cases/{case_id}/close", operation_id="close_case", responses=CONFLICT)
async def close_case(body: s.CloseIn, change: Changing, response: Response) -> CaseStateOut:
    await steering.close(change, body)
    return await answer(change, response)


@router.post("/cases/{case_id}/reopen", operation_id="reopen_case", responses=CONFLICT)
async def reopen_case(body: s.ReasonIn, change: Changing, response: Response) -> CaseStateOut:
    """Within a year of the closing."""
    await steering.reopen(change, body.reason)
    return await answer(change, response)


@router.post("/cases/{case_id}/distress", operation_id="note_distress", responses=CONFLICT)
async def note_distress(body: s.DistressIn, change: Changing, response: Response) -> CaseStateOut:
    """Words of distress: a trained handler takes over, pressing messages stop, clocks do not."""
    await steering.note_distress(change, body)
    return await answer(change, response)


@router.post("/cases/{case_id}/legal", operation_id="note_legal", responses=CONFLICT)
async def note_legal(body: s.LegalIn, change: Changing, response: Response) -> CaseStateOut:
    """A threat, attachment, authority's letter or deadline set on us."""
    await steering.note_legal(change, body)
    return await answer(change, response)


@router.post(
    "/cases/{case_id}/incidents",
    operation_id="record_incident",
    status_code=201,
    responses=CONFLICT,
)
async def record_incident(body: s.IncidentIn, change: Changing, response: Response) -> CaseStateOut:
    """A legal date that we missed: senior and legal the same day, the consumer within five."""
    await steering.record_incident(change, body)
    return await answer(change, response)


@router.post("/cases/{case_id}/reassign", operation_id="reassign_case", responses=CONFLICT)
async def reassign_case(body: s.ReassignIn, change: Changing, response: Response) -> CaseStateOut:
    """To a colleague, or to the pool (null). Its open handler tasks go along."""
    await assignment.reassign(change, body.handler_id)
    return await answer(change, response)


@router.post("/staff/{staff_id}/hand-over", operation_id="hand_over", responses=CONFLICT)
async def hand_over(
    staff_id: Id, body: s.HandOverIn, held: Held, session: Session, caller: Staff
) -> s.HandedOverOut:
    """All open cases and tasks of an absent colleague. Repeat while `more` is true."""
    done = await assignment.hand_over(
        held.database, staff_id, body.to, actor=caller.actor, now=await business_now(session)
    )
    return s.HandedOverOut(
        cases_moved=done.cases, tasks_moved=done.tasks, refused=done.refused, more=done.more
    )
