"""Every letter becomes a checked PDF, always with the same bytes, whatever its text says."""

import dataclasses
import hashlib
import http.server
import io
import json
import os
import re
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import jinja2
import pikepdf
import pytest
import segno

from letters import render
from letters.attached import MASK, case_json, code_path, epc_text
from letters.content import (
    LANGUAGES,
    AnyLetter,
    BadDocument,
    CompanyPosition,
    DirectPayment,
    EarlierLetter,
    LetterTooLarge,
    LetterUnprintable,
    ReceivedPayment,
)
from letters.inspection import inspect_pdf, page_text
from letters.quality import faults_of
from letters.specimen import CLIENT_ACCOUNT, specimen
from tests.letters.conftest import PRINTED

ROOT = Path(__file__).resolve().parents[2]
CONTACT = specimen("contact", "en")


def text_of(pdf: bytes) -> str:
    """All text of a PDF without blanks: the text layer has positions instead."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        return packed("".join(page_text(page) for page in document.pages))


def packed(text: str) -> str:
    return "".join(text.split()).replace("\N{NO-BREAK SPACE}", "")


def changed(letter: AnyLetter, **fields: Any) -> AnyLetter:
    return dataclasses.replace(letter, **fields)


def test_every_letter_shows_all_that_a_letter_must_show(letter: AnyLetter) -> None:
    result = render.render(letter)
    text = text_of(result.pdf)
    assert result.pages in (2, 3)
    assert result.sha256 == hashlib.sha256(result.pdf).hexdigest()
    assert faults_of(result.pdf) == []
    day = {
        "en": "21 November 2026", "fi": "21.11.2026", "sv": "21 november 2026",
        "fr": "21 novembre 2026", "de": "21. November 2026",
    }[letter.language]  # fmt: skip
    total = "EUR 878.00" if letter.language == "en" else "878,00 €"
    shown = [
        packed(day),
        total,
        letter.reference,
        letter.booking_reference,
        letter.reply_email,
        letter.agency.name,
        letter.agency.signatory,
        letter.recipient.name,
    ]
    shown += [line for line in letter.recipient.address_lines]
    for claimant in letter.claimants:
        shown += [claimant.name, claimant.mandate_reference, *claimant.address_lines]
    shown += [entry.what for entry in letter.chronology]
    shown += [item.ground.law for item in letter.items if item.ground is not None]
    shown += [exhibit.title for exhibit in letter.enclosures]
    assert [each for each in shown if each and packed(each) not in text] == []


@pytest.mark.parametrize("kind", ["contact", "reminder", "formal_notice"])
@pytest.mark.parametrize(
    ("language", "day"),
    [
        ("en", "24 December 2026"), ("fi", "24.12.2026"), ("sv", "24 december 2026"),
        ("fr", "24 décembre 2026"), ("de", "24. Dezember 2026"),
    ],
)  # fmt: skip
def test_the_deadline_is_a_calendar_date(kind: str, language: Any, day: str) -> None:
    html = render.render_html(changed(specimen(kind, language), deadline=date(2026, 12, 24)))
    assert packed(html).count(packed(day)) >= 2
    assert "within" not in html


def test_the_first_of_a_month_reads_as_the_language_writes_it() -> None:
    html = render.render_html(changed(specimen("contact", "fr"), deadline=date(2027, 1, 1)))
    assert "1er\xa0janvier\xa02027" in html


def test_one_claimant_is_spoken_of_in_the_singular() -> None:
    alone = changed(CONTACT, claimants=CONTACT.claimants[:1], items=CONTACT.items[:2])
    text = text_of(render.render(alone).pdf)
    assert "Ourclienthasauthorised" in text
    assert "clients" not in text.replace("clientsfunds", "")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "position",
    [
        CompanyPosition(kind="silent"),
        CompanyPosition(kind="automatic_only", on=date(2026, 11, 1)),
        CompanyPosition(kind="refused", on=date(2026, 11, 1), our_reply="One.\nTwo."),
        CompanyPosition(
            kind="promised",
            on=date(2026, 11, 1),
            promised_for=date(2026, 11, 9),
            minor=5000,
            currency="EUR",
        ),
        CompanyPosition(kind="offered", on=date(2026, 11, 1)),
        CompanyPosition(kind="offered", on=date(2026, 11, 1), minor=5000, currency="EUR"),
        CompanyPosition(kind="paid_part", on=date(2026, 11, 1)),
    ],
    ids=lambda each: each.kind,
)
def test_every_position_of_the_company_has_its_words(language: Any, position: Any) -> None:
    for kind in ("reminder", "complaint", "formal_notice", "contact"):
        html = render.render_html(changed(specimen(kind, language), position=position))
        assert "None" not in html


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_letter_may_leave_out_what_is_optional(language: Any) -> None:
    for kind in ("contact", "reminder", "formal_notice", "complaint"):
        full = specimen(kind, language)
        bare: dict[str, Any] = {
            "booking_reference": None,
            "enclosures": (),
            "formula": None,
            "items": (),
            "remedies": ("An apology",),
            "delivery": "post",
        }
        if kind != "complaint":
            bare |= {"payment": None, "interest": None, "position": None}
        html = render.render_html(changed(full, **bare))
        assert "None" not in html
        assert "<table" not in html


def test_money_received_is_shown_and_taken_off() -> None:
    paid = ReceivedPayment(on=date(2026, 11, 2), minor=7800, currency="EUR")
    text = text_of(render.render(changed(CONTACT, received=(paid,))).pdf)
    assert packed("Less payment received, 2 November 2026") in text
    assert packed("Outstanding EUR 800.00") in text


def test_mode_b_shows_the_consumers_account_and_not_ours() -> None:
    direct = DirectPayment(
        payee="Reetta Kallunki",
        method="account",
        account_lines=("Sort code 00-00-00", "Account 00000000"),
    )
    text = text_of(render.render(changed(CONTACT, payment=direct)).pdf)
    assert packed("Sort code 00-00-00") in text
    assert "IBAN" not in text


@pytest.mark.parametrize(
    ("minor", "currency", "language", "expected"),
    [
        (118900, "EUR", "en", "EUR 1,189.00"),
        (118900, "EUR", "fi", "1 189,00 €"),
        (11000, "GBP", "fi", "110,00 GBP"),
        (118900, "SEK", "sv", "1 189,00 kr"),
        (118900, "EUR", "fr", "1\u202f189,00 €"),
        (118900, "EUR", "de", "1.189,00 €"),
        (11000, "USD", "de", "110,00 USD"),
        (5000, "JPY", "en", "JPY 5,000"),
        (1234, "KWD", "en", "KWD 1.234"),
        (1, "EUR", "en", "EUR 0.01"),
    ],
)
def test_sums_read_as_the_language_writes_them(
    minor: int, currency: str, language: Any, expected: str
) -> None:
    assert render.format_money(minor, currency, language).replace("\xa0", " ") == expected


def test_the_payment_code_says_what_the_payment_block_says() -> None:
    code = epc_text(CLIENT_ACCOUNT, 87_800, "EUR")
    assert code is not None
    assert code.split("\n") == [
        "BCD", "002", "1", "SCT", "TESTFIHH", "Specimen Refund Agency Oy, client funds",
        "FI2112345600000785", "EUR878.00", "", "RF18539007547034",
    ]  # fmt: skip
    side, path = code_path(code)
    drawn = {
        (int(x) + step, int(y))
        for x, y, run in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", path)
        for step in range(int(run))
    }
    made = segno.make(code, error="m", micro=False, boost_error=False, mask=MASK)
    assert made.symbol_size(border=0) == (side, side)
    assert drawn == {
        (x, y) for y, row in enumerate(made.matrix) for x, dark in enumerate(row) if dark
    }
    assert f'd="{path}"' in render.render_html(CONTACT)


def test_other_currencies_and_other_payees_have_no_payment_code() -> None:
    pounds = [dataclasses.replace(item, currency="GBP") for item in CONTACT.items]
    assert "<svg" not in render.render_html(changed(CONTACT, items=tuple(pounds)))
    assert "<svg" not in render.render_html(specimen("reminder", "en"))


def test_a_draft_says_so_and_an_issued_letter_does_not() -> None:
    assert "DRAFT" in text_of(render.render(changed(CONTACT, draft=True)).pdf)
    assert "DRAFT" not in text_of(render.render(CONTACT).pdf)


def test_the_document_declares_language_author_days_and_tags() -> None:
    pdf = render.render(specimen("contact", "fi")).pdf
    with pikepdf.open(io.BytesIO(pdf)) as document:
        assert str(document.Root.Lang) == "fi"
        assert "/StructTreeRoot" in document.Root
        assert str(document.docinfo["/Author"]) == "Specimen Refund Agency Oy"
        assert str(document.docinfo["/CreationDate"]).startswith("D:20261121")
        assert str(document.docinfo["/ModDate"]).startswith("D:20261121")
        metadata = document.open_metadata()
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "A")
        assert bool(document.Root.MarkInfo.Marked)
        told = json.loads(document.attachments["case.json"].get_file().read_bytes())
        assert str(document.Root.AF[0].AFRelationship) == "/Data"
    assert told["schema"] == "recourse.letter/1" and told["outstanding_minor"] == 87_800
    assert told["payment"]["iban"] == "FI21 1234 5600 0007 85"
    assert "Koivukuja" not in json.dumps(told), "where people live stays on paper"
    with pikepdf.open(io.BytesIO(pdf)) as document:
        assert packed("Sivu 1/2") in packed(page_text(document.pages[0]))


def test_the_recipient_stands_in_the_window_of_the_envelope() -> None:
    engine = render.Engine.get()
    document = engine.html(string=render.render_html(CONTACT), url_fetcher=engine.fetcher).render(
        font_config=engine.fonts, stylesheets=[engine.css]
    )
    millimetre = 96 / 25.4
    lines = [
        box
        for box in document.pages[0]._page_box.descendants()
        if getattr(box, "element", None) is not None and box.element.get("class") == "to"
    ]
    top = min(box.position_y for box in lines) / millimetre
    bottom = max(box.position_y + box.height for box in lines) / millimetre
    left = min(box.position_x for box in lines) / millimetre
    assert 60 <= top <= 64
    assert bottom <= 92
    assert 20 <= left <= 26


def test_two_processes_write_the_same_bytes(letter: AnyLetter) -> None:
    assert render.render(letter).sha256 == other_process()[letter.kind, letter.language]


_other: dict[tuple[str, str], str] = {}


def other_process() -> dict[tuple[str, str], str]:
    """Hashes of all letters from one other process with another hash seed."""
    if not _other:
        code = (
            "from letters import render\nfrom letters.specimen import specimen\n"
            f"for kind, language in {PRINTED!r}:\n"
            "  print(kind, language, render.render(specimen(kind, language)).sha256)\n"
        )
        result = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": "4711", "TZ": "Asia/Tokyo"},
        )
        for line in result.stdout.splitlines():
            kind, language, sha256 = line.split()
            _other[kind, language] = sha256
    return _other


class Canary:
    """A web server and a file that nobody may touch."""

    def __init__(self, folder: Path) -> None:
        self.hits: list[str] = []
        self.file = folder / "secret.txt"
        self.file.write_text("canary in the file")
        canary = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                canary.hits.append(self.path)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Silent."""

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Canary]:
    one = Canary(tmp_path)
    yield one
    one.server.shutdown()
    one.server.server_close()


