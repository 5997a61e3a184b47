"""What the owner of a case may do with it besides signing and answering offers."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import engine
from app.authorisation import Principal
from app.cases.access import check_sent, is_staff, own_case
from app.correspondence.alerts import raise_alerts
from app.domain.errors import Conflict, NotFound
from app.domain.events import MessageArrived, PaidDirectReported, QuestionAnswered
from app.domain.money import Money
from app.fields import FieldError, FieldsRefused
from app.ids import new_id
from app.moment import read_moment
from app.playbooks import book
from app.reading.alerts import alerts_in
from app.reading.masking import masked
from app.tables.correspondence import MessageRow
from app.tables.people import ConsumerRow
from app.tables.work import DirectPaymentRow, QuestionRow


async def answer_question(
    session: AsyncSession,
    principal: Principal,
    case_id: UUID,
    question_id: UUID,
    answer: str,
    sent: int | None,
) -> None:
    """Stores the answer as given, once. Raises NotFound, Conflict, TransitionRefused."""
    check_sent(await own_case(session, principal, case_id, lock=True), sent)
    question = (
        await session.execute(
            select(QuestionRow.answered_at).where(
                QuestionRow.id == question_id, QuestionRow.case_id == case_id
            )
        )
    ).one_or_none()
    if question is None:
        raise NotFound("there is no such question on this case", code="question_not_found")
    if question.answered_at is not None:
        raise Conflict("this question was answered already", code="question_answered")
    moment = await read_moment(session)
    await session.execute(
        update(QuestionRow)
        .where(QuestionRow.id == question_id)
        .values(answer=answer, answered_at=moment.now, answered_by=principal.actor)
    )
    by = "handler" if is_staff(principal) else "consumer"
    await engine.advance(
        session, case_id, QuestionAnswered(question_id, by), actor=principal.actor, moment=moment
    )


async def report_direct_payment(
    session: AsyncSession,
    principal: Principal,
    case_id: UUID,
    amount: Money,
    paid_on: date,
    sent: int | None,
) -> UUID:
    """ "They paid me": a person checks the proof. Returns the id of the report."""
    case = await own_case(session, principal, case_id, lock=True)
    check_sent(case, sent)
    moment = await read_moment(session)
    if amount.currency != case.currency:
        raise FieldsRefused(
            FieldError("/amount/currency", f"this case is in {case.currency}", "wrong_currency")
        )
    if paid_on > book.local_day(case.playbook, moment.now):
        raise FieldsRefused(FieldError("/paid_on", "that day has not come yet", "date_in_future"))
    report_id = new_id()
    await session.execute(
        insert(DirectPaymentRow).values(
            id=report_id,
            case_id=case_id,
            amount_minor=amount.minor,
            currency=amount.currency,
            paid_on=paid_on,
            state="reported",
            reported_at=moment.now,
            reported_by=principal.actor,
            decided_by=None,
        )
    )
    await engine.advance(
        session,
        case_id,
        PaidDirectReported(report_id, amount.minor, paid_on),
        actor=principal.actor,
        moment=moment,
    )
    return report_id


async def send_message(
    session: AsyncSession, principal: Principal, case_id: UUID, text: str
) -> MessageRow:
    """Files what the owner of a case writes to us, for a person to read; card numbers masked."""
    text = masked(text)
    await own_case(session, principal, case_id, lock=True)
    moment = await read_moment(session)
    sender = await session.scalar(select(ConsumerRow.email).where(ConsumerRow.id == principal.id))
    row = MessageRow(
        id=new_id(),
        case_id=case_id,
        inbound_id=None,
        effect_id=None,
        letter_id=None,
        direction="in",
        channel="portal",
        sender="consumer",
        from_address=sender or principal.actor,
        to_address="",
        subject="",
        text=text,
        automatic=False,
        state="unread",
        pen_reasons=[],
        message_id_header=None,
        received_at=moment.now,
        alerts=alerts_in(text),
    )
    session.add(row)
    await session.flush()
    await engine.advance(
        session,
        case_id,
        MessageArrived(row.id, "consumer", automatic=False),
        actor=principal.actor,
        moment=moment,
    )
    await raise_alerts(
        session, case_id, row.id, sender="consumer", alerts=row.alerts, kind=None, deadline=None,
        now=moment.now,
    )  # fmt: skip
    return row
