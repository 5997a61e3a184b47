"""What the agency keeps and what the consumer gets: commission, VAT, shares. Pure functions.

The commission of a case is computed on everything recovered so far, and each event posts only the
difference to what was posted before. So the fee depends on the sum, not on how many payments it
came in, and a reversal is the same formula with less money. VAT is inside the fee and is a
cumulative difference of the same kind. Source: design, "Fee" and "Amounts and rounding".

All integers named ``*_minor`` are minor units of the case's one currency.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Final, Literal

from app.domain.errors import InvalidInput
from app.domain.fee_bands import (
    BASIS_POINTS,
    CapBand,
    FeeRuleInvalid,
    LegalCap,
    RateBand,
)
from app.domain.money import Money, round_half_up, split_largest_remainder, sum_money

FeeReason = Literal[
    "fee_due",
    "no_item_earns_fee",
    "agreed_before_first_contact",
    "agency_late",
    "left_before_any_offer",
    "left_over_window_ago",
]


class SharesInvalid(InvalidInput):
    """The payer's own split of a payment does not fit the payment or the items."""

    code = "shares_invalid"


@dataclass(frozen=True, slots=True)
class FeeRule:
    """How a fee is computed; a value stored with the contract, never looked up later.

    ``rate_bp`` and ``vat_bp`` are basis points (2500 = 25 %). The fee is VAT-inclusive. Minimum,
    fixed sum and cap apply to the case's whole basis and never lift the fee above the basis.
    ``bands``: rates of further units above a sum, in place of ``rate_bp`` from there. ``legal_cap``
    is put in when the rule is used: jurisdiction, kind and day are the case's, not the contract's.
    ``leaving_window_months``: after a consumer leaves, how long money still earns the fee.
    """

    id: str
    version: int
    rate_bp: int
    vat_bp: int
    fixed_minor: int = 0
    minimum_minor: int = 0
    cap_minor: int | None = None
    voucher_when_cashed: bool = True
    leaving_window_months: int = 12
    bands: tuple[RateBand, ...] = ()
    legal_cap: LegalCap | None = None

    def __post_init__(self) -> None:
        fits = (
            0 <= self.rate_bp <= BASIS_POINTS
            and 0 <= self.vat_bp <= BASIS_POINTS
            and self.fixed_minor >= 0
            and self.minimum_minor >= 0
            and (self.cap_minor is None or self.cap_minor >= 0)
            and self.leaving_window_months >= 0
            and all(band.above > 0 and 0 <= band.rate_bp <= BASIS_POINTS for band in self.bands)
            and sorted({band.above for band in self.bands}) == [b.above for b in self.bands]
        )
        if not fits:
            raise FeeRuleInvalid("The fee rule has a rate or sum outside its bounds.", rule=self.id)

    def to_document(self) -> dict[str, Any]:
        """The JSON form kept with the contract and with every allocation."""
        document = asdict(self)
        for name in ("bands", "legal_cap"):
            if not document[name]:
                del document[name]
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> FeeRule:
        """Read the stored form; FeeRuleInvalid on a missing, surplus or impossible field."""
        try:
            bands = tuple(RateBand(**band) for band in document.get("bands", ()))
            cap = document.get("legal_cap")
            if cap is not None:
                of = tuple(CapBand(**band) for band in cap["bands"])
                cap = LegalCap(of, cap["excludes_vat"])
            return cls(**{**document, "bands": bands, "legal_cap": cap})
        except (TypeError, KeyError) as error:
            raise FeeRuleInvalid("The fee rule has unknown or missing fields.") from error


# The house rule: 25 % of what was recovered, Finnish VAT 25.5 % (from 1 September 2024) inside.
STANDARD_2026: Final = FeeRule(id="standard-2026", version=1, rate_bp=2500, vat_bp=2550)


def fee_total(rule: FeeRule, basis_minor: int) -> int:
    """The whole fee, VAT included, on ``basis_minor`` recovered so far. 0 <= fee <= basis.

    A step of one cent in the basis moves the fee by at most one cent, so the part of a single
    payment that goes to the fee never exceeds that payment.
    """
    if basis_minor <= 0:
        return 0
    fee = rule.fixed_minor + round_half_up(_by_bands(rule, basis_minor), BASIS_POINTS)
    fee = max(fee, rule.minimum_minor)
    if rule.cap_minor is not None:
        fee = min(fee, rule.cap_minor)
    if rule.legal_cap is not None:
        fee = min(fee, rule.legal_cap.fee(basis_minor, rule.vat_bp))
    return min(fee, basis_minor)


