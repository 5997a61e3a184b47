"""Facts learnt after filing: the difference they make, and taking it over, over HTTP."""

from __future__ import annotations

from fastapi import Response

from app.case_state import CaseStateOut
from app.casework import corrections
from app.casework.base_endpoints import Changing, answer
from app.casework.correction_schemas import CorrectIn, CorrectionIn, CorrectionOut
from app.deps import Router, problems

router = Router(prefix="/v1/cases/{case_id}/corrections", tags=["casework"])
CONFLICT = problems("conflict")


@router.post("/preview", operation_id="preview_correction", responses=CONFLICT)
async def preview_correction(body: CorrectionIn, change: Changing) -> CorrectionOut:
    """What these answers would change: the finding, the dates, the body. Nothing is stored."""
    found = await corrections.compare(change, body)
    return CorrectionOut(differences=list(found.differences), seen=found.seen)


@router.post("", operation_id="correct_answers", responses=CONFLICT)
async def correct_answers(body: CorrectIn, change: Changing, response: Response) -> CaseStateOut:
    """Keep the answers, old and new with reason and source, and take over what was approved of the
    difference exactly as it was shown."""
    await corrections.correct(change, body)
    return await answer(change, response)
