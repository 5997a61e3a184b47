"""Entries in the books with four eyes: proposed by one person of finance, approved by another.

Approval posts everything and tells the case in one transaction, or nothing of it stands. What an
entry may be, and what must be named, comes from ``app/playbooks/posting_rules.yaml``.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final
from uuid import UUID

from sqlalchemy import select

from app import engine, ledger
from app.domain.book_entries import Plan, needed
from app.domain.errors import Conflict, NotFound
from app.domain.events import MoneyCorrected
from app.fields import FieldError, FieldsRefused
from app.finance import entry_plans
from app.finance.desk import Desk
from app.finance.entry_schemas import EntryIn
from app.ids import new_id
from app.ledger import FundsMissing, Posting
from app.playbooks.posting_rules import load_posting_rules
from app.tables.banking import Allocation
from app.tables.entries import BookEntry

# Kept without a floor of their own in the database; an entry never overdraws them.
FLOORED: Final = frozenset({"O.COMMREC", "O.CLAWBACK", "O.SUSPENSE"})


class FourEyes(Conflict):
    """Who proposed an entry does not approve it."""

    code = "four_eyes"


class EntryDecided(Conflict):
    """An entry is decided once."""

    code = "entry_decided"


async def propose(desk: Desk, body: EntryIn) -> BookEntry:
    """Keep an entry for a second person. Raises FieldsRefused, NotFound, Conflict, InvalidInput."""
    names = body.names()
    wanted = needed(load_posting_rules()).get(body.kind)
    if wanted is None:
        raise FieldsRefused(FieldError("/kind", "not a kind of entry", "kind_unknown"))
    _all_named(wanted, set(names) | ({"consent"} if body.consent_message_id else set()))
    allocation_case = None
    if body.allocation_id is not None:
        allocation_case = await desk.session.scalar(
            select(Allocation.case_id).where(Allocation.id == body.allocation_id)
        )
        if allocation_case is None:
            raise NotFound("there is no such allocation", code="allocation_not_found")
    amount = body.amount.money()
    entry = BookEntry(
        id=new_id(), kind=body.kind, state="proposed", amount_minor=amount.minor,
        currency=amount.currency, names=names, vat_relief=body.vat_relief, reason=body.reason,
        case_id=await entry_plans.case_of(desk, names, allocation_case),
        allocation_id=body.allocation_id, consent_id=body.consent_message_id,
        made_by=desk.actor, made_at=desk.moment.now,
    )  # fmt: skip
    await entry_plans.open_work(desk, entry)
    desk.session.add(entry)
    await desk.session.flush()
    await desk.log(
        "book_entry_proposed", entry=str(entry.id), kind=entry.kind, minor=amount.minor,
        currency=amount.currency,
    )  # fmt: skip
    return entry


def _all_named(wanted: frozenset[str], given: set[str]) -> None:
    for name in sorted(wanted - given):
        raise FieldsRefused(FieldError(f"/{FIELD_OF[name]}", "this entry needs it", "missing"))
    for name in sorted(given - wanted):
        raise FieldsRefused(
            FieldError(f"/{FIELD_OF[name]}", "this entry is not about it", "not_wanted")
        )


FIELD_OF: Final = {
    "case": "case_id", "claimant": "claimant_id", "movement": "movement_id", "debit": "debit_id",
    "allocation": "allocation_id", "invoice": "invoice_id", "own_account": "own_account_id",
    "consent": "consent_message_id", "entry": "entry_id", "cause": "cause", "wrong": "wrong",
    "partner": "partner",
}  # fmt: skip


async def reject(desk: Desk, entry_id: UUID, note: str) -> BookEntry:
    """Drop an entry; nothing was posted. Raises NotFound, EntryDecided."""
    entry = await _open_entry(desk, entry_id)
    entry.state, entry.note = "rejected", note
    entry.decided_by, entry.decided_at = desk.actor, desk.moment.now
    await desk.session.flush()
    await desk.log("book_entry_rejected", entry=str(entry_id), reason=note)
    return entry


async def approve(desk: Desk, entry_id: UUID) -> BookEntry:
    """Post an entry another person proposed. Raises FourEyes, EntryDecided, NotFound,
    FundsMissing, EntryTooLarge, PostingRefused, TransitionRefused, PeriodClosed."""
    case_id = await desk.session.scalar(select(BookEntry.case_id).where(BookEntry.id == entry_id))
    if case_id is not None:
        await desk.lock_case(case_id)
    entry = await _open_entry(desk, entry_id)
    if entry.made_by == desk.actor:
        raise FourEyes("another person approves what you proposed")
    work = await entry_plans.open_work(desk, entry)
    plan = await entry_plans.plan(work)
    await _post(desk, entry, plan)
    entry.state, entry.told = "approved", asdict(plan.tells)
    entry.decided_by, entry.decided_at = desk.actor, desk.moment.now
    await desk.session.flush()
    if case_id is not None and plan.tells.any:
        await engine.advance(
            desk.session, case_id, _event(entry, plan), actor=desk.actor, moment=desk.moment
        )
    await desk.log(
        "book_entry_approved", entry=str(entry_id), kind=entry.kind, minor=entry.amount_minor,
        currency=entry.currency,
    )  # fmt: skip
    return entry


def _event(entry: BookEntry, plan: Plan) -> MoneyCorrected:
    tells = plan.tells
    return MoneyCorrected(
        entry.id, entry.kind, tells.received, tells.fee, tells.fee_direct, tells.adjusted
    )


async def _open_entry(desk: Desk, entry_id: UUID) -> BookEntry:
    entry = await desk.session.get(
        BookEntry, entry_id, with_for_update=True, populate_existing=True
    )
    if entry is None:
        raise NotFound("there is no such entry", code="entry_not_found")
    if entry.state != "proposed":
        raise EntryDecided("this entry was decided", state=entry.state)
    return entry


async def _post(desk: Desk, entry: BookEntry, plan: Plan) -> None:
    if not plan.steps:
        return
    group = uuid.UUID(int=entry.id.int)
    await ledger.post_many(
        desk.session,
        [
            Posting(
                kind=step.kind, key=f"entry:{entry.id}:{at}", currency=entry.currency,
                amounts=step.amounts, subs=step.subs, effective_on=desk.today, at=desk.at,
                actor=desk.actor, case_id=entry.case_id, group=group,
            )
            for at, step in enumerate(plan.steps)
        ],
    )  # fmt: skip
    await _nothing_overdrawn(desk, entry, plan)


async def _nothing_overdrawn(desk: Desk, entry: BookEntry, plan: Plan) -> None:
    rules = load_posting_rules().rules
    touched: set[tuple[str, str]] = set()
    for step in plan.steps:
        for leg in rules[step.kind].legs:
            if leg.account in FLOORED:
                touched.add((leg.account, leg.sub.format_map(step.subs)))
    for account, sub in sorted(touched):
        left = await ledger.balance_of(desk.session, account, sub, entry.currency)
        if left.minor < 0:
            raise FundsMissing("There is not that much on the account this entry settles.")


async def rests_on_it(desk: Desk, allocation_id: UUID, case_id: UUID) -> bool:
    """An entry stands on this allocation or on the fee it earned: it is not simply undone."""
    found: Sequence[UUID] = (
        await desk.session.scalars(
            select(BookEntry.id)
            .where(
                BookEntry.state == "approved",
                (BookEntry.allocation_id == allocation_id)
                | (
                    (BookEntry.case_id == case_id)
                    & BookEntry.kind.in_(("fee_waived", "invoice_waived"))
                ),
            )
            .limit(1)
        )
    ).all()
    return bool(found)