def hostile_texts(canary: Canary) -> list[str]:
    file = canary.file.as_uri()
    return [
        f'<link rel=attachment href="{file}">',
        f"<img src={canary.url}/img>",
        f"<style>@import '{canary.url}/css'; "
        f"@font-face{{font-family:x;src:url({canary.url}/f)}}</style>",
        f'<svg><image href="{file}"/></svg>',
        f'</p><script src="{canary.url}/js"></script><iframe src="{canary.url}/frame">',
        "{{ 7*7 }} {% include '/etc/passwd' %} ${7*7} <%= 7*7 %> #{7*7}",
        "{{ ''.__class__.__mro__ }} {{ x|attr('__class__') }}",
        "<b>" * 2000,
        "%!PS-Adobe-3.0 EPSF-3.0",
    ]


def test_hostile_text_is_printed_as_text(canary: Canary) -> None:
    texts = hostile_texts(canary)
    entry = CONTACT.chronology[0]
    short = next(text for text in texts if "__class__" in text)
    letter = changed(
        CONTACT,
        service=short,
        recipient=dataclasses.replace(CONTACT.recipient, name=short),
        chronology=tuple(dataclasses.replace(entry, what=text) for text in texts),
    )
    pdf = render.render(letter).pdf
    text = text_of(pdf)
    # The long one runs over a page, and the foot of the page stands in between.
    assert text.count("<b>") >= 1990
    assert [each for each in texts if len(each) < 1000 and packed(each) not in text] == []
    assert b"canary in the file" not in pdf
    assert canary.hits == []


