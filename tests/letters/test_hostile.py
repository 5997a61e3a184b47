"""Consumer text in every field of every letter: refused by name, or printed as text (B231-B245)."""

from __future__ import annotations

import html

import pytest

from letters import hostile, render
from letters.content import LETTERS, LetterUnprintable
from letters.sheet import sentences
from letters.specimen import specimen
from letters.values import LANGUAGES

MARKUP = "".join(
    hostile.TEXTS[row] for row in ("B237 image", "B238 style", "B240 svg", "B245 template")
)[:190]


@pytest.mark.parametrize("kind", LETTERS)
def test_no_field_of_any_letter_lets_a_text_become_more_than_text(kind: str) -> None:
    letter, refused = hostile.spoiled(specimen(kind, "en"), MARKUP)
    page = render.render_html(letter)
    assert MARKUP not in page and "<img" not in page and "<style" not in page
    assert "{{ 7*7 }}" in html.unescape(page) and html.unescape(page).count(MARKUP) >= 3
    assert set(refused.values()) <= {"LetterInvalid", "LetterTooLarge"}, "by name, whatever it is"


def test_a_name_of_50_kb_and_a_letter_no_font_has_are_refused_by_name() -> None:
    whole = specimen("offer_accepted", "en")
    huge, refused = hostile.spoiled(whole, hostile.TEXTS["B231 name of 50 kB"])
    assert huge == whole and set(refused.values()) <= {"LetterInvalid", "LetterTooLarge"}
    odd, _ = hostile.spoiled(whole, hostile.TEXTS["B242 emoji"])
    with pytest.raises(LetterUnprintable):
        render.check_glyphs(odd)


def test_the_sheet_has_every_template_in_every_language() -> None:
    rows = list(sentences())
    found = {(row.template, row.language) for row in rows}
    kinds = {row.template for row in rows}
    assert set(LETTERS) <= kinds and found == {(k, x) for k in kinds for x in LANGUAGES}
    assert any("waives nothing" in row.text for row in rows)
    assert not any("{%" in row.text or "<p" in row.text for row in rows)
