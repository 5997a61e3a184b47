"""Addresses that prove themselves, and stay readable after people and servers touched them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.reference import REFERENCES_MAX, format_reference
from app.ids import new_id
from app.reply_address import AddressBook

BOOK = AddressBook("a-secret-of-the-installation-0123456789", "mail.agency.test")
REFERENCE = format_reference(123_456_789)


@given(st.integers(0, REFERENCES_MAX - 1))
def test_every_case_has_an_address_that_leads_back_to_it(number: int) -> None:
    reference = format_reference(number)
    assert BOOK.case_of(BOOK.case_address(reference)) == reference


def test_case_hyphens_and_look_alike_letters_do_not_matter() -> None:
    address = BOOK.case_address(REFERENCE)
    local, _, domain = address.partition("@")
    changed = local.upper().replace("0", "O").replace("1", "l")
    assert BOOK.case_of(f"<{changed}@{domain.upper()}>") == REFERENCE


def test_any_other_symbol_in_reference_or_proof_makes_it_nobodys() -> None:
    address = BOOK.case_address(REFERENCE)
    at = address.index("@")
    for place in range(5, at):
        if address[place] == ".":
            continue
        other = "7" if address[place] != "7" else "8"
        assert BOOK.case_of(address[:place] + other + address[place + 1 :]) is None


def test_another_installations_address_is_not_ours() -> None:
    other = AddressBook("another-secret-of-another-house-0123456", "mail.agency.test")
    assert BOOK.case_of(other.case_address(REFERENCE)) is None
    elsewhere = AddressBook("a-secret-of-the-installation-0123456789", "mail.other.test")
    assert BOOK.case_of(elsewhere.case_address(REFERENCE)) is None


def test_a_proof_for_one_purpose_does_not_serve_another() -> None:
    effect = new_id()
    assert BOOK.effect_of(BOOK.bounce_address(effect)) == effect
    assert BOOK.effect_of_message_id(BOOK.message_id(effect)) == effect
    swapped = BOOK.message_id(effect).strip("<>").replace("@", "@").split("@")[0]
    assert BOOK.effect_of(f"bounce+{swapped}@mail.agency.test") is None


@pytest.mark.parametrize(
    "nonsense",
    [
        "",
        "@",
        "case+@mail.agency.test",
        "case+x.y@z",
        "a" * 500,
        "case+Ⅷ0000000.0000000000000000@mail.agency.test",
    ],
)
def test_nonsense_is_nobodys(nonsense: str) -> None:
    assert BOOK.case_of(nonsense) is None
    assert BOOK.effect_of(nonsense) is None
    assert BOOK.effect_of_message_id(nonsense) is None


def test_the_proof_has_eighty_bits_and_the_address_fits_a_local_part() -> None:
    local = BOOK.case_address(REFERENCE).partition("@")[0]
    assert len(local.partition(".")[2]) * 5 >= 80
    assert len(BOOK.bounce_address(new_id()).partition("@")[0]) <= 64