def test_the_engine_fetches_nothing_even_for_markup(canary: Canary) -> None:
    """The second wall: what would happen if a text came in as markup."""
    urllib.request.urlopen(f"{canary.url}/alive").close()
    big = "data:image/png;base64," + "A" * 200_000
    # The image comes first: what follows an iframe is plain text to a parser.
    markup = f'<p>RC-7K2M-9QX4<img src="{big}">' + "".join(hostile_texts(canary)[:5])
    pdf, pages = render.Engine.get().pdf(
        f'<html><head><link rel=stylesheet href="{canary.url}/s">'
        f'<base href="{canary.url}/b/"></head><body>{markup}',
        b"0" * 16,
    )
    inspect_pdf(pdf, pages=pages, must_contain="RC-7K2M-9QX4")
    assert b"canary in the file" not in pdf
    assert canary.hits == ["/alive"]


@pytest.mark.parametrize(
    ("text", "character"),
    [
        ("日本", "日"),
        ("שלום", "ש"),
        ("مرحبا", "م"),
        ("नमस्ते", "न"),
        ("family 👨‍👩‍👧", "👨"),
        ("private \ue000", "\ue000"),
    ],
)
def test_a_character_without_a_glyph_is_named_with_its_field(text: str, character: str) -> None:
    with pytest.raises(LetterUnprintable) as refusal:
        render.render(changed(CONTACT, service=text))
    assert (refusal.value.character, refusal.value.field) == (character, "service")
    assert f"U+{ord(character):04X}" in str(refusal.value)


