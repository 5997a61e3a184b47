"""Reading cases over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.authorisation import Principal
from app.cases import queries
from app.cases.access import is_staff, no_case, own_case
from app.cases.schemas import Cases, CaseView, Letters, MessageOut, Messages, Timeline
from app.cases.views import case_line, case_view, letter_out, masked
from app.cases.words import entry, zone_of
from app.correspondence.attachments import attachments_of
from app.deps import Caller, Held, Pages, ReadSession, Router
from app.documents.keys import letter_key
from app.documents.store import open_store
from app.domain.case import Stage, WaitingOn
from app.etag import etag
from app.schemas import Id, LanguageCode
from app.texts import words

router = Router(prefix="/v1", tags=["cases"])
ReaderLanguage = Annotated[
    LanguageCode | None,
    Query(
        description="Read the words in this language instead of the case's (en, fi, sv, fr, de)."
    ),
]


async def show(
    session: AsyncSession,
    caller: Principal,
    case_id: UUID,
    response: Response,
    language: str | None = None,
) -> CaseView:
    """The case as it now stands, with its version as ETag."""
    row = await queries.read_case_row(session, caller, case_id)
    response.headers["etag"] = etag(row["version"])
    return case_view(row, caller, language=language)


@router.get("/cases/{case_id}", operation_id="get_case", response_model=CaseView)
async def get_case(
    case_id: Id, session: ReadSession, caller: Caller, language: ReaderLanguage = None
) -> Response:
    """Where the case stands, what was done, what is waited for, until when, and what then."""
    row = await queries.read_case_row(session, caller, case_id)
    view = case_view(row, caller, language=language)
    return Response(
        view.model_dump_json().encode(), 200, {"etag": etag(view.version)}, "application/json"
    )


@router.get("/cases", operation_id="list_cases")
async def list_cases(
    session: ReadSession,
    caller: Caller,
    pages: Pages,
    stage: Stage | None = None,
    waiting_on: WaitingOn | None = None,
    handler: Id | None = None,
    company_id: Id | None = None,
) -> Cases:
    """The caller's own cases, newest first; for staff those they may see."""
    rows, following = await queries.read_case_lines(
        session,
        caller,
        pages,
        stage=stage,
        waiting_on=waiting_on,
        handler=handler,
        company_id=company_id,
    )
    return Cases(items=[case_line(row) for row in rows], next_cursor=following)


@router.get("/cases/{case_id}/timeline", operation_id="get_timeline")
async def get_timeline(
    case_id: Id, session: ReadSession, caller: Caller, pages: Pages, language: ReaderLanguage = None
) -> Timeline:
    """Everything that happened, newest first."""
    case = await own_case(session, caller, case_id)
    rows, following = await queries.read_history(session, caller, case_id, pages)
    company = await queries.read_company_name(session, case_id)
    say = words(language or case.language)
    return Timeline(
        next_cursor=following,
        items=[
            entry(row, say, currency=case.currency, zone=zone_of(case.playbook), company=company)
            for row in rows
        ],
    )


@router.get("/cases/{case_id}/letters", operation_id="list_letters")
async def list_letters(
    case_id: Id, session: ReadSession, caller: Caller, pages: Pages, language: ReaderLanguage = None
) -> Letters:
    """The letters of the case; consumers see those that have left."""
    case = await own_case(session, caller, case_id)
    rows, following = await queries.read_letters(session, caller, case_id, pages)
    say = words(language or case.language)
    return Letters(
        next_cursor=following, items=[letter_out(row, case_id, caller, say) for row in rows]
    )


@router.get(
    "/cases/{case_id}/letters/{letter_id}/pdf",
    operation_id="get_letter_pdf",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}},
)
async def get_letter_pdf(
    case_id: Id, letter_id: Id, session: ReadSession, caller: Caller, held: Held
) -> Response:
    """The document as it was sent, byte for byte; its hash stands in the ETag."""
    await own_case(session, caller, case_id)
    digest = await queries.read_letter_hash(session, caller, case_id, letter_id)
    if digest is None:
        raise no_case()
    key = await letter_key(session, held.keyring, letter_id, digest)
    content = await open_store(held.settings).get(digest, key)
    return Response(
        content,
        200,
        {
            "etag": f'"{digest}"',
            "content-disposition": f'attachment; filename="{letter_id}.pdf"',
        },
        "application/pdf",
    )


@router.get("/cases/{case_id}/messages", operation_id="list_messages")
async def list_messages(
    case_id: Id, session: ReadSession, caller: Caller, pages: Pages
) -> Messages:
    """What was written: for consumers between them and us, for staff everything on the case. An
    auditor sees that something was written, and when."""
    await own_case(session, caller, case_id)
    hidden = masked(caller)
    reads = is_staff(caller) and not hidden
    rows, following = await queries.read_messages(session, caller, case_id, pages)
    files = await attachments_of(session, [r["id"] for r in rows] if reads else [])
    return Messages(
        next_cursor=following,
        items=[
            MessageOut(
                id=r["id"],
                direction=r["direction"],
                sender=r["sender"],
                subject="" if hidden else r["subject"],
                text="" if hidden else r["text"],
                at=r["received_at"],
                reading=r["reading"] if reads else None,
                read_as=r["read_as"] if reads else None,
                trust=r["trust"] if reads else None,
                trust_reasons=r["trust_reasons"] if reads else [],
                alerts=r["alerts"] if reads else [],
                html=f"/v1/messages/{r['id']}/html" if reads and r["has_html"] else None,
                delivery=queries.delivery_of(r),
                delivery_status=r["delivery_status"],
                attachments=files.get(r["id"], []),
            )
            for r in rows
        ],
    )
