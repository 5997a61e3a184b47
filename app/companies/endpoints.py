"""Companies: candidates, confirmation by register number, channels with their health."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from app.companies import overview, service
from app.companies.schemas import (
    ChannelChangeIn,
    ChannelIn,
    ChannelOut,
    CompanyChangeIn,
    CompanyListOut,
    CompanyOverviewOut,
    CompanyWithChannelsOut,
    NewCompanyIn,
    RegisteredCompanyOut,
    SentAgainOut,
    Status,
)
from app.deps import Expected, Held, Pages, ReadSession, Router, Session, Staff, problems
from app.etag import etag
from app.pagination import keyset
from app.schemas import Id, Name
from app.tables.people import CompanyRow

router = Router(prefix="/v1", tags=["companies"])


@router.get("/companies", operation_id="list_companies")
async def list_companies(
    session: ReadSession,
    pages: Pages,
    q: Annotated[Name | None, Query(description="the beginning of a name or brand")] = None,
    status: Annotated[Status | None, Query()] = None,
) -> CompanyListOut:
    filters = {"q": q, "status": status}
    query = keyset(
        service.company_query(q, status),
        [CompanyRow.__table__.c.id],
        pages.after("companies", filters),
        pages.limit,
    )
    rows = list((await session.scalars(query)).all())
    shown = rows[: pages.limit]
    return CompanyListOut(
        items=[RegisteredCompanyOut.model_validate(row) for row in shown],
        next_cursor=pages.next("companies", [shown[-1].id], filters)
        if len(rows) > pages.limit
        else None,
    )


@router.post(
    "/companies", operation_id="create_company", status_code=201, responses=problems("conflict")
)
async def create_company(
    body: NewCompanyIn, session: Session, caller: Staff, response: Response
) -> RegisteredCompanyOut:
    """A new candidate."""
    row = await service.create_company(session, caller, body)
    response.headers["ETag"] = etag(row.version)
    response.headers["Location"] = f"/v1/companies/{row.id}"
    return RegisteredCompanyOut.model_validate(row)


@router.get("/companies/{company_id}", operation_id="get_company")
async def get_company(
    company_id: Id, session: ReadSession, response: Response
) -> CompanyWithChannelsOut:
    row = await service.get_company(session, company_id)
    channels = await service.channels_of(session, company_id)
    response.headers["ETag"] = etag(row.version)
    return CompanyWithChannelsOut(
        **RegisteredCompanyOut.model_validate(row).model_dump(),
        channels=[ChannelOut.model_validate(c) for c in channels],
    )


@router.patch(
    "/companies/{company_id}", operation_id="update_company", responses=problems("conflict")
)
async def update_company(
    company_id: Id,
    body: CompanyChangeIn,
    session: Session,
    caller: Staff,
    expected: Expected,
    response: Response,
) -> RegisteredCompanyOut:
    """Correct it, or confirm it: `status: confirmed` with the register number."""
    row = await service.update_company(session, caller, company_id, expected, body)
    response.headers["ETag"] = etag(row.version)
    return RegisteredCompanyOut.model_validate(row)


@router.post(
    "/companies/{company_id}/channels",
    operation_id="add_channel",
    status_code=201,
    responses=problems("conflict"),
)
async def add_channel(
    company_id: Id, body: ChannelIn, session: Session, caller: Staff, response: Response
) -> ChannelOut:
    row = await service.add_channel(session, caller, company_id, body)
    response.headers["ETag"] = etag(row.version)
    return ChannelOut.model_validate(row)


@router.patch(
    "/channels/{channel_id}", operation_id="update_channel", responses=problems("conflict")
)
async def update_channel(
    channel_id: Id,
    body: ChannelChangeIn,
    session: Session,
    caller: Staff,
    expected: Expected,
    response: Response,
) -> ChannelOut:
    row = await service.update_channel(session, caller, channel_id, expected, body)
    response.headers["ETag"] = etag(row.version)
    return ChannelOut.model_validate(row)


@router.get("/companies/{company_id}/overview", operation_id="company_overview")
async def company_overview(
    company_id: Id, session: ReadSession, caller: Staff
) -> CompanyOverviewOut:
    """Its channels with what came of them, and its open cases, those first that cannot reach it."""
    return await overview.overview(session, caller, company_id)


@router.post(
    "/channels/{channel_id}/send-again", operation_id="send_again", responses=problems("conflict")
)
async def send_again(channel_id: Id, held: Held, session: Session, caller: Staff) -> SentAgainOut:
    """Fixed once, sent to all: every case that waits for a way to this company writes over it.
    Repeat while `more` is true."""
    await overview.working_channel(session, channel_id)
    return await overview.send_again(held.database, channel_id, actor=caller.actor)
