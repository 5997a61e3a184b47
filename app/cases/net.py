"""What an offer would leave each claimant with, by the fee rule of the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.settlement import STANDARD_2026, FeeRule, ItemDue, set_against_items, settle

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Net:
    """Minor units. `by_claimant` holds what each would get; together with `fee` the offer."""

    fee: int
    paid_out: int
    by_claimant: dict[str, int]


def items_due(items: Sequence[Row]) -> list[ItemDue]:
    """The lines that are claimed, as the fee rule reads them."""
    return [
        ItemDue(str(i["id"]), str(i["creditor_id"]), int(i["amount_minor"]), bool(i["earns_fee"]))
        for i in items
        if i["counted"]
    ]


def net_of_offer(
    amount: int, *, voucher: bool, items: Sequence[Row], rule: FeeRule = STANDARD_2026
) -> Net:
    """A voucher costs nothing until it is cashed; money is set against the lines as it would be."""
    due = items_due(items)
    if not due:
        return Net(0, amount, {})
    shares, surplus = set_against_items(amount, due)
    free = voucher and rule.voucher_when_cashed
    done = settle(
        rule,
        shares,
        reason="no_item_earns_fee" if free else "fee_due",
        basis_before=0,
        fee_before=0,
    )
    by_claimant = {share.claimant_id: share.payout_minor for share in done.shares}
    return Net(done.fee_minor, sum(by_claimant.values()) + surplus, by_claimant)
