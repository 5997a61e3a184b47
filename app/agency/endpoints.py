"""The agency's own data."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Response

from app.agency import service
from app.agency.schemas import AgencyIn, AgencyOut
from app.deps import ReadSession, Router, Session, Staff, problems
from app.domain.errors import PreconditionRequired
from app.etag import etag, expected_version

router = Router(prefix="/v1/agency", tags=["agency"])


@router.get("", operation_id="get_agency")
async def get_agency(session: ReadSession, response: Response) -> AgencyOut:
    found = await service.read_agency(session)
    if found.version:
        response.headers["ETag"] = etag(found.version)
    return found


@router.put("", operation_id="set_agency", responses=problems("conflict"))
async def set_agency(
    body: AgencyIn,
    session: Session,
    caller: Staff,
    response: Response,
    if_match: Annotated[
        str | None, Header(description="The ETag you read; the first version has none.")
    ] = None,
) -> AgencyOut:
    """A new version of the whole profile, in force at once."""
    expected = expected_version(if_match) if if_match is not None else None
    before = await service.read_agency(session)
    if before.version and expected is None:
        raise PreconditionRequired("send the ETag you read as If-Match")
    found = await service.set_agency(session, caller, body, expected)
    response.headers["ETag"] = etag(found.version)
    return found
