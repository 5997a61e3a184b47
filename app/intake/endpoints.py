"""Filing a case over HTTP."""

from __future__ import annotations

from fastapi import Request, Response

from app import idempotency
from app.cases.endpoints import show
from app.cases.schemas import CaseView
from app.deps import Caller, Expected, Held, Router, Session, problems
from app.engine import Beside
from app.etag import etag
from app.intake import service
from app.intake.schemas import CaseIn, DraftChange
from app.schemas import Id

router = Router(prefix="/v1", tags=["cases"])


@router.post(
    "/cases",
    operation_id="create_case",
    status_code=201,
    response_model=CaseView,
    responses=problems("conflict"),
)
async def create_case(
    body: CaseIn, session: Session, caller: Caller, held: Held, request: Request
) -> Response:
    """Files a case, submitted or (`submit: false`) as a draft to be finished on any device.

    The remembered answer of an Idempotency-Key rides in the statement that writes the case.
    """
    claimed: idempotency.Claim | None = getattr(request.state, "claimed", None)
    answer: list[tuple[bytes, dict[str, str]]] = []

    def finish(view: CaseView) -> list[Beside]:
        headers = {
            "content-type": "application/json",
            "location": f"/v1/cases/{view.id}",
            "etag": etag(view.version),
        }
        answer.append((view.model_dump_json().encode(), headers))
        if claimed is None:
            return []
        values = idempotency.finish_values(claimed, status=201, headers=headers, body=answer[0][0])
        return [Beside("remembered", idempotency.FINISH_SQL, values)]

    await service.file_case(session, body, caller, held.keyring, finish=finish)
    request.state.claimed = None  # finished above
    content, headers = answer[0]
    return Response(content, 201, headers)


@router.patch(
    "/cases/{case_id}", operation_id="update_draft", responses=problems("conflict", "stale")
)
async def update_draft(
    case_id: Id,
    body: DraftChange,
    session: Session,
    caller: Caller,
    expected: Expected,
    response: Response,
) -> CaseView:
    """Replaces the given parts of a draft; what is left out stays as it is."""
    await service.change_draft(session, caller, case_id, body.claim, expected)
    return await show(session, caller, case_id, response)


@router.post(
    "/cases/{case_id}/submit", operation_id="submit_case", responses=problems("conflict", "stale")
)
async def submit_case(
    case_id: Id, session: Session, caller: Caller, expected: Expected, response: Response
) -> CaseView:
    """Hands a draft in. The refusal lists everything that is still missing."""
    await service.submit(session, caller, case_id, expected)
    return await show(session, caller, case_id, response)
