"""Papers of account: complete or refused, in five languages, with figures that add up."""

from __future__ import annotations

import dataclasses
import io
from dataclasses import replace
from typing import Any

import pikepdf
import pytest

from letters import render
from letters.errors import LetterError, LetterIncomplete, LetterInvalid, UnknownLetter
from letters.inspection import page_text
from letters.paper_words import paper_words
from letters.papers import PAPERS, CreditNote, Invoice, Statement, any_from_dict, paper_dict
from letters.plain import plain_pdf
from letters.quality import faults_of
from letters.specimen_papers import long_statement, paper_specimen
from letters.values import LANGUAGES
from tests.letters.test_render import packed, text_of

INVOICE = paper_specimen("invoice", "en")
STATEMENT = paper_specimen("statement", "en")
assert isinstance(INVOICE, Invoice) and isinstance(STATEMENT, Statement)


def names(words: Any, at: str = "") -> set[str]:
    if not isinstance(words, dict):
        return {at}
    return {name for key, part in words.items() for name in names(part, f"{at}.{key}")}


def test_every_language_says_everything_and_every_paper_finds_its_words() -> None:
    for language in LANGUAGES:
        assert names(dict(paper_words(language))) == names(dict(paper_words("en")))
        for kind in PAPERS:
            paper = paper_specimen(kind, language)
            assert any_from_dict(paper_dict(paper)) == paper
            page = render.render_html(paper)  # StrictUndefined: a missing word raises
            assert f'lang="{language}"' in page and "{" not in page.split("<body>")[1]


@pytest.mark.parametrize(("kind", "language"), [("statement", "fi"), ("credit_note", "de")])
def test_a_paper_becomes_the_same_pdf_every_time(kind: str, language: Any) -> None:
    paper = paper_specimen(kind, language)
    made = render.render(paper)
    assert made.pdf == render.render(paper).pdf and made.pages == 1
    text = text_of(made.pdf)
    assert paper.reference in text and packed("25,5 %") in text
    figures = ["439,00", "109,75", "22,30", "329,25"] if kind == "statement" else ["37,65", "9,60"]
    assert all(figure in text for figure in figures)
    with pikepdf.open(io.BytesIO(made.pdf)) as document:
        assert str(document.Root.Lang) == language and "/StructTreeRoot" in document.Root
        assert not document.attachments
    assert faults_of(made.pdf) == []


def test_faults_of_a_pdf_are_named() -> None:
    with pikepdf.open(io.BytesIO(render.render(STATEMENT).pdf)) as document:
        del document.Root.Lang, document.Root.MarkInfo, document.Root.ViewerPreferences
        for thing in document.objects:
            if isinstance(thing, pikepdf.Dictionary) and thing.get("/S") == pikepdf.Name.TH:
                thing.S = pikepdf.Name.Figure
        out = io.BytesIO()
        document.save(out)
    assert set(faults_of(out.getvalue())) == {
        "not marked as tagged", "no language", "the title is not shown", "tables without heads",
        "a figure without a text in its place",
    }  # fmt: skip
    assert "no structure tree" in faults_of(plain_pdf(["nothing but text"]))


def test_no_row_stands_alone_on_a_page() -> None:
    """Whatever the number of rows: the table's total never stands without the row above it, and
    its head comes again on the next page."""
    made = render.render(long_statement("en", 17))
    assert made.pages == 2
    with pikepdf.open(io.BytesIO(made.pdf)) as document:
        last = packed(page_text(document.pages[1]))
    if "Heldforyounow" in last:
        assert last.index("ReceivedfromNorrvind") < last.index("Heldforyounow")
        assert last.startswith("DayWhat")


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"vat_number": ""}, "vat_number"),
        ({"to": replace(INVOICE.to, name="")}, "to.name"),
        ({"vat_minor": 961}, "gross_minor"),
        ({"gross_minor": -4_725, "net_minor": -3_765, "vat_minor": -960}, "gross_minor"),
        ({"reference": "42"}, "reference"),
        ({"agency": replace(INVOICE.agency, name="")}, "agency.name"),
    ],
)
def test_an_invoice_that_lacks_what_the_law_wants_is_refused_by_name(
    fields: dict[str, Any], named: str
) -> None:
    with pytest.raises(LetterError) as refused:
        replace(INVOICE, **fields)
    assert getattr(refused.value, "field", "") == named


def test_a_statement_whose_lines_do_not_sum_is_refused() -> None:
    for field in ("net_minor", "balance_minor", "fee_minor", "vat_minor"):
        with pytest.raises(LetterInvalid):
            replace(STATEMENT, **{field: getattr(STATEMENT, field) + 1})
    assert replace(STATEMENT, to=replace(STATEMENT.to, address_lines=())).to.address_lines == ()


def test_a_credit_note_names_what_it_corrects() -> None:
    note = paper_specimen("credit_note", "en")
    assert isinstance(note, CreditNote)
    with pytest.raises(LetterIncomplete):
        replace(note, corrects="")
    fields = paper_dict(note)
    with pytest.raises(UnknownLetter):
        any_from_dict(fields | {"version": 99})
    assert {each.name for each in dataclasses.fields(note)} >= {"corrects", "corrects_on"}
