"""Payment references: the Finnish form and RF, with samples a bank federation published."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.bank_refs import (
    ReferenceInvalid,
    canonical,
    case_tokens_in,
    in_fives,
    is_national,
    is_rf,
    national_reference,
    references_in,
    rf_reference,
)


@pytest.mark.parametrize("good", ["3900", "12344", "1234567897", "00000000000000001245", "1245"])
def test_published_references_are_valid(good: str) -> None:
    assert is_national(good)


@pytest.mark.parametrize(
    "bad", ["", "390", "3901", "12345", "1" * 21, "12 344", "１２３４４", "-3900"]
)
def test_wrong_references_are_not(bad: str) -> None:
    assert not is_national(bad)


def test_rf_of_a_national_reference() -> None:
    assert rf_reference("1234567897") == rf_reference("0001234567897") == "RF521234567897"
    assert is_rf("RF18 5390 0754 7034") and is_rf("rf18539007547034")
    assert not is_rf("RF98123456789012")
    with pytest.raises(ReferenceInvalid):
        rf_reference("12345")


@given(st.integers(100, 10**18))
def test_both_forms_of_a_number_are_one_reference(number: int) -> None:
    national = national_reference(number)
    rf = rf_reference(national)
    assert is_national(national) and is_rf(rf)
    assert canonical(rf) == canonical(national) == canonical("000" + national)
    assert canonical(rf[:4] + " " + rf[4:]) == national
    assert references_in(f"Ref: {rf} thanks") == (national,)
    assert national in references_in(f"lasku {in_fives(national)} kiitos")


@given(st.integers(100, 10**18), st.integers(0, 19), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(number: int, at: int, shift: int) -> None:
    national = national_reference(number)
    at %= len(national)
    wrong = national[:at] + str((int(national[at]) + shift) % 10) + national[at + 1 :]
    assert not is_national(wrong) or wrong.startswith("0")


def test_a_case_number_is_found_in_text_and_other_words_are_not() -> None:
    assert case_tokens_in("refund RC-0C7K2M9Q, sorry") == ("RC-0C7K2M9Q",)
    assert case_tokens_in("rc 0c7k 2m9q") == ("rc 0c7k 2m9q",)
    assert case_tokens_in("ARC-0C7K2M9Q RC-12") == ()


def test_nothing_in_a_plain_text_is_a_reference() -> None:
    assert references_in("Compensation for flight NB 2204 of 2026-08-01, 55 EUR") == ()
