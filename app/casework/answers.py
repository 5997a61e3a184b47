"""What the company or a body said, read by a person and turned into a fact of the ladder."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final, Literal

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.authorisation import Principal
from app.case_change import CaseChange
from app.cases.access import own_case
from app.casework import schemas as s
from app.casework.other_letters import pin_company
from app.crypto import Keyring
from app.domain.case import OfferKind, OfferState
from app.domain.errors import InvalidInput, NotFound
from app.domain.events import (
    BodyAnswered,
    BodyAsked,
    BodyDecided,
    BodyDismissed,
    CompanyAsked,
    CompanyDenied,
    CompanyOffered,
    CompanyPromised,
    Event,
    MessageSetAside,
    OfferExtended,
    WrongParty,
)
from app.domain.money import Money
from app.ids import new_id
from app.playbooks import book
from app.schemas import MoneyIn
from app.tables.correspondence import MessageRow
from app.tables.work import CallRow, OfferRow

# A claimant without a date of the company's has two weeks, as long as for signing.
OFFER_ANSWER_DAYS: Final = 14
State = Literal["read", "set_aside"]
ANSWER_YEARS_MAX: Final = 2  # a promised or ordered day further away is a slip of the pen

AnyAnswer = (
    s.DeniedIn | s.OfferedIn | s.OfferExtendedIn | s.PromisedIn | s.AskedIn | s.SetAsideIn
    | s.WrongPartyIn
    | s.BodyAskedIn | s.BodyAnsweredIn | s.BodyDismissedIn | s.BodyRecommendedIn | s.BodyDecidedIn
)  # fmt: skip


async def record(change: CaseChange, keyring: Keyring, body: AnyAnswer) -> None:
    """One answer. Its message, if it came as one, is marked read; words without one are noted."""
    if body.message_id is not None:
        state: State = "set_aside" if isinstance(body, s.SetAsideIn) else "read"
        await _read_message(change, body.message_id, state, read_as=body.kind)
    words = None if isinstance(body, s.SetAsideIn) else body.words
    if words and not isinstance(body, s.OfferedIn | s.BodyRecommendedIn):
        await change.note(f"answer_{body.kind}", words)
    case = await change.advance(await _event(change, body))
    if isinstance(body, s.WrongPartyIn):
        await pin_company(change, keyring, case)


async def _event(change: CaseChange, body: AnyAnswer) -> Event:
    by = change.actor
    match body:
        case s.DeniedIn():
            reason = await change.note("denied", body.reason) if body.reason else ""
            return CompanyDenied(message_id=body.message_id, reason=reason, decided_by=by)
        case s.OfferedIn():
            return await _offer(change, body, OfferKind(body.offer_kind), body.in_full_settlement)
        case s.OfferExtendedIn():
            return OfferExtended(
                offer_id=body.offer_id,
                decided_by=by,
                answer_by=_coming(change, body.answer_by, "answer_by"),
            )
        case s.BodyRecommendedIn():
            # A recommendation is put to the claimants as an offer; accepted, it ends the matter.
            return await _offer(change, body, OfferKind.RECOMMENDATION, True)
        case s.PromisedIn():
            return CompanyPromised(
                promise_id=new_id(),
                amount_minor=_amount(change, body.amount).minor,
                promised_date=_soon(change, body.promised_date, "promised_date"),
                whole=body.whole,
                decided_by=by,
                message_id=body.message_id,
            )
        case s.AskedIn():
            return CompanyAsked(message_id=body.message_id, decided_by=by)
        case s.SetAsideIn():
            return MessageSetAside(message_id=body.message_id, decided_by=by)
        case s.WrongPartyIn():
            return WrongParty(decided_by=by, message_id=body.message_id)
        case _:
            return await _body_event(change, body)


async def _body_event(
    change: CaseChange,
    body: s.BodyAskedIn | s.BodyAnsweredIn | s.BodyDismissedIn | s.BodyDecidedIn,
) -> Event:
    by, read = change.actor, body.message_id
    match body:
        case s.BodyAskedIn():
            answer_by = _coming(change, body.answer_by, "answer_by")
            return BodyAsked(answer_by=answer_by, decided_by=by, message_id=read)
        case s.BodyAnsweredIn():
            return BodyAnswered(decided_by=by, message_id=read)
        case s.BodyDismissedIn():
            reason = await change.note("dismissed", body.reason)
            return BodyDismissed(reason=reason, decided_by=by, message_id=read)
        case s.BodyDecidedIn():
            return BodyDecided(
                promise_id=new_id(),
                amount_minor=_amount(change, body.amount).minor,
                obey_by=_soon(change, body.obey_by, "obey_by"),
                decided_by=by,
                message_id=read,
            )


async def _offer(
    change: CaseChange, body: s.OfferedIn | s.BodyRecommendedIn, kind: OfferKind, in_full: bool
) -> Event:
    """The row as the company made it, in the transaction in which the ladder learns of it."""
    amount = _amount(change, body.amount)
    answer_by = change.now + timedelta(days=OFFER_ANSWER_DAYS)
    if body.answer_by is not None:
        answer_by = _coming(change, body.answer_by, "answer_by")
    offer_id = new_id()
    await change.session.execute(
        insert(OfferRow).values(
            id=offer_id,
            case_id=change.case.id,
            kind=kind.value,
            state=OfferState.OPEN.value,
            amount_minor=amount.minor,
            currency=amount.currency,
            made_at=change.now,
            answer_by=answer_by,
            in_full_settlement=in_full,
            message_id=body.message_id,
            words=body.words or "",
            answers={},
            recorded_by=change.actor,
        )
    )
    return CompanyOffered(
        offer_id=offer_id,
        kind=kind,
        amount_minor=amount.minor,
        answer_by=answer_by,
        decided_by=change.actor,
        in_full_settlement=in_full,
        message_id=body.message_id,
    )


async def _read_message(
    change: CaseChange, message_id: uuid.UUID, state: State, *, read_as: str
) -> None:
    """Marks a message of this case as read by a person, and as what; one of another case is unknown
    here. Beside what the mail seemed to say, `read_as` is the correction."""
    found = await change.session.scalar(
        select(MessageRow.id)
        .where(
            MessageRow.id == message_id,
            MessageRow.case_id == change.case.id,
            MessageRow.direction == "in",
        )
        .with_for_update()
    )
    if found is None:
        raise NotFound("there is no such message on this case", code="message_not_found")
    await change.session.execute(
        update(MessageRow).where(MessageRow.id == message_id).values(state=state, read_as=read_as)
    )


async def record_call(change: CaseChange, body: s.CallIn) -> uuid.UUID:
    """A call goes on file; it moves nothing by itself."""
    called_at = body.called_at or change.now
    if called_at > change.now:
        raise InvalidInput("the call lies in the future", code="date_in_future", field="called_at")
    call_id = new_id()
    await change.session.execute(
        insert(CallRow).values(
            id=call_id,
            case_id=change.case.id,
            with_whom=body.with_whom,
            notes=body.notes,
            outcome=body.outcome,
            promise=body.promise,
            next_at=None if body.next_at is None else _coming(change, body.next_at, "next_at"),
            called_at=called_at,
            recorded_by=change.actor,
        )
    )
    await change.amend("call_recorded", call=str(call_id), with_whom=body.with_whom)
    return call_id


CALLS_SHOWN_MAX: Final = 200


async def calls_of(
    session: AsyncSession, caller: Principal, case_id: uuid.UUID
) -> Sequence[CallRow]:
    """Raises NotFound."""
    await own_case(session, caller, case_id)
    query = select(CallRow).where(CallRow.case_id == case_id).order_by(CallRow.id.desc())
    return (await session.scalars(query.limit(CALLS_SHOWN_MAX))).all()


def _amount(change: CaseChange, given: MoneyIn) -> Money:
    return in_case_currency(given, change.case.currency)


def in_case_currency(given: MoneyIn, currency: str) -> Money:
    """The sum in the case's one currency. Raises InvalidInput for another one, or for zero."""
    if given.currency != currency:
        raise InvalidInput(
            f"this case is in {currency}", code="currency_mismatch", currency=currency
        )
    return given.money()


def _coming(change: CaseChange, at: datetime, field: str) -> datetime:
    if at <= change.now:
        raise InvalidInput(f"{field} must lie ahead", code="date_in_past", field=field)
    if at > change.now + timedelta(days=366 * ANSWER_YEARS_MAX):
        raise InvalidInput(f"{field} lies too far ahead", code="date_too_far", field=field)
    return at


def _soon(change: CaseChange, day: date, field: str) -> date:
    today = book.local_day(change.case.playbook, change.now)
    if day < today:
        raise InvalidInput(f"{field} has passed", code="date_in_past", field=field)
    if day > today + timedelta(days=366 * ANSWER_YEARS_MAX):
        raise InvalidInput(f"{field} lies too far ahead", code="date_too_far", field=field)
    return day
