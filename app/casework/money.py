"""Money that did not come to us: the consumer was paid directly, or took a voucher."""

from __future__ import annotations

import uuid

from sqlalchemy import select

from app.banking.case_money import agency_zone, load_case_money
from app.banking.direct import DirectPayment, record_direct_payment
from app.case_change import CaseChange
from app.casework.answers import in_case_currency
from app.casework.schemas import DirectPaymentDecisionIn, VoucherIn
from app.domain.decision import TaskKind
from app.domain.errors import Conflict, NotFound
from app.domain.events import PaidDirectConfirmed, VoucherTaken
from app.domain.money import Money
from app.tables.work import DirectPaymentRow


async def decide_direct_payment(
    change: CaseChange, report_id: uuid.UUID, body: DirectPaymentDecisionIn
) -> None:
    """What a person found. Confirmed, the fee is computed and invoiced in the same transaction."""
    report = (
        await change.session.execute(
            select(DirectPaymentRow)
            .where(DirectPaymentRow.id == report_id, DirectPaymentRow.case_id == change.case.id)
            .with_for_update()
        )
    ).scalar_one_or_none()
    if report is None:
        raise NotFound("there is no such report on this case", code="direct_payment_not_found")
    if report.state != "reported":
        raise Conflict("this report was decided before", code="already_decided")
    report.decided_by = change.actor
    report.state = "confirmed" if body.confirmed else "refused"
    await change.session.flush()
    reason = await change.note("direct_payment", body.reason) if body.reason else "not_proven"
    if not body.confirmed:
        await change.finish_task(TaskKind.CHECK_DIRECT_PAYMENT, str(report_id))
        await change.amend("direct_payment_not_confirmed", report=str(report_id), reason=reason)
        return
    zone = agency_zone(change.moment.profile)
    done = await record_direct_payment(
        change.session,
        DirectPayment(
            id=report.id,
            case=await load_case_money(change.session, change.case.id, zone=zone),
            amount=Money(report.amount_minor, report.currency),
            paid_on=report.paid_on,
            actor=change.actor,
            at=change.now.astimezone(zone),
        ),
    )
    await change.advance(
        PaidDirectConfirmed(
            amount_minor=report.amount_minor,
            fee_minor=done.fee.minor,
            whole=body.whole,
            decided_by=change.actor,
        )
    )


async def take_voucher(change: CaseChange, body: VoucherIn) -> None:
    """Registered at its agreed value; the fee waits until it is cashed."""
    value = in_case_currency(body.value, change.case.currency)
    await change.advance(VoucherTaken(value_minor=value.minor, decided_by=change.actor))
