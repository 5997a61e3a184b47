"""The self-filing pack over HTTP."""

from __future__ import annotations

from fastapi import Response

from app.cases.endpoints import ReaderLanguage
from app.deps import Caller, Held, ReadSession, Router, problems
from app.documents.download import as_attachment
from app.schemas import Id
from app.selfhelp.gather import known_of
from app.selfhelp.pack import make

router = Router(prefix="/v1", tags=["cases"])


@router.get(
    "/cases/{case_id}/self-filing-pack",
    operation_id="get_self_filing_pack",
    response_class=Response,
    responses={
        200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}},
        **problems("conflict"),
    },
)
async def get_self_filing_pack(
    case_id: Id,
    session: ReadSession,
    caller: Caller,
    held: Held,
    language: ReaderLanguage = None,
) -> Response:
    """For somebody we no longer act for: letters in their own name, the body that decides and how
    to reach it, the list of papers and a calendar of last days, as a ZIP. Free."""
    known = await known_of(session, caller, held.keyring, case_id, language)
    return Response(
        make(known),
        media_type="application/zip",
        headers={
            "content-disposition": as_attachment(f"{known.reference}.zip"),
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
        },
    )
