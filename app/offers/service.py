"""Accept, refuse, counter. The rule of what follows is the ladder's."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import engine
from app.authorisation import Principal
from app.banking.holds import settle_hold_of_case
from app.cases.access import check_sent, own_case, own_claimant
from app.domain.case import Case, OfferState
from app.domain.errors import Conflict, NotFound
from app.domain.events import OfferAccepted, OfferCountered, OfferRefused
from app.domain.money import Money
from app.fields import FieldError, FieldsRefused
from app.moment import Moment, read_moment
from app.tables.work import OfferRow

OfferAnswer = OfferAccepted | OfferRefused | OfferCountered


class OfferClosed(Conflict):
    """The offer was answered, replaced or has lapsed."""

    code = "offer_closed"


async def accept(
    session: AsyncSession,
    principal: Principal,
    case_id: UUID,
    offer_id: UUID,
    claimant_id: UUID,
    sent: int | None,
) -> None:
    """This claimant takes the offer. When all have, the case goes to settlement."""
    await _answer(
        session,
        principal,
        case_id,
        OfferAccepted(offer_id, claimant_id),
        {"answer": "accepted"},
        sent,
    )


async def refuse(
    session: AsyncSession,
    principal: Principal,
    case_id: UUID,
    offer_id: UUID,
    claimant_id: UUID,
    sent: int | None,
) -> None:
    """This claimant does not take it."""
    await _answer(
        session,
        principal,
        case_id,
        OfferRefused(offer_id, claimant_id),
        {"answer": "refused"},
        sent,
    )


async def counter(
    session: AsyncSession,
    principal: Principal,
    case_id: UUID,
    offer_id: UUID,
    claimant_id: UUID,
    amount: Money,
    sent: int | None,
) -> None:
    """This claimant would take another sum, in the currency of the offer."""
    await _answer(
        session,
        principal,
        case_id,
        OfferCountered(offer_id, claimant_id, amount.minor),
        {"answer": "countered", "counter_minor": amount.minor},
        sent,
        currency=amount.currency,
    )


async def _answer(
    session: AsyncSession,
    principal: Principal,
    case_id: UUID,
    event: OfferAnswer,
    answer: dict[str, Any],
    sent: int | None,
    currency: str | None = None,
) -> None:
    case = await own_case(session, principal, case_id, lock=True)
    check_sent(case, sent)
    await own_claimant(session, principal, case_id, event.claimant_id)
    offer = (
        await session.execute(
            select(OfferRow).where(OfferRow.id == event.offer_id, OfferRow.case_id == case_id)
        )
    ).scalar_one_or_none()
    if offer is None:
        raise NotFound("there is no such offer on this case", code="offer_not_found")
    if offer.state != "open":
        raise OfferClosed("this offer can no longer be answered", state=offer.state)
    if currency is not None and currency != offer.currency:
        raise FieldsRefused(
            FieldError("/amount/currency", "the offer is in another currency", "wrong_currency")
        )
    await session.execute(
        update(OfferRow)
        .where(OfferRow.id == offer.id)
        .values(answers={**offer.answers, str(event.claimant_id): answer})
    )
    moment = await read_moment(session)
    after = await engine.advance(session, case_id, event, actor=principal.actor, moment=moment)
    await _settle_held_money(session, principal, after, moment)


async def _settle_held_money(
    session: AsyncSession, principal: Principal, case: Case, moment: Moment
) -> None:
    """Money that came "in full settlement" may be allocated once all have accepted; refused, it is
    set aside for its payer. Finance does the rest: the ladder gave it the task."""
    offer = case.offer
    assert offer is not None, "an answer was given to it"
    if offer.state is OfferState.OPEN or not offer.in_full_settlement:
        return
    await settle_hold_of_case(
        session,
        case.id,
        accepted=offer.state is OfferState.ACCEPTED,
        actor=principal.actor,
        at=moment.now,
    )