def _by_bands(rule: FeeRule, basis_minor: int) -> int:
    """Basis times rate, in ten-thousandths of the minor unit; each part at its band's rate."""
    total, rate, start = 0, rule.rate_bp, 0
    for band in rule.bands:
        if basis_minor <= band.above:
            break
        total += (band.above - start) * rate
        rate, start = band.rate_bp, band.above
    return total + (basis_minor - start) * rate


def vat_inside(gross_minor: int, vat_bp: int) -> int:
    """The VAT contained in a gross sum; net is gross minus this, never rounded on its own."""
    return round_half_up(gross_minor * vat_bp, BASIS_POINTS + vat_bp)


@dataclass(frozen=True, slots=True)
class FeeStanding:
    """The facts that decide whether money of one case earns a fee at all. Dates are local days.

    ``first_contact_on``: our first demand left. ``agreed_before_contact``: the company had agreed
    or paid before it. ``offered_on``: the company offered or agreed in writing. ``left_on``: the
    consumer left us (cleared when the case is reopened). ``agency_late``: promise 9 was broken.
    """

    first_contact_on: date | None = None
    agreed_before_contact: bool = False
    offered_on: date | None = None
    left_on: date | None = None
    agency_late: bool = False


def fee_reason(rule: FeeRule, standing: FeeStanding, received_on: date) -> FeeReason:
    """Why money received on that day earns a fee, or why it does not."""
    if standing.agency_late:
        return "agency_late"
    contacted = standing.first_contact_on
    if contacted is None or contacted > received_on or standing.agreed_before_contact:
        return "agreed_before_first_contact"
    if standing.left_on is not None:
        if standing.offered_on is None or standing.offered_on > standing.left_on:
            return "left_before_any_offer"
        if received_on > add_months(standing.left_on, rule.leaving_window_months):
            return "left_over_window_ago"
    return "fee_due"


