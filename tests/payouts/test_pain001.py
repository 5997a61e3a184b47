"""The bank file: valid, deterministic, in the bank's letters, refused when it would lie."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import RecourseError
from app.domain.money import Money
from app.payouts.iban import IbanInvalid, check_iban
from app.payouts.pain001 import (
    Payment,
    PaymentFile,
    PaymentFileInvalid,
    build,
    latin,
    read_control,
    uetr,
)

PAYMENT = Payment("P1", Money(18_742, "EUR"), "Aino Öhman", "FI1410093000123458", "RC-0C7K2M9Q")
FILE = PaymentFile(
    "B1", datetime(2026, 3, 3, 9, tzinfo=UTC), date(2026, 3, 4), "Recourse Oy",
    "FI2112345600000785", None, (PAYMENT,),
)  # fmt: skip


def test_equal_content_gives_equal_bytes() -> None:
    assert build(FILE) == build(FILE)
    assert read_control(build(FILE)) == (1, Money(18_742, "EUR"))
    assert b"BICFI" in build(replace(FILE, debtor_bic="NDEAFIHH"))


@given(st.lists(st.integers(1, 99_999_999_999), min_size=1, max_size=20))
def test_count_and_sum_in_the_file_are_those_of_its_payments(minors: list[int]) -> None:
    payments = tuple(
        replace(PAYMENT, end_to_end_id=f"P{at}", amount=Money(minor, "EUR"))
        for at, minor in enumerate(minors)
    )
    raw = build(replace(FILE, payments=payments))
    assert read_control(raw) == (len(minors), Money(sum(minors), "EUR"))


@pytest.mark.parametrize(
    "wrong",
    [
        replace(PAYMENT, amount=Money(0, "EUR")),
        replace(PAYMENT, amount=Money(-1, "EUR")),
        replace(PAYMENT, amount=Money(100, "SEK")),
        replace(PAYMENT, iban="FI1410093000123459"),
        replace(PAYMENT, iban="SA0380000000608010167519"),
        replace(PAYMENT, name="///"),
        replace(PAYMENT, end_to_end_id="has blank"),
        replace(PAYMENT, end_to_end_id="P" * 36),
        replace(PAYMENT, amount=Money(10**11, "EUR")),
    ],
)
def test_a_payment_that_cannot_be_written_truthfully_is_refused(wrong: Payment) -> None:
    with pytest.raises(RecourseError):
        build(replace(FILE, payments=(wrong,)))


def test_a_file_without_payments_or_with_a_double_is_refused() -> None:
    for payments in ((), (PAYMENT, PAYMENT)):
        with pytest.raises(PaymentFileInvalid):
            build(replace(FILE, payments=payments))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Åke Öström-Weiß", "Ake Ostrom-Weiss"),
        ("Łukasz Żółć", "Lukasz Zolc"),
        ("A & B <c>", "A B c"),
        ("//x//y/", "x/y"),
        ("a\nb\tc", "a b c"),
        ("x" * 80, "x" * 70),
    ],
)
def test_names_are_written_in_the_letters_every_bank_takes(text: str, plain: str) -> None:
    assert latin(text, 70) == plain


@given(st.text(min_size=1, max_size=200))
def test_whatever_the_name_the_result_fits_the_bank(text: str) -> None:
    try:
        plain = latin(text, 70)
    except PaymentFileInvalid:
        return
    assert 1 <= len(plain) <= 70 and plain == plain.strip()
    assert all(c in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ "
               for c in plain)  # fmt: skip


def test_the_uetr_is_a_version_4_id_and_always_the_same() -> None:
    assert uetr("P1") == uetr("P1") != uetr("P2")
    assert uetr("P1")[14] == "4" and uetr("P1")[19] in "89ab"


@pytest.mark.parametrize(
    "good", ["FI21 1234 5600 0007 85", "fi2112345600000785", "DE89\u00a03704 0044 0532 0130 00"]
)
def test_an_iban_may_be_typed_with_blanks(good: str) -> None:
    assert check_iban(good).in_sepa


@pytest.mark.parametrize(
    "bad",
    [
        "", "FI", "FI2112345600000786", "FI211234560000078", "ZZ2112345600000785",
        "FI21-1234-5600-0007-85", "FI21\u200b12345600000785", "ＦＩ2112345600000785", "1" * 60,
    ],
)  # fmt: skip
def test_what_is_no_iban_is_refused_without_quoting_it(bad: str) -> None:
    with pytest.raises(IbanInvalid) as caught:
        check_iban(bad)
    assert not bad or bad not in str(caught.value)
    assert not caught.value.params


def test_an_iban_does_not_show_in_a_repr() -> None:
    assert "123456" not in repr(check_iban("FI2112345600000785"))
    assert "1009" not in repr(PAYMENT) and "Aino" not in repr(FILE)
