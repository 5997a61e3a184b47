"""POST /v1/check: anybody may ask whether they have a claim."""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi import Response

from app.check.approved import approved_records
from app.check.schemas import CheckIn, FindingOut, NextIn, NextOut, QuestionOut
from app.check.today import today
from app.deps import Held, Router
from app.domain.errors import NotFound
from app.fields import FieldError, FieldsRefused
from app.law.answers import AnswersInvalid
from app.law.eligibility import Checker, FactsIn, as_json
from app.law.ics import calendar, name_of
from app.law.questions import Question, open_questions

router = Router(prefix="/v1", tags=["check"])


@router.post("/check", operation_id="public_check")
async def public_check(body: CheckIn, held: Held) -> FindingOut:
    """Is there a claim, on what ground, how much, and who decides if the company does not pay.
    Nothing is stored."""
    return FindingOut.model_validate(_found(body, await _day(body, held)))


@router.post(
    "/check/calendar",
    operation_id="public_check_calendar",
    response_class=Response,
    responses={200: {"content": {"text/calendar": {}}}},
)
async def public_check_calendar(body: CheckIn, held: Held) -> Response:
    """The free acts of the same check as a calendar file. Nothing is stored."""
    on = await _day(body, held)
    found = _found(body, on)
    if not found["acts"]:
        raise NotFound("there is nothing to do by a day here", code="no_free_acts")
    return Response(
        calendar(found, of=name_of(body.answers), on=on),
        media_type="text/calendar; charset=utf-8",
        headers={
            "content-disposition": 'attachment; filename="recourse.ics"',
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
        },
    )


async def _day(body: CheckIn, held: Held) -> date:
    return await today(held.database, body.consumer.country if body.consumer else None)


def _found(body: CheckIn, on: date) -> dict[str, Any]:
    """The finding as JSON. Raises FieldsRefused with a pointer to each answer that cannot be."""
    asked = FactsIn.model_validate(body.model_dump(include={"consumer", "company", "answers"}))
    try:
        finding = Checker(on, approved_records).check(asked)
    except AnswersInvalid as invalid:
        raise FieldsRefused(
            *(FieldError(_pointer(where), what, "answer_invalid") for where, what in invalid.wrong),
            code="answers_invalid",
        ) from None
    return as_json(finding, body.language)


def _pointer(where: str) -> str:
    """Into the body that was sent: an answer, or a part of the company beside the answers."""
    path = where.replace(".", "/")
    return f"/{path}" if where.startswith("company.") else f"/answers/{path}"


@router.post("/check/questions", operation_id="public_next_question")
async def public_next_question(body: NextIn) -> NextOut:
    """The next question of the intake for these answers. What is answered is not asked again;
    `unknown` is an answer."""
    try:
        found = open_questions(body.answers, body.language)
    except KeyError:
        raise FieldsRefused(
            FieldError("/answers/claim_kind", "there is no such claim kind", "answer_invalid"),
            code="answers_invalid",
        ) from None
    return NextOut(next=_out(found[0]) if found else None, open=[q.key for q in found])


def _out(question: Question) -> QuestionOut:
    return QuestionOut(
        key=question.key,
        ask=question.ask,
        why=question.why,
        type=question.type,
        unit=question.unit,
        none_allowed=question.none_allowed,
        values=list(question.values),
        fields={
            name: [str(v) for v in kind["enum"]] if isinstance(kind, dict) else str(kind)
            for name, kind in question.fields.items()
        },
        picks=dict(question.picks),
    )
