"""The page behind the link in a letter: for whoever holds the letter, never for a crawler."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Request
from fastapi.responses import HTMLResponse

from app.answering.answers import asked_by, keep_answer, read_form
from app.answering.page import POLICY, form_page, thanks_page, wording
from app.deps import ReadSession, Router, Session, limited_body, problems
from app.domain.errors import InvalidInput, Unsupported
from app.moment import read_moment
from app.problem_kinds import DESCRIPTION_OF_KIND, MEDIA_TYPE

router = Router(prefix="/v1/answers", tags=["messages"])
Token = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{43}$")]
FORM = "application/x-www-form-urlencoded"
FORM_BYTES_MAX = 32_000  # 4,000 characters of three bytes, each written as %XX, and the rest
HEADERS = {
    "cache-control": "private, no-store",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex, nofollow",
    "content-security-policy": POLICY,
}
_BODY = {
    "requestBody": {"required": True, "content": {FORM: {"schema": {"type": "string"}}}},
}
# The form once more, for a person; a link that cannot be one is a problem as everywhere.
AGAIN: dict[int | str, dict[str, Any]] = {
    422: {
        "description": DESCRIPTION_OF_KIND["invalid"],
        "content": {
            "text/html": {"schema": {"type": "string"}},
            MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}},
        },
    }
}


@router.get(
    "/{answer_token}",
    operation_id="show_answer_form",
    response_class=HTMLResponse,
    responses=problems("not_found"),
)
async def show_answer_form(answer_token: Token, session: ReadSession) -> HTMLResponse:
    """The form by which a company answers the letter that carries this link."""
    asked = await asked_by(session, answer_token)
    agency = (await read_moment(session)).profile.get("name", "")
    return HTMLResponse(form_page(asked, agency), headers=HEADERS)


@router.post(
    "/{answer_token}",
    operation_id="answer_letter",
    response_class=HTMLResponse,
    openapi_extra=_BODY,
    responses=problems("not_found", "unsupported", "too_large", "conflict") | AGAIN,
)
async def answer_letter(answer_token: Token, request: Request, session: Session) -> HTMLResponse:
    """Takes the answer: a handler reads it as a message of low trust; it moves nothing itself. A
    field that cannot be taken shows the form again, with 422."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise Unsupported(f"send the form as {FORM}")
    body = await limited_body(request, FORM_BYTES_MAX)
    asked = await asked_by(session, answer_token)
    try:
        answer = read_form(body)
        await keep_answer(session, answer_token, answer, wording(answer))
    except InvalidInput as wrong:
        agency = (await read_moment(session)).profile.get("name", "")
        field = str(wrong.params.get("field", "kind"))
        return HTMLResponse(form_page(asked, agency, wrong=field), 422, HEADERS)
    return HTMLResponse(thanks_page(asked), headers=HEADERS)