def test_latin_greek_and_cyrillic_print() -> None:
    names = "Łukasz Žižek, Søren Ångström, Nguyễn Thị Hồng, Ελένη Παπαδοπούλου, Їжакевич Щербак"
    assert packed(names) in text_of(render.render(changed(CONTACT, service=names)).pdf)


def test_templates_themselves_need_no_missing_glyph(any_letter: AnyLetter) -> None:
    html = render.render_html(any_letter)
    assert set(html) - render._printable() == set()


def test_a_variable_that_does_not_exist_stops_the_letter() -> None:
    template = render._environment("en").from_string("{{ letter.nothing_of_the_kind }}")
    with pytest.raises(jinja2.UndefinedError):
        template.render(letter=CONTACT)


def test_no_template_switches_escaping_off() -> None:
    for path in (ROOT / "letters" / "templates").rglob("*.jinja"):
        source = path.read_text()
        assert "|safe" not in source.replace(" ", "")
        assert "autoescape" not in source
        assert "Markup" not in source


def test_a_document_of_too_many_pages_is_refused() -> None:
    pages = "<p style='break-after: page'>x</p>" * 201
    with pytest.raises(LetterTooLarge):
        render.Engine.get().pdf(f"<body>{pages}", b"0" * 16)


def with_change(change: Any) -> bytes:
    pdf = render.render(CONTACT).pdf
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        change(document)
        document.save(out)
    return out.getvalue()


def add_script(document: pikepdf.Pdf) -> None:
    document.Root.OpenAction = pikepdf.Dictionary(
        S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)")
    )


def add_launch(document: pikepdf.Pdf) -> None:
    document.pages[0].Annots = pikepdf.Array(
        [
            pikepdf.Dictionary(
                Type=pikepdf.Name.Annot,
                Subtype=pikepdf.Name.Link,
                Rect=[0, 0, 9, 9],
                A=document.make_indirect(pikepdf.Dictionary(S=pikepdf.Name.Launch)),
            )
        ]
    )


def add_file(document: pikepdf.Pdf) -> None:
    document.attachments["evil.exe"] = b"MZ"


def swap_file(document: pikepdf.Pdf) -> None:
    document.attachments["case.json"] = b"{}"


def loosen_font(document: pikepdf.Pdf) -> None:
    for thing in document.objects:
        if isinstance(thing, pikepdf.Dictionary) and thing.get("/Type") == "/FontDescriptor":
            del thing["/FontFile2"]


def add_page(document: pikepdf.Pdf) -> None:
    document.add_blank_page()


expected: Any = {
    "pages": 2,
    "must_contain": CONTACT.reference,
    "attached": case_json(CONTACT),
}


@pytest.mark.parametrize(
    "change", [swap_file, add_script, add_launch, add_file, loosen_font, add_page]
)
def test_the_output_check_refuses_what_a_letter_must_not_be(change: Any) -> None:
    inspect_pdf(with_change(lambda _: None), **expected)
    with pytest.raises(BadDocument):
        inspect_pdf(with_change(change), **expected)


def test_the_output_check_refuses_noise_and_a_foreign_reference() -> None:
    with pytest.raises(BadDocument):
        inspect_pdf(b"%PDF-1.7 nothing", pages=2, must_contain=CONTACT.reference)
    with pytest.raises(BadDocument, match="reference"):
        inspect_pdf(render.render(CONTACT).pdf, **{**expected, "must_contain": "RC-0000-0000"})


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_letter_says_why_it_comes_another_way_and_nothing_nobody_told_us(language: Any) -> None:
    """A dead mailbox is named; how the consumer's own complaint went is left out where unknown."""
    told = EarlierLetter(kind="consumer_complaint", sent_on=date(2026, 10, 14), channel=None)
    for kind in ("contact", "formal_notice"):
        full = changed(specimen(kind, language), delivery="post", earlier=(told,))
        html = render.render_html(changed(full, undelivered="claims@dead.example"))
        assert "claims@dead.example" in html and "None" not in html
        assert "claims@dead.example" not in render.render_html(full)
        back = render.render_html(changed(full, came_back="web_form"))
        assert len(back) > len(render.render_html(full)) + 50 and "None" not in back
