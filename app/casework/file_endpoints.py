"""Filing for somebody by phone or paper, looking behind a mask, why a case stands as it does."""

from __future__ import annotations

from typing import Literal

from fastapi import Response

from app.cases.schemas import CaseView
from app.casework import finding, gates, reveal
from app.casework.explaining import explanation
from app.casework.gate_schemas import GatesOut, OpponentRole
from app.casework.schemas import (
    CaseFindingOut,
    EntryStage,
    ExplanationOut,
    RefusedAnswerOut,
    RevealedOut,
    RevealIn,
)
from app.check.schemas import FindingOut
from app.clock import business_now
from app.deps import NOT_REPLAYED, Held, ReadSession, Router, Session, Staff, problems
from app.domain.case import Stage
from app.etag import etag
from app.intake.schemas import CaseIn
from app.intake.service import file_case
from app.law.eligibility import as_json
from app.schemas import Id, LanguageCode

router = Router(prefix="/v1", tags=["casework"])


class CaseForIn(CaseIn):
    """A case as a consumer files it, and how it reached us."""

    source: Literal["phone", "paper"] = "phone"


@router.post(
    "/staff/cases", operation_id="file_case_for", status_code=201, responses=problems("conflict")
)
async def file_case_for(
    body: CaseForIn, session: Session, caller: Staff, held: Held, response: Response
) -> CaseView:
    """File a case for someone who called or wrote."""
    view = await file_case(session, body, caller, held.keyring, source=body.source)
    response.headers["Location"] = f"/v1/cases/{view.id}"
    response.headers["ETag"] = etag(view.version)
    return view


@router.post("/cases/{case_id}/reveal", operation_id="reveal_field", openapi_extra=NOT_REPLAYED)
async def reveal_field(
    case_id: Id, body: RevealIn, session: Session, caller: Staff, held: Held
) -> RevealedOut:
    """An account number, address or birth date in the clear; who looked and why is kept."""
    value = await reveal.reveal(
        session, caller, held.keyring, case_id, body.claimant_id, what=body.what, reason=body.reason
    )
    return RevealedOut(what=body.what, claimant_id=body.claimant_id, value=value)


@router.get("/cases/{case_id}/explain", operation_id="explain_case")
async def explain_case(case_id: Id, session: ReadSession, caller: Staff) -> ExplanationOut:
    """Last events, each clock with its basis, what comes next, what would stop it."""
    return ExplanationOut(case_id=case_id, text=await explanation(session, caller, case_id))


@router.get("/cases/{case_id}/finding", operation_id="get_finding")
async def get_finding(
    case_id: Id, session: ReadSession, caller: Staff, language: LanguageCode = "en"
) -> CaseFindingOut:
    """What the law's files say of this case by the answers on file, today. A person decides."""
    found = await finding.seen_by(session, caller, case_id, await business_now(session))
    said = as_json(found.finding, language) if found.finding else None
    return CaseFindingOut(
        eligible=found.eligible,
        finding=FindingOut.model_validate(said) if said else None,
        refused=[RefusedAnswerOut(answer=where, why=why) for where, why in found.refused],
        playbook=found.playbook,
        law=finding.law_version(),
    )


@router.get("/cases/{case_id}/gates", operation_id="get_gates")
async def get_gates(
    case_id: Id,
    session: ReadSession,
    caller: Staff,
    entry_stage: EntryStage | None = None,
    opponent_role: OpponentRole | None = None,
    language: LanguageCode = "en",
) -> GatesOut:
    """What stands between this case and its acceptance: each gate, its rule and what opens it.
    With the stage and role you think of, as they would stand for that decision."""
    said = gates.Said(entry=Stage(entry_stage) if entry_stage else None, role=opponent_role)
    return gates.shown(await gates.seen_by(session, caller, case_id, said), language)
