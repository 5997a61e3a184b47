"""Acting on one's case over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Response

from app.cases import actions, leaving
from app.cases.access import version_sent
from app.cases.endpoints import show
from app.cases.inputs import AnswerIn, DirectPaymentIn, MessageIn
from app.cases.schemas import Amount, CaseView, DirectPaymentOut, MessageOut, ReceiptOut
from app.deps import Caller, Router, Session, problems
from app.domain.money import Money
from app.etag import etag
from app.schemas import Id
from app.texts import words

router = Router(prefix="/v1/cases/{case_id}", tags=["cases"])
IfMatch = Annotated[str | None, Header(description="The ETag you read; staff must send it.")]


@router.post("/withdraw", operation_id="withdraw_case", responses=problems("conflict", "stale"))
async def withdraw_case(
    case_id: Id, session: Session, caller: Caller, response: Response, if_match: IfMatch = None
) -> ReceiptOut:
    """Leaves at once. The receipt says what was stopped, what had gone, and what may be owed."""
    receipt = await leaving.withdraw(session, caller, case_id, version_sent(caller, if_match))
    response.headers["etag"] = etag(receipt.version)
    return receipt


@router.post("/leave", operation_id="leave_agency", responses=problems("conflict", "stale"))
async def leave_agency(
    case_id: Id, session: Session, caller: Caller, response: Response, if_match: IfMatch = None
) -> ReceiptOut:
    """The way out when a dated step of ours is 30 days late: free of any fee on later money."""
    receipt = await leaving.leave_agency(session, caller, case_id, version_sent(caller, if_match))
    response.headers["etag"] = etag(receipt.version)
    return receipt


@router.post(
    "/questions/{question_id}/answer",
    operation_id="answer_question",
    responses=problems("conflict", "stale"),
)
async def answer_question(
    case_id: Id,
    question_id: Id,
    body: AnswerIn,
    session: Session,
    caller: Caller,
    response: Response,
    if_match: IfMatch = None,
) -> CaseView:
    await actions.answer_question(
        session, caller, case_id, question_id, body.answer, version_sent(caller, if_match)
    )
    return await show(session, caller, case_id, response)


@router.post(
    "/direct-payments",
    operation_id="report_direct_payment",
    status_code=201,
    responses=problems("conflict", "stale"),
)
async def report_direct_payment(
    case_id: Id,
    body: DirectPaymentIn,
    session: Session,
    caller: Caller,
    response: Response,
    if_match: IfMatch = None,
) -> DirectPaymentOut:
    """ "They paid me": a person checks it and says what it means for the case."""
    money = Money.parse(body.amount.amount, body.amount.currency)
    report = await actions.report_direct_payment(
        session, caller, case_id, money, body.paid_on, version_sent(caller, if_match)
    )
    view = await show(session, caller, case_id, response)
    return DirectPaymentOut(
        id=report,
        amount=Amount.of(money.minor, money.currency),
        paid_on=body.paid_on,
        state="reported",
        text=words(view.language).term("direct_payment", "reported"),
        case_version=view.version,
    )


@router.post(
    "/messages", operation_id="send_message", status_code=201, responses=problems("conflict")
)
async def send_message(
    case_id: Id, body: MessageIn, session: Session, caller: Caller
) -> MessageOut:
    """A message to us, filed on the case; a person reads it by the next working day."""
    row = await actions.send_message(session, caller, case_id, body.text)
    return MessageOut(
        id=row.id,
        direction=row.direction,
        sender=row.sender,
        subject=row.subject,
        text=row.text,
        at=row.received_at,
        attachments=[],
        reading=None,
        read_as=None,
        trust=None,
        trust_reasons=[],
        alerts=[],
        html=None,
        delivery=None,
        delivery_status=None,
    )
