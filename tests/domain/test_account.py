"""The account of a case: one set of figures from the contract's calculator to the invoice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.account import AccountDiffers, CaseAccount, Invoiced, with_balances
from app.domain.settlement import (
    STANDARD_2026,
    ClaimantShare,
    FeeRule,
    ItemDue,
    Posted,
    Scenario,
    net_amounts,
    set_against_items,
    settle,
)

DAY, AT = date(2026, 3, 1), datetime(2026, 3, 1, tzinfo=UTC)
RULES = st.just(STANDARD_2026) | st.builds(
    FeeRule,
    id=st.just("r"), version=st.just(1), rate_bp=st.integers(0, 10_000),
    vat_bp=st.integers(0, 3_000), fixed_minor=st.integers(0, 5_000),
    minimum_minor=st.integers(0, 5_000), cap_minor=st.none() | st.integers(0, 50_000),
)  # fmt: skip
ITEMS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(1, 10**6), st.booleans()), min_size=1, max_size=5
)


def paid_in(rule: FeeRule, items: list[ItemDue], parts: list[int]) -> CaseAccount:
    """The account after these payments, each charged as the case would charge it, and paid on."""
    rows: list[tuple[str, int]] = []
    invoices: list[Invoiced] = []
    posted: dict[str, Posted] = {}
    basis = fee = 0
    left = list(items)
    for part in parts:
        shares, _ = set_against_items(part, left)
        taken = {s.item_id: s.amount_minor for s in shares}
        left = [replace(i, open_minor=i.open_minor - taken.get(i.item_id, 0)) for i in left]
        done = settle(
            rule, shares, reason="fee_due", basis_before=basis, fee_before=fee, posted=posted
        )
        basis, fee = done.basis_total_minor, done.fee_total_minor
        for share in done.shares:
            was = posted.get(share.claimant_id, Posted())
            posted[share.claimant_id] = Posted(
                was.gross_minor + share.fee_minor, was.vat_minor + share.vat_minor
            )
            rows += moves_of(share)
            if share.fee_minor:
                invoices.append(invoice_of(share, rule, len(invoices)))
    numbered = [
        (UUID(int=at), DAY, AT, kind, False, minor) for at, (kind, minor) in enumerate(rows)
    ]
    return CaseAccount(UUID(int=0), "EUR", with_balances(numbered), (), tuple(invoices)).checked()


def moves_of(share: ClaimantShare) -> list[tuple[str, int]]:
    return [
        ("money_allocated", share.received_minor),
        ("commission_deducted", -share.fee_minor),
        ("payout_approved", -share.payout_minor),
    ]


def invoice_of(share: ClaimantShare, rule: FeeRule, at: int) -> Invoiced:
    return Invoiced(
        UUID(int=at), f"2026-{at:06d}", DAY, True, share.fee_minor, share.net_minor,
        share.vat_minor, rule.vat_bp, 0,
    )  # fmt: skip


def due(drawn: list[tuple[str, int, bool]]) -> list[ItemDue]:
    return [ItemDue(str(at), who, minor, fee) for at, (who, minor, fee) in enumerate(drawn)]


@given(RULES, ITEMS)
def test_the_contract_the_statement_and_the_invoices_agree_to_the_cent(
    rule: FeeRule, drawn: list[tuple[str, int, bool]]
) -> None:
    items = due(drawn)
    whole = sum(item.open_minor for item in items)
    for paid in {whole, whole // 2} - {0}:
        [said] = net_amounts(rule, items, "EUR", [Scenario("it", paid)])
        account = paid_in(rule, items, [paid])
        assert account.received_minor == said.recovered.minor
        assert account.fee_minor == said.fee.minor
        assert account.vat_minor == said.vat.minor
        assert account.net_minor == account.paid_out_minor == said.consumer_gets.minor
        assert account.balance_minor == account.other_minor == 0


@given(RULES, ITEMS, st.integers(1, 99))
def test_one_claimant_paid_in_parts_pays_what_the_contract_said(
    rule: FeeRule, drawn: list[tuple[str, int, bool]], cut: int
) -> None:
    items = due([("a", minor, fee) for _, minor, fee in drawn])
    whole = sum(item.open_minor for item in items)
    parts = [part for part in (whole * cut // 100, whole - whole * cut // 100) if part]
    [said] = net_amounts(rule, items, "EUR", [Scenario("it", whole)])
    account = paid_in(rule, items, parts)
    assert (account.fee_minor, account.vat_minor, account.net_minor) == (
        said.fee.minor, said.vat.minor, said.consumer_gets.minor,
    )  # fmt: skip


def test_figures_that_differ_leave_in_no_document() -> None:
    account = paid_in(STANDARD_2026, due([("a", 10_000, True)]), [10_000])
    [invoice] = account.invoices
    for wrong in (
        replace(account, invoices=()),
        replace(account, invoices=(replace(invoice, gross_minor=invoice.gross_minor + 1),)),
        replace(account, invoices=(replace(invoice, vat_minor=invoice.vat_minor + 1),)),
    ):
        with pytest.raises(AccountDiffers):
            wrong.checked()
