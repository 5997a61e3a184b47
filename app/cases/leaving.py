"""Leaving: withdrawal at any time, and the way out when we are late. Both give a receipt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import engine
from app.authorisation import Principal
from app.cases.access import check_sent, own_case
from app.cases.queries import read_case_row
from app.cases.schemas import ReceiptOut
from app.cases.views import UNTIL_LEFT
from app.cases.words import instant, zone_of
from app.domain.case import BEFORE_MANDATE
from app.domain.errors import Conflict
from app.domain.events import AgencyLeft, CaseWithdrawn
from app.moment import Moment, read_moment
from app.tables.cases import ClaimantRow
from app.tables.effects import EffectRow
from app.tables.security import AuditEntry
from app.texts import words

Row = Mapping[str, Any]


class OthersStay(Conflict):
    """Other people of the case have signed: one of them leaves by revoking their own mandate."""

    code = "other_claimants_stay"


@dataclass(frozen=True, slots=True)
class Before:
    """How it stood the moment before leaving."""

    row: Row
    planned: int
    moment: Moment


async def withdraw(
    session: AsyncSession, principal: Principal, case_id: UUID, sent: int | None
) -> ReceiptOut:
    """The case ends; the receipt says what was stopped, what had gone, what may still be owed.

    A consumer leaves alone only if nobody else on the case has signed; else they revoke their own
    mandate and the others go on. Raises OthersStay, TransitionRefused.
    """
    before = await _before(session, principal, case_id, sent)
    if principal.kind == "consumer":
        await _refuse_for_others(session, principal, case_id)
    case = await engine.advance(
        session,
        case_id,
        CaseWithdrawn(by=principal.kind),
        actor=principal.actor,
        moment=before.moment,
    )
    return await _receipt(session, before, outcome=case.outcome)


async def leave_agency(
    session: AsyncSession, principal: Principal, case_id: UUID, sent: int | None
) -> ReceiptOut:
    """Promise 9: we were 30 days late; nothing is owed on money that comes later."""
    before = await _before(session, principal, case_id, sent)
    if principal.kind == "consumer":
        await _refuse_for_others(session, principal, case_id)
    case = await engine.advance(
        session, case_id, AgencyLeft(), actor=principal.actor, moment=before.moment
    )
    return await _receipt(session, before, outcome=case.outcome)


async def _before(
    session: AsyncSession, principal: Principal, case_id: UUID, sent: int | None
) -> Before:
    check_sent(await own_case(session, principal, case_id, lock=True), sent)
    row = await read_case_row(session, principal, case_id)
    planned = await session.scalar(
        select(func.count())
        .select_from(EffectRow)
        .where(
            EffectRow.case_id == case_id,
            EffectRow.state == "planned",
            EffectRow.lane.in_(("company", "render")),
            EffectRow.kind != "RenderMandate",  # they get what they had signed
        )
    )
    return Before(row, int(planned or 0), await read_moment(session))


async def _refuse_for_others(session: AsyncSession, principal: Principal, case_id: UUID) -> None:
    others = await session.scalar(
        select(func.count())
        .select_from(ClaimantRow)
        .where(
            ClaimantRow.case_id == case_id,
            ClaimantRow.mandate == "signed",
            ClaimantRow.consumer_id != principal.id,
        )
    )
    if others:
        raise OthersStay(
            "others on this case have signed; revoke your own mandate instead, and"
            " they go on without you"
        )


async def _receipt(session: AsyncSession, before: Before, *, outcome: str | None) -> ReceiptOut:
    row, now = before.row, before.moment.now
    say, zone = words(row["language"]), zone_of(row["playbook"])
    possible, until = await _fee(session, row)
    if possible:
        fee = say.say("receipt", "fee_possible", {"until": until.isoformat() if until else ""})
    else:
        fee = say.term("receipt", _why_no_fee(row))
    gone = [
        say.say(
            "receipt", "letter_gone", {"letter": x["kind"], "at": _iso(x["sent_at"])}, zone=zone
        )
        for x in row["letters"]
        if x["sent_at"]
    ]
    return ReceiptOut(
        case_id=row["id"],
        reference=row["reference"],
        at=now,
        stopped=_stopped(before),
        had_already_gone=gone or [say.term("receipt", "nothing_gone")],
        fee_still_possible=possible,
        fee_text=fee,
        fee_window_ends=until,
        outcome=outcome,
        text=say.say("receipt", "text", {"reference": row["reference"]}),
        version=row["version"] + 1,
    )


def _stopped(before: Before) -> list[str]:
    row = before.row
    say = words(row["language"])
    found = [
        say.say("receipt", "letter_stopped", {"letter": x["kind"]})
        for x in row["letters"]
        if x["state"] in UNTIL_LEFT
    ]
    if before.planned:
        found.append(say.say("receipt", "effects_stopped", {"count": before.planned}))
    if row["due_at"] is not None:
        found.append(say.term("receipt", "timers_stopped"))
    if row["first_contact_at"] is not None:
        found.append(say.term("receipt", "stop_notice"))
    return found


async def _fee(session: AsyncSession, row: Row) -> tuple[bool, date | None]:
    """What the ladder wrote into the history when the case ended: it is the one who decides."""
    params = await session.scalar(
        select(AuditEntry.params)
        .where(
            AuditEntry.stream == f"case:{row['id']}",
            AuditEntry.code.in_(("withdrawn", "agency_left")),
        )
        .order_by(AuditEntry.seq.desc())
        .limit(1)
    )
    assert params is not None, "a case that was left says so in its history"
    until = params.get("until")
    return params.get("fee_may_be_due") == "yes", date.fromisoformat(until) if until else None


def _why_no_fee(row: Row) -> str:
    if row["agency_late"]:
        return "fee_none_late"
    if row["stage"] in BEFORE_MANDATE:
        return "fee_none_not_signed"
    return "fee_none_before_offer"


def _iso(value: Any) -> str:
    at: datetime | None = instant(value)
    return at.isoformat() if at else ""
