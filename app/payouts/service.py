"""Prepares payouts: to a consumer, back to a payer, or the sweep of our own commission.

An item is a wish until a batch with it is approved (``batches``); then its money is reserved.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app import ledger
from app.domain.errors import Conflict, NotFound
from app.domain.money import Money, sum_money
from app.tables.banking import BankAccount, Movement
from app.tables.payouts import PayoutAccount, PayoutItem

PAYABLE_CURRENCY: Final = "EUR"  # the one currency with a tested payout rail; the rest is mode B
SWEEP_CASES_MAX: Final = 5_000


class NoPayoutRail(Conflict):
    """We cannot pay this account or currency by bank file: the company pays (mode B)."""

    code = "no_payout_rail"


class NoAccount(Conflict):
    """The consumer has not given an account."""

    code = "no_payout_account"


class NothingToPay(Conflict):
    """There is no money, or not that much."""

    code = "nothing_to_pay"


class PayoutWaits(Conflict):
    """A payout for this claimant is being prepared already."""

    code = "payout_waits"


@dataclass(frozen=True, slots=True)
class PreparePayout:
    """Pay ``amount`` (None: all that is owed) of a case to one claimant's current account.

    ``remittance`` is what the consumer reads on the statement: our reference, no personal text.
    """

    id: uuid.UUID
    case_id: uuid.UUID
    claimant_id: uuid.UUID
    consumer_id: uuid.UUID
    currency: str
    remittance: str
    actor: str
    at: datetime
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class ItemDone:
    """A prepared payout."""

    id: uuid.UUID
    kind: str
    state: str
    amount: Money
    end_to_end_id: str
    case_id: uuid.UUID | None
    claimant_id: uuid.UUID | None
    replayed: bool = False


async def prepare_payout(session: AsyncSession, order: PreparePayout) -> ItemDone:
    """Make a draft item for a claimant. NoPayoutRail, NoAccount, NothingToPay, PayoutWaits."""
    known = await _known(session, order.id)
    if known is not None:
        return known
    if order.currency != PAYABLE_CURRENCY:
        raise NoPayoutRail("Only EUR is paid out by bank file; the company pays this one.")
    account = (
        await session.execute(
            select(PayoutAccount).where(
                PayoutAccount.consumer_id == order.consumer_id, PayoutAccount.retired_at.is_(None)
            )
        )
    ).scalar_one_or_none()
    if account is None:
        raise NoAccount("The consumer has not given an account yet.")
    if account.rail != "sepa":
        raise NoPayoutRail("This kind of account is not reached by our bank file.")
    owed = await ledger.balance_of(
        session, "C.CLIENT", f"{order.case_id}/{order.claimant_id}", order.currency
    )
    amount = order.amount if order.amount is not None else owed
    amount.same_currency(owed)
    if not 0 < amount.minor <= owed.minor:
        raise NothingToPay("There is not that much to pay out.", owed=owed.format())
    item = _item(
        order.id, "consumer", amount, order.remittance, order.actor, order.at,
        case_id=order.case_id, claimant_id=order.claimant_id, account_id=account.id,
    )  # fmt: skip
    return await _store(session, item)


async def return_to_payer(
    session: AsyncSession,
    *,
    item_id: uuid.UUID,
    movement_id: uuid.UUID,
    remittance: str,
    actor: str,
    at: datetime,
) -> ItemDone:
    """Make a draft item that sends what was set aside of a movement back to its own account."""
    known = await _known(session, item_id)
    if known is not None:
        return known
    movement = await session.get(
        Movement, movement_id, with_for_update=True, populate_existing=True
    )
    if movement is None:
        raise NotFound("There is no such movement.")
    if movement.undone_at is not None:
        raise Conflict("The import that brought this money was taken back.", code="movement_undone")
    if movement.currency != PAYABLE_CURRENCY or movement.payer_account_cipher is None:
        raise NoPayoutRail("The statement does not say where this money came from.")
    aside = await ledger.balance_of(session, "C.PAYER", str(movement_id), movement.currency)
    if aside.is_zero:
        raise NothingToPay("Nothing of this money is set aside for its payer.")
    item = _item(item_id, "payer_return", aside, remittance, actor, at, movement_id=movement_id)
    return await _store(session, item)


async def prepare_sweep(
    session: AsyncSession,
    *,
    item_id: uuid.UUID,
    own_account_id: uuid.UUID,
    remittance: str,
    actor: str,
    at: datetime,
) -> ItemDone:
    """Make a draft item that moves our earned, unswept commission to our own account (row 4)."""
    known = await _known(session, item_id)
    if known is not None:
        return known
    own = await session.get(BankAccount, own_account_id)
    if own is None or own.book != "own" or own.currency != PAYABLE_CURRENCY:
        raise NotFound("There is no such account of ours in EUR.")
    waiting = await session.execute(
        select(PayoutItem.id).where(
            PayoutItem.kind == "sweep", PayoutItem.state.in_(("draft", "proposed"))
        )
    )
    if waiting.first() is not None:
        raise PayoutWaits("A sweep is being prepared already.")
    due = [
        b for b in await ledger.balances(session, "C.TOOWN", limit=SWEEP_CASES_MAX)
        if b.amount.currency == PAYABLE_CURRENCY
    ]  # fmt: skip
    total = sum_money((b.amount for b in due), PAYABLE_CURRENCY)
    if total.is_zero:
        raise NothingToPay("There is no commission to sweep.")
    item = _item(
        item_id, "sweep", total, remittance, actor, at, own_account_id=own_account_id,
        sweep_lines={b.sub: b.amount.minor for b in due},
    )  # fmt: skip
    return await _store(session, item)


async def cancel_item(session: AsyncSession, item_id: uuid.UUID) -> ItemDone:
    """Drop a draft that is in no batch. Conflict later than that: take it out of its batch."""
    item = (
        await session.execute(
            select(PayoutItem)
            .where(PayoutItem.id == item_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).scalar_one_or_none()
    if item is None:
        raise NotFound("There is no such payout.")
    if item.state != "draft" or item.batch_id is not None:
        raise Conflict("Only a payout that is in no batch can be dropped.", code="payout_in_batch")
    item.state = "cancelled"
    await session.flush()
    return item_done(item)


def end_to_end_id(item_id: uuid.UUID) -> str:
    """The id that comes back on the statement: 33 letters and digits, of 35 allowed."""
    return f"P{item_id.hex}"


def item_done(item: PayoutItem, *, replayed: bool = False) -> ItemDone:
    """The item as callers see it."""
    return ItemDone(
        item.id, item.kind, item.state, Money(item.amount_minor, item.currency),
        item.end_to_end_id, item.case_id, item.claimant_id, replayed,
    )  # fmt: skip


def _item(
    item_id: uuid.UUID,
    kind: str,
    amount: Money,
    remittance: str,
    actor: str,
    at: datetime,
    **links: object,
) -> PayoutItem:
    return PayoutItem(
        id=item_id, kind=kind, state="draft", amount_minor=amount.minor,
        currency=amount.currency, end_to_end_id=end_to_end_id(item_id), remittance=remittance,
        created_by=actor, created_at=at, **links,
    )  # fmt: skip


async def _known(session: AsyncSession, item_id: uuid.UUID) -> ItemDone | None:
    row = await session.get(PayoutItem, item_id)
    return item_done(row, replayed=True) if row is not None else None


async def _store(session: AsyncSession, item: PayoutItem) -> ItemDone:
    session.add(item)
    try:
        await session.flush()
    except IntegrityError as error:
        if "uq_payout_items_live" not in str(error.orig):
            raise
        raise PayoutWaits("A payout for this claimant is being prepared already.") from error
    return item_done(item)
