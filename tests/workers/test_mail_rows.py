"""Rows of the catalogue of bad mail that need no database (B206, B229)."""

from __future__ import annotations

import pytest

from app.ids import new_reference
from app.reading.masking import masked
from app.reply_address import ALPHABET, AddressBook


def test_a_flood_of_guesses_names_no_case() -> None:
    """B206: forty thousand guesses at the proof of one reference, near and far from the right one;
    the chance of a hit is one in 2^80 each. A guess costs one comparison."""
    book = AddressBook("a secret of this test that nobody knows", "us.example")
    reference = new_reference()
    right = book.case_address(reference)
    name, _, rest = right.partition(".")
    proof, _, domain = rest.partition("@")
    near = [
        f"{name}.{proof[:at]}{symbol.lower()}{proof[at + 1 :]}@{domain}"
        for at in range(len(proof)) for symbol in ALPHABET
    ]  # fmt: skip
    assert {book.case_of(one) for one in near if one != right} == {None}
    far = (f"{name}.{number:016d}@{domain}" for number in range(40_000))
    assert not any(book.case_of(one) for one in far)
    assert book.case_of(right) == reference


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("card 4111 1111 1111 1111.", "card **** 1111."),
        ("4111-1111-1111-1111", "**** 1111"),
        ("5500000000000004 and 3782 822463 10005", "**** 0004 and **** 0005"),
        ("4111 1111 1111 1112", "4111 1111 1111 1112"),  # no card: its check digit is wrong
        ("FI21 1234 5600 0007 85", "FI21 1234 5600 0007 85"),
        ("DE89 3704 0044 0532 0130 00", "DE89 3704 0044 0532 0130 00"),
        ("RF18 5390 0754 7034", "RF18 5390 0754 7034"),
        ("order 41111111111111111111", "order 41111111111111111111"),
        ("EUR 250.00 on 2026-11-28, no 4-11-22", "EUR 250.00 on 2026-11-28, no 4-11-22"),
    ],
)
def test_a_card_number_is_kept_as_its_last_four_digits(written: str, kept: str) -> None:
    """B229: accounts, references, sums and days stay."""
    assert masked(written) == kept
