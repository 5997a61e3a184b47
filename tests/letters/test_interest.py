"""A letter shows how its interest came about, or claims it in words; never half of either."""

import dataclasses
import io
from datetime import date
from typing import Any

import pikepdf
import pytest

from letters import render
from letters.content import (
    AnyLetter,
    Interest,
    InterestRow,
    LetterIncomplete,
    LetterInvalid,
    content_from_dict,
    to_dict,
)
from letters.inspection import page_text
from letters.specimen import specimen

# Two rates of a made-up law on 878.00.
ROWS = (
    InterestRow(
        first=date(2026, 10, 1), last=date(2026, 10, 31), days=31, rate="9.5",
        principal_minor=87_800, minor=708,
    ),
    InterestRow(
        first=date(2026, 11, 1), last=date(2026, 11, 21), days=21, rate="10",
        principal_minor=87_800, minor=505,
    ),
)  # fmt: skip
TABLE = Interest(
    law="Interest Act", starts_on=date(2026, 10, 1), minor=1_213, currency="EUR",
    up_to=date(2026, 11, 21), rows=ROWS, per_day="0.2405",
)  # fmt: skip


def one_row(**changes: Any) -> InterestRow:
    return dataclasses.replace(ROWS[0], **{"minor": 1_213, **changes})


def with_interest(kind: str, language: Any, **changes: Any) -> AnyLetter:
    interest = dataclasses.replace(TABLE, **changes)
    letter: Any = specimen(kind, language)
    made: AnyLetter = dataclasses.replace(letter, interest=interest)
    return made


def text_of(letter: AnyLetter) -> str:
    with pikepdf.open(io.BytesIO(render.render(letter).pdf)) as document:
        text = "".join("".join(page_text(page).split()) for page in document.pages)
    return text.replace("\N{NO-BREAK SPACE}", "")


@pytest.mark.parametrize("kind", ["formal_notice", "complaint"])
@pytest.mark.parametrize(
    ("language", "shown"),
    [
        (
            "en",
            ["1October2026–31October2026", "319.5EUR878.00", "EUR7.08", "EUR5.05",
             "Interestuptoandincluding21November2026", "EUR12.13", "EUR0.2405"],
        ),
        (
            "fi",
            ["1.10.2026–31.10.2026", "319,5878,00€", "7,08€", "5,05€", "12,13€", "0,2405EUR"],
        ),
    ],
)  # fmt: skip
def test_interest_is_shown_as_a_table_with_its_sum(
    kind: str, language: str, shown: list[str]
) -> None:
    text = text_of(with_interest(kind, language))
    assert [piece for piece in shown if piece not in text] == []


@pytest.mark.parametrize("kind", ["formal_notice", "complaint"])
def test_interest_without_a_rate_names_law_and_first_day_and_no_sum(kind: str) -> None:
    words = Interest(law="Interest Act", starts_on=date(2026, 10, 1))
    plain: Any = specimen(kind, "en")
    letter = dataclasses.replace(plain, interest=words)
    text = text_of(letter)
    assert "interestfrom1October2026untilthedayofpaymentisclaimed" in text
    assert "itcomesto" not in text


def test_interest_that_only_a_court_grants_will_be_claimed() -> None:
    words = Interest(law="An Act", starts_on=date(2026, 10, 1), claim="will_be_claimed")
    plain: Any = specimen("formal_notice", "en")
    letter = dataclasses.replace(plain, interest=words)
    assert "untilthedayofpaymentwillbeclaimedincourt" in text_of(letter)


@pytest.mark.parametrize("kind", ["formal_notice", "complaint"])
def test_a_table_survives_storage_as_json(kind: str) -> None:
    letter = with_interest(kind, "en")
    assert content_from_dict(to_dict(letter)) == letter


def test_a_letter_stored_before_tables_existed_is_still_read() -> None:
    stored = to_dict(specimen("formal_notice", "en"))
    for name in ("rows", "up_to", "per_day"):
        del stored["interest"][name]
    assert content_from_dict(stored) == specimen("formal_notice", "en")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"minor": 1_214}, "interest.rows"),
        ({"currency": "SEK"}, "interest.currency"),
        ({"up_to": date(2026, 11, 22)}, "interest.up_to"),
        ({"up_to": date(2026, 9, 30)}, "interest.up_to"),
        ({"up_to": date(2026, 11, 20)}, "interest.rows[1].last"),
        ({"per_day": "a few cents"}, "interest.per_day"),
        ({"rows": (one_row(rate="high"),)}, "interest.rows[0].rate"),
        ({"rows": (one_row(days=30),)}, "interest.rows[0].days"),
    ],
)  # fmt: skip
def test_a_table_that_does_not_hold_together_is_refused(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(LetterInvalid) as refusal:
        with_interest("complaint", "en", **changes)
    assert refusal.value.field == field


@pytest.mark.parametrize("name", ["currency", "up_to"])
def test_a_sum_without_its_currency_or_day_is_refused(name: str) -> None:
    with pytest.raises(LetterIncomplete, match=f"interest.{name}"):
        with_interest("formal_notice", "en", **{name: None})
