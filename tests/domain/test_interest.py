"""Interest is exact: cut, paid off and added up in any way, no fraction of a cent is lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.interest.accrual import (
    PARTS_MAX,
    Against,
    InterestInvalid,
    InWords,
    Part,
    Payment,
    Statement,
    accrue,
    merged,
)
from app.domain.interest.formula import DayCount, Formula, Tier
from app.domain.interest.rates import Missing, Rate, Series
from app.domain.money import CurrencyMismatch, Money
from app.law.interest import interest_law

EXAMPLES = yaml.safe_load(
    (Path(__file__).parents[1] / "data" / "law" / "interest_cases.yaml").read_text("utf-8")
)["cases"]
ONE_DAY = timedelta(days=1)
HALF_YEARS = [date(year, month, 1) for year in range(2020, 2031) for month in (1, 7)]
# A law of the tests' own: a rate that changes every half-year, tiers, and leap years of 366 days.
CHANGING = Series(
    "test",
    tuple(
        Rate(first, after - ONE_DAY, Fraction(number % 5, 2) - 1)
        for number, (first, after) in enumerate(pairwise(HALF_YEARS))
    ),
    ((1, 1), (7, 1)),
)
PLAIN = Formula(
    "test.plain", 1, "XX", "a law", "a source", CHANGING, (Tier(1, Fraction(7)),),
    DayCount("actual_actual", 365, 366),
)  # fmt: skip
TIERED = Formula(
    "test.tiered", 1, "XX", "a law", "a source", CHANGING,
    (Tier(1, Fraction(5)), Tier(8, Fraction(10)), Tier(31, Fraction(15))),
    DayCount("actual_365", 365, 365),
)  # fmt: skip
FIRST_DAY, LAST_DAY = HALF_YEARS[0], HALF_YEARS[-1] - ONE_DAY

days = st.dates(FIRST_DAY, LAST_DAY)
formulas = st.sampled_from([PLAIN, TIERED])
cents = st.integers(1, 10**9)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def counted(formula: Formula, parts: Sequence[Part], until: date, **more: Any) -> Statement:
    found = accrue(formula, parts, until, **more)
    assert isinstance(found, Statement)
    return found


def own(name: str) -> Formula:
    return interest_law().formula(name)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e["id"])
def test_a_worked_sum_comes_out_to_the_cent(example: dict[str, Any]) -> None:
    part = Part(
        Money.parse(example["principal"], example["currency"]), date.fromisoformat(example["from"])
    )
    found = counted(own(example["formula"]), [part], date.fromisoformat(example["to"]))
    assert found.total == Money.parse(example["result"], example["currency"])
    assert [row.days for row in found.rows] == example["days"]


def day_by_day(
    formula: Formula, parts: Sequence[Part], until: date, payments: Sequence[Payment]
) -> tuple[Fraction, list[Fraction]]:
    """Another way to the same sums: every day by itself. Returns unpaid interest, principal."""
    left = [Fraction(part.principal.minor) for part in parts]
    unpaid = Fraction(0)
    assert formula.tiers is not None and formula.series is not None
    day = min([part.first for part in parts] + [payment.on for payment in payments])
    while day <= until:
        for number, part in enumerate(parts):
            if day >= part.first:
                rate = formula.series.on(day)
                assert rate is not None and rate.value is not None
                nth = (day - part.first).days + 1
                points = [tier.add for tier in formula.tiers if tier.from_day <= nth][-1]
                year = formula.day_count.days_in(day)
                unpaid += left[number] * (rate.value + points) / 100 / year
        for payment in sorted((p for p in payments if p.on == day), key=lambda p: p.against):
            money = Fraction(payment.amount.minor)
            if payment.against is Against.INTEREST_FIRST:
                money, unpaid = max(money - unpaid, Fraction(0)), max(unpaid - money, Fraction(0))
            for number in sorted(range(len(parts)), key=lambda n: parts[n].first):
                money, left[number] = (
                    max(money - left[number], Fraction(0)), max(left[number] - money, Fraction(0)),
                )  # fmt: skip
        day += ONE_DAY
    return unpaid, left


@settings(deadline=None, max_examples=60)
@given(
    formulas,
    st.lists(st.tuples(days, cents), min_size=1, max_size=3),
    st.lists(st.tuples(days, cents, st.sampled_from(Against)), max_size=5),
    days,
)
def test_pieces_come_to_the_same_as_every_day_by_itself(
    formula: Formula,
    owed: list[tuple[date, int]],
    paid: list[tuple[date, int, Against]],
    until: date,
) -> None:
    parts = [Part(eur(minor), first) for first, minor in owed]
    payments = [Payment(on, eur(minor), how) for on, minor, how in paid]
    found = counted(formula, parts, until, payments=payments)
    assert (found.open, list(found.left)) == day_by_day(formula, parts, until, payments)


@given(cents, days, days, days)
def test_splitting_a_period_never_changes_the_sum(minor: int, a: date, b: date, c: date) -> None:
    first, cut, last = sorted((a, b, c))
    whole = counted(PLAIN, [Part(eur(minor), first)], last)
    early = counted(PLAIN, [Part(eur(minor), first)], cut)
    late = counted(PLAIN, [Part(eur(minor), cut + ONE_DAY)], last, carried=early.open)
    assert late.open == whole.open


@given(formulas, st.integers(2, 10**9), days, days, days, st.data())
def test_paying_a_part_never_loses_interest(
    formula: Formula, minor: int, a: date, b: date, c: date, data: st.DataObject
) -> None:
    first, on, last = sorted((a, b, c))
    paid = data.draw(st.integers(1, minor - 1))
    together = counted(formula, [Part(eur(minor), first)], last, payments=[Payment(on, eur(paid))])
    until_paid = counted(formula, [Part(eur(paid), first)], on)
    never_paid = counted(formula, [Part(eur(minor - paid), first)], last)
    assert together.open == until_paid.open + never_paid.open
    assert together.left == (Fraction(minor - paid),)


@given(formulas, st.lists(st.tuples(days, cents), min_size=1, max_size=5), days)
def test_parts_together_are_the_parts_apart(
    formula: Formula, owed: list[tuple[date, int]], until: date
) -> None:
    parts = [Part(eur(minor), first) for first, minor in owed]
    apart = sum((counted(formula, [part], until).open for part in parts), Fraction(0))
    assert counted(formula, parts, until).open == apart


@given(
    formulas,
    st.lists(st.tuples(cents, st.sampled_from(Against)), min_size=2, max_size=5),
    days,
    days,
    st.randoms(use_true_random=False),
)
def test_payments_of_one_day_may_come_in_any_order(
    formula: Formula, paid: list[tuple[int, Against]], a: date, b: date, chance: Any
) -> None:
    first, on = sorted((a, b))
    payments = [Payment(on, eur(minor), how) for minor, how in paid]
    shuffled = chance.sample(payments, len(payments))
    parts = [Part(eur(10**9), first)]
    assert accrue(formula, parts, LAST_DAY, payments=payments) == accrue(
        formula, parts, LAST_DAY, payments=shuffled
    )


@given(formulas, cents, days)
def test_no_days_bear_no_interest(formula: Formula, minor: int, first: date) -> None:
    found = counted(formula, [Part(eur(minor), first)], first - ONE_DAY)
    assert found.rows == ()
    assert (found.open, found.total) == (Fraction(0), eur(0))


@given(formulas, cents, days, days)
def test_the_total_is_rounded_once_and_its_parts_stay_exact(
    formula: Formula, minor: int, a: date, b: date
) -> None:
    found = counted(formula, [Part(eur(minor), min(a, b))], max(a, b))
    assert all(type(row.amount) is Fraction for row in found.rows)
    assert abs(found.total.minor - found.open) <= Fraction(1, 2)


def test_a_payment_of_principal_alone_leaves_the_interest_owed() -> None:
    on = date(2026, 3, 1)
    found = counted(
        own("fi.viivastyskorko"), [Part(eur(60_000), date(2026, 1, 15))], date(2026, 6, 30),
        payments=[Payment(on, eur(90_000), Against.PRINCIPAL)],
    )  # fmt: skip
    assert [*found.left, found.paid, found.surplus] == [0, 0, 30_000]
    assert found.open == Fraction(60_000 * 46) * Fraction("9.5") / 36_500


def test_a_payment_that_goes_to_interest_first_leaves_more_principal() -> None:
    found = counted(
        own("fi.viivastyskorko"), [Part(eur(60_000), date(2026, 1, 15))], date(2026, 3, 1),
        payments=[Payment(date(2026, 3, 1), eur(20_000), Against.INTEREST_FIRST)],
    )  # fmt: skip
    assert found.open == 0
    assert found.left[0] == 40_000 + found.accrued


def test_what_each_further_day_adds_is_shown() -> None:
    found = counted(own("gb.s69"), [Part(Money(100_000, "GBP"), date(2026, 3, 2))], FIRST_DAY)
    assert found.per_day == 0
    running = counted(
        own("gb.s69"), [Part(Money(100_000, "GBP"), date(2026, 3, 2))], date(2026, 3, 26)
    )
    assert running.per_day == Fraction(100_000 * 8, 36_500)


def test_a_missing_rate_stops_the_sum_and_is_named_with_its_half_year() -> None:
    found = accrue(
        own("fi.viivastyskorko"), [Part(eur(60_000), date(2026, 1, 15))], date(2026, 7, 1)
    )
    missing = Missing("fi_viitekorko", date(2026, 7, 1), date(2026, 12, 31))
    assert found == InWords(date(2026, 1, 15), (missing,))


def test_days_before_the_series_begins_are_a_missing_rate_and_no_zero() -> None:
    found = accrue(own("de.verzugszins"), [Part(eur(60_000), date(2016, 6, 29))], date(2016, 7, 2))
    assert isinstance(found, InWords)
    assert [str(gap) for gap in found.missing] == ["de_basiszins 2016-01-01 to 2016-06-30"]


def test_a_rate_is_not_missed_after_everything_is_paid() -> None:
    found = counted(
        own("fi.viivastyskorko"), [Part(eur(60_000), date(2026, 1, 15))], date(2026, 11, 21),
        payments=[Payment(date(2026, 6, 30), eur(60_000))],
    )  # fmt: skip
    assert [*found.left, found.per_day] == [0, 0]


def test_a_law_whose_rate_nobody_knows_gives_no_sum() -> None:
    found = accrue(own("us.tx.prejudgment"), [Part(Money(1, "USD"), FIRST_DAY)], LAST_DAY)
    assert isinstance(found, InWords)
    assert found.missing[0].series == "us.tx.prejudgment"


def test_leap_years_have_a_day_more_where_the_law_counts_so() -> None:
    leap = counted(PLAIN, [Part(eur(100_00), date(2024, 1, 1))], date(2024, 12, 31))
    assert {row.year_days for row in leap.rows} == {366}
    turn = counted(PLAIN, [Part(eur(100_00), date(2024, 12, 31))], date(2025, 1, 1))
    assert [row.year_days for row in turn.rows] == [366, 365]


def test_the_french_rate_rises_two_months_after_an_enforceable_decision() -> None:
    found = counted(
        own("fr.taux_legal"), [Part(eur(40_000), date(2025, 12, 1))], date(2026, 3, 31),
        events={"decision_enforceable": date(2025, 12, 15)},
    )  # fmt: skip
    assert [(row.first, row.rate) for row in found.rows] == [
        (date(2025, 12, 1), Fraction("6.65")),
        (date(2026, 1, 1), Fraction("6.67")),
        (date(2026, 2, 16), Fraction("11.67")),
    ]


def test_the_bank_that_does_not_refund_pays_by_tiers() -> None:
    first = date(2026, 1, 5)
    found = counted(own("fr.payment_penalty"), [Part(eur(40_000), first)], first + 39 * ONE_DAY)
    tiers = [(7, Fraction(5)), (23, Fraction(10)), (10, Fraction(15))]
    assert [(row.days, row.rate - Fraction("6.67")) for row in found.rows] == tiers


def test_rows_of_several_parts_join_in_a_table() -> None:
    first, last = date(2026, 1, 5), date(2026, 2, 5)
    parts = [Part(eur(100), first), Part(eur(200), first)]
    found = counted(own("gb.fos_award_late"), parts, last)
    (row,) = merged(found.rows)
    assert (row.principal, row.amount) == (Fraction(300), found.open)


BAD: list[tuple[str, list[Part], date, list[Payment]]] = [
    ("a claim has 1 to", [], LAST_DAY, []),
    ("a claim has 1 to", [Part(eur(1), FIRST_DAY)] * (PARTS_MAX + 1), LAST_DAY, []),
    ("more than nothing", [Part(eur(0), FIRST_DAY)], LAST_DAY, []),
    ("more than nothing", [Part(eur(-5), FIRST_DAY)], LAST_DAY, []),
    ("no amount", [Part(eur(5), FIRST_DAY)], LAST_DAY, [Payment(LAST_DAY, eur(-1))]),
    ("days lie between", [Part(eur(5), date(1899, 1, 1))], LAST_DAY, []),
    ("days lie between", [Part(eur(5), FIRST_DAY)], date.max, []),
    ("no claim runs", [Part(eur(5), FIRST_DAY)], date(2220, 1, 1), []),
    ("more than 1000", [Part(eur(5), FIRST_DAY)], LAST_DAY, [Payment(LAST_DAY, eur(1))] * 1001),
]


@pytest.mark.parametrize(("why", "parts", "until", "payments"), BAD)
def test_what_cannot_be_counted_is_refused_with_its_reason(
    why: str, parts: list[Part], until: date, payments: list[Payment]
) -> None:
    with pytest.raises(InterestInvalid, match=why):
        accrue(PLAIN, parts, until, payments=payments)


def test_two_currencies_do_not_mix() -> None:
    mixed = [Part(eur(5), FIRST_DAY), Part(Money(5, "SEK"), FIRST_DAY)]
    with pytest.raises(CurrencyMismatch):
        accrue(PLAIN, mixed, LAST_DAY)
    with pytest.raises(CurrencyMismatch):
        accrue(PLAIN, mixed[:1], LAST_DAY, payments=[Payment(FIRST_DAY, Money(5, "SEK"))])
