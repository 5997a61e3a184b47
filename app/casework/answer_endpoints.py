"""Letters, answers and money beside the ladder, as a person records them."""

from __future__ import annotations

from fastapi import Response

from app.case_state import CaseStateOut
from app.casework import answers, letters, money, portal
from app.casework import schemas as s
from app.casework.base_endpoints import Changing, answer
from app.casework.portal_schemas import PortalFiledIn, PortalWorkOut
from app.deps import Held, ReadSession, Router, Staff, problems
from app.reply_address import AddressBook
from app.schemas import Id

router = Router(prefix="/v1/cases/{case_id}", tags=["casework"])
CONFLICT = problems("conflict")


@router.post("/letters/{letter_id}/approve", operation_id="approve_letter", responses=CONFLICT)
async def approve_letter(
    letter_id: Id, body: s.ApproveIn, change: Changing, response: Response
) -> CaseStateOut:
    """Release the letter whose document has this sha256; it leaves after a short hold."""
    await letters.approve(change, letter_id, body.sha256, body.gaps_reason)
    return await answer(change, response)


@router.post("/letters/{letter_id}/return", operation_id="return_letter", responses=CONFLICT)
async def return_letter(
    letter_id: Id, body: s.ReasonIn, change: Changing, response: Response
) -> CaseStateOut:
    """Send it back: a new revision is made."""
    await letters.give_back(change, letter_id, body.reason)
    return await answer(change, response)


@router.post("/letters/{letter_id}/sent", operation_id="mark_letter_sent", responses=CONFLICT)
async def mark_letter_sent(
    letter_id: Id, body: s.SentIn, change: Changing, response: Response
) -> CaseStateOut:
    """It left without us: the consumer filed it with the body, or a person posted it."""
    await letters.sent(change, letter_id, body)
    return await answer(change, response)


@router.post(
    "/letters/{letter_id}/delivered", operation_id="mark_letter_delivered", responses=CONFLICT
)
async def mark_letter_delivered(
    letter_id: Id, body: s.DeliveredIn, change: Changing, response: Response
) -> CaseStateOut:
    """A postal receipt, or the recipient's word, with its grade of evidence."""
    await letters.delivered(change, letter_id, body)
    return await answer(change, response)


@router.post("/letters/{letter_id}/bounced", operation_id="mark_letter_bounced", responses=CONFLICT)
async def mark_letter_bounced(
    letter_id: Id, body: s.BouncedIn, change: Changing, response: Response
) -> CaseStateOut:
    await letters.bounced(change, letter_id, body)
    return await answer(change, response)


@router.get(
    "/letters/{letter_id}/portal", operation_id="get_portal_work", responses=problems("conflict")
)
async def get_portal_work(
    case_id: Id, letter_id: Id, session: ReadSession, caller: Staff, held: Held
) -> PortalWorkOut:
    """The company's web form: its address, the prepared text, what to copy where, what to attach.
    Refused while the letter may not leave."""
    settings = held.settings
    book = AddressBook(settings.secret_key.get_secret_value(), settings.mail_domain)
    return await portal.prepared(session, caller, case_id, letter_id, book)


@router.post("/letters/{letter_id}/portal", operation_id="mark_filed_at_portal", responses=CONFLICT)
async def mark_filed_at_portal(
    letter_id: Id, body: PortalFiledIn, change: Changing, response: Response
) -> CaseStateOut:
    """It was filed through the web form, with its proof: counts as sent. A form that does not work
    is a bounce (mark_letter_bounced): the letter then goes another way."""
    await portal.filed(change, letter_id, body)
    return await answer(change, response)


@router.post("/answers", operation_id="record_answer", status_code=201, responses=CONFLICT)
async def record_answer(
    body: s.AnswerIn, change: Changing, held: Held, response: Response
) -> CaseStateOut:
    """What the company or the body said, by mail, post or phone."""
    await answers.record(change, held.keyring, body)
    return await answer(change, response)


@router.get("/calls", operation_id="list_calls")
async def list_calls(case_id: Id, session: ReadSession, caller: Staff) -> s.CallsOut:
    """The calls on file with what was promised and when we come back to it."""
    rows = await answers.calls_of(session, caller, case_id)
    return s.CallsOut(items=[s.CallOut.model_validate(row) for row in rows])


@router.post("/calls", operation_id="record_call", status_code=201, responses=CONFLICT)
async def record_call(body: s.CallIn, change: Changing, response: Response) -> CaseStateOut:
    await answers.record_call(change, body)
    return await answer(change, response)


@router.post(
    "/direct-payments/{report_id}/decide", operation_id="decide_direct_payment", responses=CONFLICT
)
async def decide_direct_payment(
    report_id: Id, body: s.DirectPaymentDecisionIn, change: Changing, response: Response
) -> CaseStateOut:
    """Whether the company really paid the consumer itself."""
    await money.decide_direct_payment(change, report_id, body)
    return await answer(change, response)


@router.post("/vouchers", operation_id="take_voucher", status_code=201, responses=CONFLICT)
async def take_voucher(body: s.VoucherIn, change: Changing, response: Response) -> CaseStateOut:
    """Register a voucher the claimants accepted, at its agreed value."""
    await money.take_voucher(change, body)
    return await answer(change, response)
