"""Exact money: parsing, formatting, rounding, splitting."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidInput
from app.domain.money import (
    EXPONENTS,
    MINOR_MAX,
    AmountInvalid,
    CurrencyMismatch,
    CurrencyUnknown,
    Money,
    exponent,
    round_half_up,
    split_largest_remainder,
    sum_money,
)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.30", "EUR", 1230), ("12.3", "EUR", 1230), ("12", "EUR", 1200), ("0.01", "EUR", 1),
        ("1234", "JPY", 1234), ("1.234", "KWD", 1234), ("5", "ISK", 5), ("7.50", "HUF", 750),
        ("007.00", "EUR", 700),
    ],
)  # fmt: skip
def test_an_amount_is_read_exactly(text: str, currency: str, minor: int) -> None:
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "12.345", "12.300", "-1", "+1", "1,000.00", "1 000", "1e3", "NaN", "Infinity",
        "٣", "١٢.٣٠", "１２", "12.", ".5", "1_000", "0x10", "1/2", "12.30 EUR", "9" * 17, "\n12",
        "12\n", "12.3\u00a0",
    ],
)  # fmt: skip
def test_anything_else_than_plain_digits_is_refused(text: str) -> None:
    with pytest.raises(AmountInvalid):
        Money.parse(text, "EUR")


def test_a_currency_without_decimals_takes_none() -> None:
    with pytest.raises(AmountInvalid):
        Money.parse("10.0", "JPY")


def test_a_bank_may_write_surplus_zeros_but_no_part_of_a_cent() -> None:
    assert Money.parse_bank("8.850", "EUR") == Money(885, "EUR")
    assert Money.parse_bank("8.85000", "EUR") == Money(885, "EUR")
    assert Money.parse_bank("100.00", "JPY") == Money(100, "JPY")
    with pytest.raises(AmountInvalid):
        Money.parse_bank("8.855", "EUR")


@pytest.mark.parametrize("code", ["", "eur", "EURO", "XXX", "E U", "💶"])
def test_an_unknown_currency_is_refused(code: str) -> None:
    with pytest.raises(CurrencyUnknown):
        Money(1, code)


def test_amounts_have_a_bound() -> None:
    assert Money(MINOR_MAX, "EUR").minor == MINOR_MAX
    with pytest.raises(AmountInvalid):
        Money(MINOR_MAX + 1, "EUR")
    with pytest.raises(AmountInvalid):
        Money(2**63, "EUR")


@pytest.mark.parametrize("wrong", [1.0, True, "1", None])
def test_only_a_whole_number_is_an_amount(wrong: object) -> None:
    with pytest.raises(AmountInvalid):
        Money(wrong, "EUR")  # type: ignore[arg-type]  # the point of the test


def test_currencies_do_not_mix() -> None:
    euro, pound = Money(1, "EUR"), Money(1, "GBP")
    for mix in (
        lambda: euro + pound, lambda: euro - pound, lambda: euro < pound, lambda: euro >= pound,
    ):  # fmt: skip
        with pytest.raises(CurrencyMismatch):
            mix()
    assert euro != pound
    with pytest.raises(InvalidInput):
        sum_money([euro, pound], "EUR")


def test_the_exponents_of_iso_4217_that_surprise() -> None:
    wanted = {"JPY": 0, "ISK": 0, "KRW": 0, "KWD": 3, "BHD": 3, "JOD": 3, "OMR": 3, "TND": 3,
              "HUF": 2, "EUR": 2, "MGA": 2, "MRU": 2}  # fmt: skip
    assert {code: exponent(code) for code in wanted} == wanted


@given(st.sampled_from(sorted(EXPONENTS)), st.integers(0, MINOR_MAX))
def test_reading_what_was_written_gives_it_back(currency: str, minor: int) -> None:
    amount = Money(minor, currency)
    assert Money.parse(amount.format(), currency) == amount
    assert Money.parse_bank(amount.format(), currency) == amount
    assert (-amount).format() == ("-" if minor else "") + amount.format()


@pytest.mark.parametrize(
    ("numerator", "denominator", "whole"),
    [(5, 2, 3), (-5, 2, -3), (7, 3, 2), (8, 3, 3), (0, 9, 0), (-1, 3, 0), (1, 2, 1), (3, 2, 2)],
)
def test_halves_go_away_from_zero(numerator: int, denominator: int, whole: int) -> None:
    assert round_half_up(numerator, denominator) == whole


@given(st.integers(-(10**15), 10**15), st.lists(st.integers(0, 10**9), min_size=1, max_size=12))
def test_a_split_loses_no_cent_and_is_fair_to_one(total: int, weights: list[int]) -> None:
    if sum(weights) == 0:
        if total:
            with pytest.raises(ValueError, match="nothing to split"):
                split_largest_remainder(total, weights)
        return
    parts = split_largest_remainder(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        exact_times = total * weight
        assert abs(part * sum(weights) - exact_times) < sum(weights)


def test_ties_go_in_the_order_of_the_list() -> None:
    assert split_largest_remainder(100, [1, 1, 1]) == [34, 33, 33]
    assert split_largest_remainder(-100, [1, 1, 1]) == [-34, -33, -33]