def add_months(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day when it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    month += 1
    first_of_next = date(year + month // 12, month % 12 + 1, 1)
    last = (first_of_next - date.resolution).day
    return date(year, month, min(day.day, last))


@dataclass(frozen=True, slots=True)
class ItemDue:
    """One claim item as money sees it: who is owed, how much is still open, does it earn a fee."""

    item_id: str
    claimant_id: str
    open_minor: int
    earns_fee: bool


@dataclass(frozen=True, slots=True)
class ItemShare:
    """A part of one payment set against one item."""

    item_id: str
    claimant_id: str
    amount_minor: int
    earns_fee: bool


def set_against_items(
    received_minor: int,
    items: Sequence[ItemDue],
    named: Mapping[str, int] | None = None,
) -> tuple[tuple[ItemShare, ...], int]:
    """Set a payment against items; returns the shares and what no item can take (the surplus).

    First what the payer named (``item_id -> minor``), then items that earn no fee, then the rest.
    Inside a group every item gets its proportion of what is open, by largest remainder, so that
    claimants on one booking are treated alike and the parts sum exactly. SharesInvalid when the
    payer's split is larger than the payment or than an item, or names an item we do not have.
    """
    if received_minor <= 0:
        raise SharesInvalid("There is no money to set against items.")
    named = dict(named or {})
    by_id = {item.item_id: item for item in items}
    for item_id, amount in named.items():
        if item_id not in by_id or not 0 <= amount <= by_id[item_id].open_minor:
            raise SharesInvalid("The payer's split does not fit the open items.", item=item_id)
    rest = received_minor - sum(named.values())
    if rest < 0:
        raise SharesInvalid("The payer's split is larger than the payment.")
    given = {item.item_id: named.get(item.item_id, 0) for item in items}
    for earns_fee in (False, True):
        group = [item for item in items if item.earns_fee is earns_fee]
        room = [item.open_minor - given[item.item_id] for item in group]
        now = min(rest, sum(room))
        for item, part in zip(group, split_largest_remainder(now, room), strict=True):
            given[item.item_id] += part
        rest -= now
    shares = tuple(
        ItemShare(item.item_id, item.claimant_id, given[item.item_id], item.earns_fee)
        for item in items
        if given[item.item_id]
    )
    return shares, rest


@dataclass(frozen=True, slots=True)
class Posted:
    """What a claimant's invoices on a case already hold, per VAT rate: gross and VAT."""

    gross_minor: int = 0
    vat_minor: int = 0


@dataclass(frozen=True, slots=True)
class ClaimantShare:
    """One claimant's part of one event. received = fee + payout; fee = net + vat."""

    claimant_id: str
    received_minor: int
    basis_minor: int
    fee_minor: int
    vat_minor: int

    @property
    def payout_minor(self) -> int:
        """What this claimant gets of this event."""
        return self.received_minor - self.fee_minor

    @property
    def net_minor(self) -> int:
        """The fee without VAT."""
        return self.fee_minor - self.vat_minor


@dataclass(frozen=True, slots=True)
class Settlement:
    """The result of one recovery event: per claimant, and the new running totals of the case."""

    shares: tuple[ClaimantShare, ...]
    basis_total_minor: int
    fee_total_minor: int
    reason: FeeReason

    @property
    def fee_minor(self) -> int:
        """The fee this event adds, over all claimants."""
        return sum(share.fee_minor for share in self.shares)


def settle(
    rule: FeeRule,
    shares: Sequence[ItemShare],
    *,
    reason: FeeReason,
    basis_before: int,
    fee_before: int,
    posted: Mapping[str, Posted] | None = None,
) -> Settlement:
    """Commission and VAT of one recovery as differences to what the case posted before.

    ``reason`` comes from ``fee_reason``: anything but ``fee_due`` puts nothing in the basis. The
    event's fee is split among its claimants by their fee-earning part, by largest remainder; as
    the fee grows no faster than the basis, nobody's share falls below zero. ``posted`` holds each
    claimant's earlier invoices at this rule's VAT rate.
    """
    posted = posted or {}
    order = list(dict.fromkeys(share.claimant_id for share in shares))
    received = [sum(s.amount_minor for s in shares if s.claimant_id == who) for who in order]
    basis = [
        sum(s.amount_minor for s in shares if s.claimant_id == who and s.earns_fee)
        if reason == "fee_due"
        else 0
        for who in order
    ]
    if reason == "fee_due" and not any(basis):
        reason = "no_item_earns_fee"
    basis_total = basis_before + sum(basis)
    total = fee_total(rule, basis_total) if sum(basis) else fee_before
    fees = split_largest_remainder(total - fee_before, basis)
    parts = []
    for who, got, part, fee in zip(order, received, basis, fees, strict=True):
        before = posted.get(who, Posted())
        vat = vat_inside(before.gross_minor + fee, rule.vat_bp) - before.vat_minor
        parts.append(ClaimantShare(who, got, part, fee, vat))
    return Settlement(tuple(parts), basis_total, total, reason)


@dataclass(frozen=True, slots=True)
class NetAmount:
    """One line of the fee summary a consumer sees before signing."""

    scenario: str
    recovered: Money
    fee: Money
    vat: Money
    consumer_gets: Money


@dataclass(frozen=True, slots=True)
class Scenario:
    """An outcome to show: cash received, or the face value of a voucher not yet cashed."""

    name: str
    recovered_minor: int
    voucher: bool = field(default=False)


def scenarios_for(items: Sequence[ItemDue]) -> tuple[Scenario, ...]:
    """The outcomes every summary shows: all, half, a voucher for all, nothing."""
    whole = sum(item.open_minor for item in items)
    return (
        Scenario("full", whole),
        Scenario("half", whole // 2),
        Scenario("voucher", whole, voucher=True),
        Scenario("nothing", 0),
    )


def net_amounts(
    rule: FeeRule,
    items: Sequence[ItemDue],
    currency: str,
    scenarios: Sequence[Scenario] | None = None,
) -> tuple[NetAmount, ...]:
    """Fee, VAT inside it and what the consumer keeps, for each outcome of one claim.

    A voucher costs nothing here when the rule charges vouchers only once they are cashed.
    """
    lines = []
    for scenario in scenarios if scenarios is not None else scenarios_for(items):
        fee = vat = 0
        if scenario.recovered_minor and not (scenario.voucher and rule.voucher_when_cashed):
            shares, _ = set_against_items(scenario.recovered_minor, items)
            # What would be charged and invoiced, so that the summary and the invoices agree.
            done = settle(rule, shares, reason="fee_due", basis_before=0, fee_before=0)
            fee, vat = done.fee_minor, sum(share.vat_minor for share in done.shares)
        recovered, cost = Money(scenario.recovered_minor, currency), Money(fee, currency)
        lines.append(
            NetAmount(scenario.name, recovered, cost, Money(vat, currency), recovered - cost)
        )
    return tuple(lines)


def total_of(shares: Sequence[ItemShare], currency: str) -> Money:
    """Sum of item shares as money."""
    return sum_money((Money(share.amount_minor, currency) for share in shares), currency)
