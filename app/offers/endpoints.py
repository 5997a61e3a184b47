"""Answering offers over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Response

from app.cases.access import version_sent
from app.cases.endpoints import show
from app.cases.schemas import CaseView
from app.deps import Caller, Router, Session, problems
from app.domain.money import Money
from app.offers import service
from app.offers.schemas import CounterIn, OfferAnswerIn
from app.schemas import Id

router = Router(prefix="/v1/cases/{case_id}/offers", tags=["offers"])
IfMatch = Annotated[str | None, Header(description="The ETag you read; staff must send it.")]


@router.post(
    "/{offer_id}/accept", operation_id="accept_offer", responses=problems("conflict", "stale")
)
async def accept_offer(
    case_id: Id,
    offer_id: Id,
    body: OfferAnswerIn,
    session: Session,
    caller: Caller,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    await service.accept(
        session, caller, case_id, offer_id, body.claimant_id, version_sent(caller, if_match)
    )
    return await show(session, caller, case_id, response)


@router.post(
    "/{offer_id}/refuse", operation_id="refuse_offer", responses=problems("conflict", "stale")
)
async def refuse_offer(
    case_id: Id,
    offer_id: Id,
    body: OfferAnswerIn,
    session: Session,
    caller: Caller,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    await service.refuse(
        session, caller, case_id, offer_id, body.claimant_id, version_sent(caller, if_match)
    )
    return await show(session, caller, case_id, response)


@router.post(
    "/{offer_id}/counter", operation_id="counter_offer", responses=problems("conflict", "stale")
)
async def counter_offer(
    case_id: Id,
    offer_id: Id,
    body: CounterIn,
    session: Session,
    caller: Caller,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    amount = Money.parse(body.amount.amount, body.amount.currency)
    await service.counter(
        session, caller, case_id, offer_id, body.claimant_id, amount, version_sent(caller, if_match)
    )
    return await show(session, caller, case_id, response)
