"""The printed pages of the law are those of the data in force."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.law_pages import pages
from ops.law_pages.words import cell, mark, span

PRINTED = Path("docs/law")
PAGES = pages()


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_printed_page_is_the_one_in_force(name: str) -> None:
    """`recourse law pages` prints them anew."""
    assert (PRINTED / name).read_text("utf-8") == PAGES[name]


def test_no_page_of_yesterday_is_left() -> None:
    assert {path.name for path in PRINTED.glob("*.md")} == set(PAGES)


def test_what_nobody_has_read_is_to_be_confirmed() -> None:
    assert mark({"verified": False, "source": "own knowledge"}) == "to be confirmed"
    assert (
        mark({"verified": True, "unverified_fields": ["fee"]}) == "verified; to be confirmed: fee"
    )


def test_what_nobody_has_found_is_a_dash_and_never_a_zero() -> None:
    assert (cell(None), cell(0), span(None)) == ("-", "0", "-")


def test_a_span_is_said_in_words() -> None:
    assert span({"value": 1, "unit": "years", "from": "receipt"}) == "1 year (from: receipt)"
    assert span({"damage": {"value": 7, "unit": "days"}}) == "damage: 7 days"
