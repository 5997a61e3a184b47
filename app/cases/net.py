"""What an offer would leave each claimant with, by the fee rule of the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from app.domain.settlement import (
    STANDARD_2026,
    FeeReason,
    FeeRule,
    ItemDue,
    set_against_items,
    settle,
)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Net:
    """Minor units. `by_claimant` holds what each would get; together with `fee` the offer."""

    fee: int
    paid_out: int
    by_claimant: dict[str, int]


@dataclass(frozen=True, slots=True)
class Before:
    """What came for the case already, what fee was taken of it, and whether promise 9 is broken."""

    recovered: int = 0
    fee: int = 0
    we_are_late: bool = False


NOTHING_BEFORE: Final = Before()


def items_due(items: Sequence[Row]) -> list[ItemDue]:
    """The lines that are claimed, as the fee rule reads them."""
    return [
        ItemDue(str(i["id"]), str(i["creditor_id"]), int(i["amount_minor"]), bool(i["earns_fee"]))
        for i in items
        if i["counted"]
    ]


def net_of_offer(
    amount: int,
    *,
    voucher: bool,
    items: Sequence[Row],
    rule: FeeRule = STANDARD_2026,
    before: Before = NOTHING_BEFORE,
) -> Net:
    """A voucher costs nothing until it is cashed; money is set against the lines that what came
    before left open, as it would be."""
    due, basis = _still_open(items_due(items), before.recovered)
    if not due:
        return Net(0, amount, {})
    shares, surplus = set_against_items(amount, due)
    reason: FeeReason = "fee_due"
    if voucher and rule.voucher_when_cashed:
        reason = "no_item_earns_fee"
    elif before.we_are_late:
        reason = "agency_late"
    done = settle(rule, shares, reason=reason, basis_before=basis, fee_before=before.fee)
    by_claimant = {share.claimant_id: share.payout_minor for share in done.shares}
    return Net(done.fee_minor, sum(by_claimant.values()) + surplus, by_claimant)


def _still_open(due: list[ItemDue], recovered: int) -> tuple[list[ItemDue], int]:
    """The lines less what was recovered, and how much of that counted for the fee."""
    if not recovered or not due:
        return due, 0
    taken = {s.item_id: s.amount_minor for s in set_against_items(recovered, due)[0]}
    left = [replace(i, open_minor=i.open_minor - taken.get(i.item_id, 0)) for i in due]
    return left, sum(taken.get(i.item_id, 0) for i in due if i.earns_fee)
