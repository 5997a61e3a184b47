"""What money needs to know about a case: its items and what is open on them, and its fee terms."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.errors import NotFound
from app.domain.settlement import STANDARD_2026, FeeRule, FeeStanding, ItemDue
from app.moment import read_moment
from app.playbooks.fee_caps import capped
from app.tables.banking import Allocation, RecoveryLine
from app.tables.cases import CaseRow, ClaimItemRow
from app.tables.work import MandateRow

ZONE = "Europe/Helsinki"  # of an agency that has not said where it is
LEFT_OUTCOMES = ("withdrawn", "handed_over", "self_filed")


@dataclass(frozen=True, slots=True)
class CaseMoney:
    """A case as the money side sees it; every amount in the one ``currency`` of the case."""

    case_id: uuid.UUID
    currency: str
    items: tuple[ItemDue, ...]
    fee_rule: FeeRule
    standing: FeeStanding

    @property
    def open_minor(self) -> int:
        """What is still open on all items together."""
        return sum(item.open_minor for item in self.items)


async def load_case_money(
    session: AsyncSession,
    case_id: uuid.UUID,
    *,
    zone: ZoneInfo | None = None,
) -> CaseMoney:
    """Lock the case row, then read its items and terms. NotFound when there is no such case.

    The fee rule is that of the signed contract; ``zone`` the agency's time zone, in which a moment
    becomes a day (None: read it from the agency profile).
    """
    zone = zone or agency_zone((await read_moment(session)).profile)
    case = (
        await session.execute(select(CaseRow).where(CaseRow.id == case_id).with_for_update())
    ).scalar_one_or_none()
    if case is None:
        raise NotFound("There is no such case.", code="case_not_found")
    settled = await recovered_by_item(session, case_id)
    rows = (
        await session.execute(
            select(ClaimItemRow)
            .where(ClaimItemRow.case_id == case_id, ClaimItemRow.counted)
            .order_by(ClaimItemRow.position)
        )
    ).scalars()
    items = tuple(
        ItemDue(
            str(row.id), str(row.creditor_id),
            max(row.amount_minor - settled.get(row.id, 0), 0), row.earns_fee,
        )
        for row in rows
    )  # fmt: skip
    rule = capped(
        await contract_rule(session, case_id), case.jurisdiction, case.claim_kind, case.currency,
        case.opened_at.astimezone(zone).date(),
    )  # fmt: skip
    return CaseMoney(case_id, case.currency, items, rule, _standing(case, zone))


def agency_zone(profile: Mapping[str, Any]) -> ZoneInfo:
    """Where the agency is: its day is the day of invoices, of postings and of the bank."""
    return ZoneInfo(str(profile.get("zone") or ZONE))


async def contract_rule(session: AsyncSession, case_id: uuid.UUID) -> FeeRule:
    """The fee rule as it was shown when the first claimant signed; a contract that was revoked
    still says what leaving costs. Before anybody signs, the house rule (no fee is due then)."""
    shown = await session.scalar(
        select(MandateRow.shown)
        .where(MandateRow.case_id == case_id)
        .order_by(MandateRow.signed_at, MandateRow.id)
        .limit(1)
    )
    document = (shown or {}).get("fee_rule_document")
    return FeeRule.from_document(document) if document else STANDARD_2026


async def recovered_by_item(session: AsyncSession, case_id: uuid.UUID) -> dict[uuid.UUID, int]:
    """What every item of a case has received so far, undone allocations apart."""
    rows = await session.execute(
        select(RecoveryLine.item_id, func.sum(RecoveryLine.amount_minor))
        .outerjoin(Allocation, Allocation.id == RecoveryLine.source_id)
        .where(RecoveryLine.case_id == case_id, Allocation.undone_at.is_(None))
        .group_by(RecoveryLine.item_id)
    )
    return {item_id: int(minor) for item_id, minor in rows}


def _standing(case: CaseRow, zone: ZoneInfo) -> FeeStanding:
    contact, agreed = case.first_contact_at, case.agreed_at
    left_on: date | None = None
    if case.outcome in LEFT_OUTCOMES and case.closed_at is not None:
        left_on = case.closed_at.astimezone(zone).date()
    offered_on = agreed.astimezone(zone).date() if agreed else None
    if left_on is not None and agreed is not None and case.closed_at is not None:
        # On one and the same day the hour decides whether the offer came before the leaving.
        offered_on = left_on if agreed <= case.closed_at else left_on + timedelta(days=1)
    return FeeStanding(
        first_contact_on=contact.astimezone(zone).date() if contact else None,
        agreed_before_contact=agreed is not None and (contact is None or agreed < contact),
        offered_on=offered_on,
        left_on=left_on,
        agency_late=case.agency_late or case.outcome == "agency_late",
    )
