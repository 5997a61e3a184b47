"""The agreement over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Header, Request, Response

from app.cases.access import version_sent
from app.cases.endpoints import ReaderLanguage, show
from app.cases.queries import read_case_row
from app.cases.schemas import CaseView
from app.deps import Caller, Held, ReadSession, Router, Session, Staff, address_of, problems
from app.documents.download import download_headers
from app.documents.keys import mandate_key
from app.documents.store import open_store
from app.mandates import originals, service
from app.mandates.schemas import (
    MandateIn,
    MandateSigned,
    OriginalIn,
    OriginalOut,
    OriginalsOut,
    StartIn,
    StartOut,
    SummaryOut,
)
from app.mandates.summary import summary_of
from app.schemas import Id
from app.tables.work import MandateOriginalRow

router = Router(prefix="/v1/cases/{case_id}", tags=["agreement"])
USER_AGENT_CHARS_MAX = 300
IfMatch = Annotated[str | None, Header(description="The ETag you read; staff must send it.")]


@router.get("/fee-summary", operation_id="get_summary")
async def get_summary(
    case_id: Id, session: ReadSession, caller: Caller, language: ReaderLanguage = None
) -> SummaryOut:
    """One page before signing: the fee, what each outcome leaves, the rights, the mandate text."""
    return summary_of(await read_case_row(session, caller, case_id), language)


@router.post(
    "/mandates",
    operation_id="sign_mandate",
    status_code=201,
    responses=problems("conflict", "stale"),
)
async def sign_mandate(
    case_id: Id,
    body: MandateIn,
    session: Session,
    caller: Caller,
    request: Request,
    response: Response,
    held: Held,
    if_match: IfMatch = None,
) -> MandateSigned:
    """Sign for one claimant. What was shown, its version and hash, the time, and from where the
    signature came are kept with it."""
    proof = _proof(request)
    done = await service.sign(
        session, held.keyring, caller, case_id, body, version_sent(caller, if_match), proof
    )
    case = await show(session, caller, case_id, response)
    response.headers["location"] = f"/v1/cases/{case_id}/mandates/{done.mandate_id}"
    return MandateSigned(mandate_id=done.mandate_id, signed_at=done.signed_at, case=case)


def _proof(request: Request) -> service.Proof:
    return service.Proof(
        address_of(request), request.headers.get("user-agent", "")[:USER_AGENT_CHARS_MAX]
    )


@router.post(
    "/mandates/{mandate_id}/start",
    operation_id="ask_to_begin",
    responses=problems("conflict"),
)
async def ask_to_begin(
    case_id: Id,
    mandate_id: Id,
    body: StartIn,
    session: Session,
    caller: Caller,
    request: Request,
    response: Response,
) -> StartOut:
    """Begin before the time to withdraw is over. Only who signed can ask; the sentence shown
    before (`start_now_text` of the summary) says what it means for the fee, and is kept."""
    at, text = await service.ask_to_begin(
        session, caller, case_id, mandate_id, body, _proof(request)
    )
    case = await show(session, caller, case_id, response)
    return StartOut(mandate_id=mandate_id, asked_at=at, text=text, case=case)


@router.post(
    "/mandates/{mandate_id}/revoke",
    operation_id="revoke_mandate",
    responses=problems("conflict", "stale"),
)
async def revoke_mandate(
    case_id: Id,
    mandate_id: Id,
    session: Session,
    caller: Caller,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    """Takes the mandate back at once: nothing more leaves in this claimant's name."""
    await service.revoke(session, caller, case_id, mandate_id, version_sent(caller, if_match))
    return await show(session, caller, case_id, response)


@router.get(
    "/mandates/{mandate_id}/document",
    operation_id="get_mandate_document",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}},
)
async def get_mandate_document(
    case_id: Id, mandate_id: Id, session: ReadSession, caller: Caller, held: Held
) -> Response:
    """What this claimant signed and the page they were shown, as it was sent to them at once."""
    row = await service.document_of(session, caller, case_id, mandate_id)
    key = await mandate_key(session, held.keyring, mandate_id)
    content = await open_store(held.settings).get(row.sha256, key)
    headers = download_headers("mandate.pdf", row.sha256, row.size_bytes)
    return Response(content, 200, headers, "application/pdf")


@router.get(
    "/mandates/{mandate_id}/original",
    operation_id="get_mandate_original",
    responses=problems("conflict"),
)
async def get_mandate_original(
    case_id: Id, mandate_id: Id, session: ReadSession, caller: Staff
) -> OriginalsOut:
    """The register of this paper original: received, where kept, to whom sent, returned."""
    return _originals(await originals.entries_of(session, caller, case_id, mandate_id))


@router.post(
    "/mandates/{mandate_id}/original",
    operation_id="record_mandate_original",
    status_code=201,
    responses=problems("conflict"),
)
async def record_mandate_original(
    case_id: Id, mandate_id: Id, body: OriginalIn, session: Session, caller: Staff
) -> OriginalsOut:
    """One more entry; what a paper cannot have done from where it is is refused."""
    return _originals(await originals.record(session, caller, case_id, mandate_id, body))


def _originals(rows: Sequence[MandateOriginalRow]) -> OriginalsOut:
    return OriginalsOut(items=[OriginalOut.model_validate(row) for row in rows])
