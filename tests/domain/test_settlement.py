"""Commission, VAT and shares: exact for every amount, order and split."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.fee_bands import FeeRuleInvalid, RateBand
from app.domain.money import Money
from app.domain.posting_rules import LegDraft, PostingRefused, compose, mirrored, parse_rules, terms
from app.domain.settlement import (
    STANDARD_2026,
    ClaimantShare,
    FeeRule,
    FeeStanding,
    ItemDue,
    ItemShare,
    Posted,
    SharesInvalid,
    add_months,
    fee_reason,
    fee_total,
    net_amounts,
    set_against_items,
    settle,
    vat_inside,
)
from app.playbooks.fee_caps import capped, load_caps
from app.playbooks.posting_rules import load_posting_rules

RULES = st.builds(
    FeeRule,
    id=st.just("r"), version=st.just(1), rate_bp=st.integers(0, 10_000),
    vat_bp=st.integers(0, 3_000), fixed_minor=st.integers(0, 5_000),
    minimum_minor=st.integers(0, 5_000), cap_minor=st.none() | st.integers(0, 50_000),
)  # fmt: skip
HOUSE_AND_OTHERS = st.just(STANDARD_2026) | RULES
CONTACTED = FeeStanding(first_contact_on=date(2026, 1, 10))
DAY = date(2026, 3, 1)


def play(rule: FeeRule, payments: list[list[ItemShare]]) -> list[ClaimantShare]:
    """Settle payments one after the other, as the case would."""
    basis = fee = 0
    posted: dict[str, Posted] = {}
    events: list[ClaimantShare] = []
    for shares in payments:
        done = settle(
            rule, shares, reason="fee_due", basis_before=basis, fee_before=fee, posted=posted
        )
        basis, fee = done.basis_total_minor, done.fee_total_minor
        for share in done.shares:
            was = posted.get(share.claimant_id, Posted())
            posted[share.claimant_id] = Posted(
                was.gross_minor + share.fee_minor, was.vat_minor + share.vat_minor
            )
        events += done.shares
    return events


SHARES = st.lists(
    st.builds(
        ItemShare,
        item_id=st.just("i"), claimant_id=st.sampled_from("abc"),
        amount_minor=st.integers(1, 10**7), earns_fee=st.booleans(),
    ),
    min_size=1, max_size=4,
)  # fmt: skip


def test_the_worked_example_of_the_house_rule() -> None:
    # 249.90 at 30 % with 25.5 % VAT inside: fee 74.97 = 59.74 + 15.23, consumer 174.93.
    rule = FeeRule(id="r", version=1, rate_bp=3000, vat_bp=2550)
    (share,) = play(rule, [[ItemShare("i", "a", 24_990, True)]])
    assert (share.fee_minor, share.net_minor, share.vat_minor) == (7_497, 5_974, 1_523)
    assert share.payout_minor == 17_493


@given(HOUSE_AND_OTHERS, st.lists(SHARES, min_size=1, max_size=6))
def test_commission_and_payout_are_what_was_recovered(
    rule: FeeRule, payments: list[list[ItemShare]]
) -> None:
    events = play(rule, payments)
    received = sum(s.amount_minor for shares in payments for s in shares)
    assert sum(e.fee_minor + e.payout_minor for e in events) == received
    for event in events:
        assert 0 <= event.fee_minor <= event.basis_minor <= event.received_minor
        assert event.payout_minor >= 0
        assert event.net_minor + event.vat_minor == event.fee_minor
        assert 0 <= event.vat_minor <= event.fee_minor


@given(
    HOUSE_AND_OTHERS, st.lists(SHARES, min_size=1, max_size=6), st.randoms(use_true_random=False)
)
def test_the_fee_does_not_depend_on_order_or_split(
    rule: FeeRule, payments: list[list[ItemShare]], random: st.DataObject
) -> None:
    shuffled = list(payments)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # a Random, whatever the stubs say
    at_once = [[share for shares in payments for share in shares]]
    basis = sum(s.amount_minor for shares in payments for s in shares if s.earns_fee)
    for order in (payments, shuffled, at_once):
        assert sum(e.fee_minor for e in play(rule, order)) == fee_total(rule, basis)


@given(HOUSE_AND_OTHERS, st.lists(SHARES, min_size=1, max_size=6))
def test_a_claimants_vat_is_that_of_one_single_invoice(
    rule: FeeRule, payments: list[list[ItemShare]]
) -> None:
    events = play(rule, payments)
    for who in "abc":
        mine = [e for e in events if e.claimant_id == who]
        gross = sum(e.fee_minor for e in mine)
        assert sum(e.vat_minor for e in mine) == vat_inside(gross, rule.vat_bp)


@given(HOUSE_AND_OTHERS, st.integers(0, 10**9), st.integers(0, 1_000))
def test_the_fee_never_grows_faster_than_the_basis(rule: FeeRule, basis: int, step: int) -> None:
    low, high = fee_total(rule, basis), fee_total(rule, basis + step)
    assert 0 <= low <= basis
    assert low <= high <= low + step


@pytest.mark.parametrize(
    ("standing", "reason"),
    [
        (CONTACTED, "fee_due"),
        (FeeStanding(), "agreed_before_first_contact"),
        (FeeStanding(first_contact_on=date(2026, 3, 2)), "agreed_before_first_contact"),
        (FeeStanding(first_contact_on=DAY), "fee_due"),
        (
            FeeStanding(first_contact_on=date(2026, 1, 10), agreed_before_contact=True),
            "agreed_before_first_contact",
        ),
        (FeeStanding(first_contact_on=date(2026, 1, 10), agency_late=True), "agency_late"),
        (
            FeeStanding(first_contact_on=date(2026, 1, 10), left_on=date(2026, 2, 1)),
            "left_before_any_offer",
        ),
        (
            FeeStanding(
                first_contact_on=date(2026, 1, 10), left_on=date(2026, 2, 1),
                offered_on=date(2026, 2, 2),
            ),
            "left_before_any_offer",
        ),
        (
            FeeStanding(
                first_contact_on=date(2026, 1, 10), left_on=date(2026, 2, 1),
                offered_on=date(2026, 2, 1),
            ),
            "fee_due",
        ),
        (
            FeeStanding(
                first_contact_on=date(2024, 1, 10), left_on=date(2025, 3, 1),
                offered_on=date(2025, 2, 1),
            ),
            "fee_due",
        ),
        (
            FeeStanding(
                first_contact_on=date(2024, 1, 10), left_on=date(2025, 2, 28),
                offered_on=date(2025, 2, 1),
            ),
            "left_over_window_ago",
        ),
    ],
)  # fmt: skip
def test_when_money_earns_a_fee(standing: FeeStanding, reason: str) -> None:
    assert fee_reason(STANDARD_2026, standing, DAY) == reason


def test_money_without_a_fee_goes_to_the_consumer_whole() -> None:
    shares = [ItemShare("i", "a", 500, True)]
    done = settle(
        STANDARD_2026, shares, reason="agency_late", basis_before=10_000, fee_before=2_500
    )
    assert (done.fee_minor, done.fee_total_minor, done.basis_total_minor) == (0, 2_500, 10_000)
    assert done.shares[0].payout_minor == 500
    only_expenses = settle(
        STANDARD_2026, [ItemShare("i", "a", 500, False)], reason="fee_due", basis_before=0,
        fee_before=0,
    )  # fmt: skip
    assert (only_expenses.fee_minor, only_expenses.reason) == (0, "no_item_earns_fee")


ITEMS = (
    ItemDue("fare", "a", 10_000, True),
    ItemDue("fare2", "b", 10_000, True),
    ItemDue("taxi", "a", 3_000, False),
)


def test_a_payment_is_set_first_against_items_without_a_fee() -> None:
    shares, surplus = set_against_items(4_001, ITEMS)
    assert surplus == 0
    assert {s.item_id: s.amount_minor for s in shares} == {"taxi": 3_000, "fare": 501, "fare2": 500}


def test_the_payers_own_split_comes_first() -> None:
    shares, surplus = set_against_items(4_000, ITEMS, {"fare2": 2_000})
    assert surplus == 0
    assert {s.item_id: s.amount_minor for s in shares} == {"fare2": 2_000, "taxi": 2_000}


def test_more_than_the_claim_is_a_surplus() -> None:
    shares, surplus = set_against_items(25_000, ITEMS)
    assert (sum(s.amount_minor for s in shares), surplus) == (23_000, 2_000)


@pytest.mark.parametrize("named", [{"fare": 5_000}, {"fare": 10_001}, {"bus": 1}, {"fare": -1}])
def test_a_split_that_does_not_fit_is_refused(named: dict[str, int]) -> None:
    with pytest.raises(SharesInvalid):
        set_against_items(4_000, ITEMS, named)


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.booleans()), min_size=1, max_size=8),
    st.integers(1, 10**7),
)
def test_shares_never_exceed_an_item_and_sum_exactly(
    open_items: list[tuple[int, bool]], received: int
) -> None:
    items = [ItemDue(str(at), "a", minor, fee) for at, (minor, fee) in enumerate(open_items)]
    shares, surplus = set_against_items(received, items)
    assert sum(s.amount_minor for s in shares) + surplus == received
    by_id = {i.item_id: i for i in items}
    assert all(0 < s.amount_minor <= by_id[s.item_id].open_minor for s in shares)
    if surplus:
        assert sum(s.amount_minor for s in shares) == sum(i.open_minor for i in items)


def test_the_summary_shows_what_the_consumer_keeps() -> None:
    lines = {line.scenario: line for line in net_amounts(STANDARD_2026, ITEMS, "EUR")}
    assert lines["full"].fee == Money(5_000, "EUR")
    assert lines["full"].consumer_gets == Money(18_000, "EUR")
    assert lines["half"].fee == Money(2_125, "EUR")  # 115.00, of which 30.00 earns nothing
    assert lines["voucher"].fee == lines["nothing"].fee == Money(0, "EUR")
    for line in lines.values():
        assert line.fee + line.consumer_gets == line.recovered


def test_a_fee_rule_survives_being_stored_and_refuses_nonsense() -> None:
    assert FeeRule.from_document(STANDARD_2026.to_document()) == STANDARD_2026
    with pytest.raises(FeeRuleInvalid):
        FeeRule(id="r", version=1, rate_bp=10_001, vat_bp=0)
    with pytest.raises(FeeRuleInvalid):
        FeeRule.from_document({"id": "r"})


GB = load_caps()[0]
DEAR = FeeRule(id="dear", version=1, rate_bp=5_000, vat_bp=2_000, minimum_minor=9_900)


def test_the_legal_cap_holds_by_jurisdiction_kind_and_day() -> None:
    kind, start = sorted(GB.kinds)[0], GB.since
    rule = capped(DEAR, "GB", kind, "GBP", start)
    # 30 %, 420.00 at most, 28 %, 15 % and 10,000.00 at most; VAT of 20 % comes on top.
    for basis, net in ((100_00, 30_00), (1_499_99, 420_00), (2_000_00, 560_00), (90_000_00, 10**6)):
        assert fee_total(rule, basis) == net * 12 // 10
    assert fee_total(DEAR, 100_00) == 99_00, "a minimum never lifts a fee above the cap"
    for other in (
        capped(DEAR, "FI", kind, "GBP", start), capped(DEAR, "GB", "air", "GBP", start),
        capped(DEAR, "GB", kind, "EUR", start), capped(DEAR, "GB", kind, "GBP", date(2022, 2, 28)),
    ):  # fmt: skip
        assert other is DEAR
    assert FeeRule.from_document(rule.to_document()) == rule, "an undoing knows the same cap"


@given(basis=st.integers(0, 9_000_000), more=st.integers(0, 9_000_000))
def test_no_fee_is_above_its_cap_or_falls_as_more_comes(basis: int, more: int) -> None:
    rule = capped(DEAR, "GB", sorted(GB.kinds)[0], "GBP", GB.since)
    assert fee_total(rule, basis) <= GB.cap.fee(basis, rule.vat_bp) <= basis
    assert 0 <= fee_total(rule, basis + more) - fee_total(rule, basis) <= more


def test_bands_charge_each_part_at_its_own_rate() -> None:
    rule = replace(STANDARD_2026, bands=(RateBand(1_000_00, 2_000), RateBand(5_000_00, 1_000)))
    assert fee_total(rule, 1_000_00) == 250_00
    assert fee_total(rule, 2_000_00) == 450_00
    assert fee_total(rule, 6_000_00) == 250_00 + 800_00 + 100_00
    assert FeeRule.from_document(rule.to_document()) == rule
    with pytest.raises(FeeRuleInvalid):
        replace(rule, bands=(RateBand(5, 1), RateBand(5, 2)))


def test_months_end_with_the_month() -> None:
    assert add_months(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert add_months(date(2025, 2, 28), 12) == date(2026, 2, 28)
    assert add_months(date(2025, 12, 5), 12) == date(2026, 12, 5)


@pytest.mark.parametrize("kind", sorted(load_posting_rules().rules))
def test_every_posting_rule_balances_in_its_example_and_in_its_mirror(kind: str) -> None:
    rules = load_posting_rules()
    example = rules.rules[kind].example
    drafts = compose(rules, kind, "EUR", example["amounts"], example["subs"])
    worked = [
        f"{leg.account}{'/' if leg.sub else ''}{leg.sub} {leg.debit - leg.credit:+d}"
        for draft in drafts
        for leg in draft.legs
    ]
    assert worked == list(rules.rules[kind].posts)
    for draft in drafts:
        assert sum(leg.debit for leg in draft.legs) == sum(leg.credit for leg in draft.legs) > 0
        assert mirrored(mirrored(draft)) == draft
    negative = {name: -minor for name, minor in example["amounts"].items()}
    assert compose(rules, kind, "EUR", negative, example["subs"]) == tuple(map(mirrored, drafts))


def test_a_rule_that_does_not_balance_is_refused() -> None:
    broken = {
        "version": "1",
        "rules": [
            {
                "kind": "k", "row": "0", "door": "entry", "example": {}, "posts": [],
                "legs": ["Dr O.A = x", "Cr O.B = x - y"],
            }
        ],
    }  # fmt: skip
    rules = parse_rules(broken)
    assert compose(rules, "k", "EUR", {"x": 5, "y": 0}, {})[0].legs[0] == LegDraft("O.A", "", 5, 0)
    with pytest.raises(PostingRefused):
        compose(rules, "k", "EUR", {"x": 5, "y": 1}, {})
    with pytest.raises(PostingRefused):
        parse_rules({"version": "1", "rules": broken["rules"] * 2})  # type: ignore[operator]  # list
    for leg in ("Dr X.A = x", "Up O.A = x", "Dr O.A x", "Dr O.A = 5"):
        with pytest.raises(PostingRefused):
            parse_rules({"version": "1", "rules": [broken["rules"][0] | {"legs": [leg]}]})  # type: ignore[operator]  # list of dicts
    for expression in ("", "a b", "a * b", "1"):
        with pytest.raises(PostingRefused):
            terms(expression)
