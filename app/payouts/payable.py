"""What is owed to claimants and can be sent: one line per claimant of a case, and why not yet."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ARRAY, Text, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.money import Money
from app.payouts.service import PAYABLE_CURRENCY

PAGE_MAX: Final = 1_000

# Reasons why a line is not paid now, in the order in which they are looked at.
NO_RAIL: Final = "no_payout_rail"
BEING_PAID: Final = "being_paid"
NO_ACCOUNT: Final = "no_account"
ACCOUNT_WAITS: Final = "account_changed_lately"
ACCOUNT_FAILED: Final = "account_failed"


@dataclass(frozen=True, slots=True)
class Payable:
    """Client money of one claimant that no approved payout carries.

    ``why_not`` None: it goes into the next batch. ``account_failed``: the last payment to this
    account was refused or came back; a person may name the claimant to try it again.
    """

    sub: str
    case_id: uuid.UUID
    reference: str
    claimant_id: uuid.UUID
    consumer_id: uuid.UUID
    amount: Money
    last4: str | None
    usable_from: datetime | None
    item_id: uuid.UUID | None
    batch_id: uuid.UUID | None
    why_not: str | None


_LINES = text(
    """
    SELECT b.sub, b.currency, b.balance, c.id AS case_id, c.reference, p.id AS claimant_id,
           p.consumer_id, a.id AS account_id, a.rail, a.iban_last4, a.usable_from,
           i.id AS item_id, i.batch_id,
           EXISTS (SELECT FROM claimants o JOIN payout_items f ON f.case_id = o.case_id
                    WHERE o.consumer_id = p.consumer_id AND f.account_id = a.id
                      AND f.state IN ('rejected', 'returned')) AS failed
      FROM account_balances b
      JOIN cases c ON c.id = CAST(split_part(b.sub, '/', 1) AS uuid)
      JOIN claimants p ON p.id = CAST(split_part(b.sub, '/', 2) AS uuid)
      LEFT JOIN payout_accounts a ON a.consumer_id = p.consumer_id AND a.retired_at IS NULL
      LEFT JOIN payout_items i ON i.case_id = c.id AND i.claimant_id = p.id
                              AND i.kind = 'consumer' AND i.state IN ('draft', 'proposed')
     WHERE b.account = 'C.CLIENT' AND b.balance <> 0
       AND (b.sub, b.currency) > (:after, :after_currency)
       AND (:everybody OR p.id = ANY(:claimants))
     ORDER BY b.sub, b.currency LIMIT :limit
    """
).bindparams(
    bindparam("claimants", type_=ARRAY(Uuid())), bindparam("after", type_=Text()),
    bindparam("after_currency", type_=Text()),
)  # fmt: skip


async def payables(
    session: AsyncSession,
    *,
    now: datetime,
    after: tuple[str, str] = ("", ""),
    claimants: Sequence[uuid.UUID] | None = None,
    limit: int = PAGE_MAX,
) -> list[Payable]:
    """Lines in the order of ``sub`` (case, claimant) and currency, behind ``after``;
    ``claimants`` None: everybody's."""
    rows = await session.execute(
        _LINES,
        {
            "after": after[0], "after_currency": after[1], "everybody": claimants is None,
            "claimants": list(claimants or ()), "limit": min(limit, PAGE_MAX),
        },
    )  # fmt: skip
    return [
        Payable(
            r.sub, r.case_id, r.reference, r.claimant_id, r.consumer_id,
            Money(r.balance, r.currency), r.iban_last4, r.usable_from, r.item_id, r.batch_id,
            _why_not(r, now),
        )
        for r in rows
    ]  # fmt: skip


async def ready_payables(
    session: AsyncSession, *, now: datetime, limit: int, page: int = PAGE_MAX
) -> list[Payable]:
    """Up to ``limit`` lines that can be paid now, however many before them cannot."""
    ready: list[Payable] = []
    after = ("", "")
    while len(ready) < limit:
        lines = await payables(session, now=now, after=after, limit=page)
        ready += [line for line in lines if line.why_not is None]
        if len(lines) < page:
            break
        after = (lines[-1].sub, lines[-1].amount.currency)
    return ready[:limit]


def _why_not(row: Any, now: datetime) -> str | None:
    if row.currency != PAYABLE_CURRENCY:
        return NO_RAIL
    if row.batch_id is not None:
        return BEING_PAID
    if row.account_id is None:
        return NO_ACCOUNT
    if row.rail != "sepa":
        return NO_RAIL
    if row.usable_from > now:
        return ACCOUNT_WAITS
    return ACCOUNT_FAILED if row.failed else None
