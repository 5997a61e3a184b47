"""POST /v1/check: anybody may ask whether they have a claim."""

from __future__ import annotations

from app.check.schemas import CheckIn, FindingOut
from app.clock import business_now
from app.deps import ReadSession, Router
from app.fields import FieldError, FieldsRefused
from app.law.answers import AnswersInvalid
from app.law.eligibility import Checker, CompanyIn, FactsIn, as_json

router = Router(prefix="/v1", tags=["check"])


@router.post("/check", operation_id="public_check")
async def public_check(body: CheckIn, session: ReadSession) -> FindingOut:
    """Is there a claim, on what ground, how much, and who decides if the company does not pay.
    Nothing is stored."""
    today = (await business_now(session)).date()
    asked = FactsIn(company=CompanyIn(**body.company.model_dump()), answers=body.answers)
    try:
        finding = Checker(today).check(asked)
    except AnswersInvalid as invalid:
        raise FieldsRefused(
            *(
                FieldError(f"/answers/{where.replace('.', '/')}", what, "answer_invalid")
                for where, what in invalid.wrong
            ),
            code="answers_invalid",
        ) from None
    return FindingOut.model_validate(as_json(finding, body.language))
