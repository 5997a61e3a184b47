"""Letter -> HTML -> PDF bytes: same content, same bytes.

Runs in a render child (`letters.child`), never in a process that serves requests: the PDF
engine is heavy, and hostile text must meet it where nothing else can be reached.
"""

import datetime
import functools
import gc
import hashlib
import json
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, get_currency_precision
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from letters import limits
from letters.attached import NAME, case_json, code_path, epc_text
from letters.content import AnyLetter, to_dict
from letters.errors import LetterInvalid, LetterTooLarge, LetterUnprintable
from letters.inspection import inspect_pdf
from letters.paper_words import paper_words
from letters.papers import AnyPaper, Paper, paper_dict
from letters.rendered import RenderedLetter
from letters.values import ClientAccountPayment, Language

if TYPE_CHECKING:
    pass

HERE: Final = Path(__file__).parent
FONTS: Final = (HERE / "fonts" / "NotoSans-Regular.ttf", HERE / "fonts" / "NotoSans-Bold.ttf")
LOCALES: Final[dict[str, str]] = {
    "en": "en_GB", "fi": "fi_FI", "sv": "sv_SE", "fr": "fr_FR", "de": "de_DE",
}  # fmt: skip
DAY_FORMATS: Final[dict[str, str]] = {
    "en": "d MMMM y", "fi": "d.M.y", "sv": "d MMMM y", "fr": "d MMMM y", "de": "d. MMMM y",
}  # fmt: skip
FIRST_OF_MONTH: Final[dict[str, str]] = {"fr": "1er"}  # where the first day is an ordinal
# Sums in a currency of the language's own countries carry its sign, others the code.
SUM_SHAPES: Final[dict[str, str]] = {"en": "¤¤ #,##0.00"}  # where the code comes first
OWN_CURRENCIES: Final[dict[str, tuple[str, ...]]] = {
    "en": (), "fi": ("EUR",), "sv": ("EUR", "SEK"), "fr": ("EUR",), "de": ("EUR",),
}  # fmt: skip
NO_BREAK_SPACE: Final = "\N{NO-BREAK SPACE}"
# Archive-grade (embedded fonts, Unicode text, colour profile, the tags that screen readers use);
# declared, and checked in structure, not certified by a validator.
PDF_VARIANT: Final = "pdf/a-3a"
COLLECT_AFTER: Final = 100_000  # new objects; Python's own 700 are made for small programs


def render(letter: AnyLetter | AnyPaper) -> RenderedLetter:
    """The letter or paper of account as a checked PDF.

    Raises `LetterUnprintable` for a character without a glyph, `LetterTooLarge` for a document
    beyond the limits, `BadDocument` when the finished file fails the output check.
    """
    check_glyphs(letter)
    engine = Engine.get()
    attached = None if isinstance(letter, Paper) else case_json(letter)
    pdf, pages = engine.pdf(render_html(letter), _identifier(letter), attached, letter.dated)
    if len(pdf) > limits.PDF_BYTES_MAX:
        raise LetterTooLarge("document", limits.PDF_BYTES_MAX, "bytes")
    inspect_pdf(pdf, pages=pages, must_contain=letter.reference, attached=attached)
    return RenderedLetter(pdf=pdf, sha256=hashlib.sha256(pdf).hexdigest(), pages=pages)


def render_html(letter: AnyLetter | AnyPaper) -> str:
    """The letter as one HTML document without style; consumer text enters only escaped."""
    if isinstance(letter, Paper):
        page = _environment(letter.language).get_template(f"papers/{letter.kind}.html.jinja")
        return page.render(paper=letter, say=paper_words(letter.language))
    template = _environment(letter.language).get_template(
        f"{letter.language}/{letter.kind}.html.jinja"
    )
    link = letter.answer_link
    return template.render(
        letter=letter, code=payment_code(letter), answer_code=link and code_path(link)
    )


def payment_code(letter: AnyLetter) -> tuple[int, str] | None:
    """The QR code of the payment block: only for money to the client account, in euros."""
    payment = getattr(letter, "payment", None)
    currency = letter.payable_currency
    if not isinstance(payment, ClientAccountPayment) or currency is None:
        return None
    text = epc_text(payment, letter.payable_minor, currency)
    return None if text is None else code_path(text)


def check_glyphs(letter: AnyLetter | AnyPaper) -> None:
    """Refuses the first character that one of the bundled fonts cannot print."""
    printable = _printable()
    for path, text in _texts(_fields(letter), ""):
        if not printable.issuperset(text):
            character = next(each for each in text if each not in printable)
            raise LetterUnprintable(character, path)


class Engine:
    """The PDF engine of one process: fonts, style sheet and profile loaded once."""

    _one: "Engine | None" = None

    def __init__(self) -> None:
        # fontconfig reads this when the engine loads: no font of the machine may come in.
        os.environ["FONTCONFIG_FILE"] = str(HERE / "fonts" / "fonts.conf")
        # Lazy: 110 MB and half a second that the parent process must not pay.
        from weasyprint import CSS, HTML, Attachment
        from weasyprint.text.fonts import FontConfiguration
        from weasyprint.urls import URLFetcher

        class DenyAll(URLFetcher):  # type: ignore[misc]  # the base class is untyped
            """Fetches nothing: not a file, not the network, not a data URL."""

            def fetch(self, url: str, headers: dict[str, str] | None = None) -> Any:
                raise ValueError("letters load nothing")

        styles = HERE / "templates"
        own = CSS(string=(styles / "engine.css").read_text(), url_fetcher=DenyAll())

        class LetterHtml(HTML):  # type: ignore[misc]  # the base class is untyped
            """HTML whose browser defaults are our own few rules.

            Should a later engine rename this inner method, its own defaults return: slower,
            and margins differ, which the tests would show.
            """

            def _ua_stylesheets(self, forms: bool = False) -> list[CSS]:
                return [own]

        self.html: type[HTML] = LetterHtml
        self.attachment: type[Attachment] = Attachment
        self.fetcher = DenyAll()
        self.fonts: FontConfiguration = FontConfiguration()
        self.css: CSS = CSS(
            string=(styles / "print.css").read_text(),
            font_config=self.fonts,
            url_fetcher=self.fetcher,
        )

    @classmethod
    def get(cls) -> "Engine":
        """The process's engine, made at the first call."""
        if cls._one is None:
            cls._one = cls()
            calm_collector()
        return cls._one

    def pdf(
        self,
        html: str,
        identifier: bytes,
        attached: bytes | None = None,
        on: datetime.date | None = None,
    ) -> tuple[bytes, int]:
        """PDF bytes and page count. `attached` becomes case.json, of the day `on`."""
        document = self.html(string=html, url_fetcher=self.fetcher).render(
            font_config=self.fonts,
            stylesheets=[self.css],
            presentational_hints=False,
            pdf_variant=PDF_VARIANT,
            pdf_tags=True,
        )
        pages = len(document.pages)
        if pages > limits.PAGES_MAX:
            raise LetterTooLarge("document", limits.PAGES_MAX, "pages")
        cargo = []
        if attached is not None and on is not None:
            day = datetime.datetime.combine(on, datetime.time())
            cargo = [
                self.attachment(
                    string=attached.decode(), url_fetcher=self.fetcher, name=NAME,
                    created=day, modified=day, relationship="Data",
                )
            ]  # fmt: skip
        pdf = document.write_pdf(
            pdf_identifier=identifier, pdf_variant=PDF_VARIANT, pdf_tags=True, attachments=cargo
        )
        return pdf, pages


def calm_collector() -> None:
    """What the engine loaded stays for good, so the garbage collector need not walk it again with
    every letter; and a letter of a few pages fits between two of its rounds (a seventh of the time
    of a letter went there). A hostile document still meets it, long before the memory limit."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, *gc.get_threshold()[1:])


def _fields(letter: AnyLetter | AnyPaper) -> dict[str, Any]:
    return paper_dict(letter) if isinstance(letter, Paper) else to_dict(letter)


def _identifier(letter: AnyLetter | AnyPaper) -> bytes:
    """The PDF's file identifier: 16 bytes of the content's hash."""
    content = json.dumps(_fields(letter), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode()).digest()[:16]


@functools.cache
def _printable() -> frozenset[str]:
    """Characters that regular and bold both have, and the line break."""
    # Lazy for the same reason as the engine: only a render child needs it.
    from fontTools.ttLib import TTFont

    covered = [set(TTFont(path, lazy=True).getBestCmap()) for path in FONTS]
    return frozenset(chr(point) for point in set.intersection(*covered)) | {"\n"}


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from _texts(member, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from _texts(member, f"{path}[{number}]")


@functools.cache
def _environment(language: Language) -> Environment:
    """Templates of one language: escaped, strict, with the language's days and sums."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        auto_reload=False,
        finalize=_final,
    )
    locale, day_format = LOCALES[language], DAY_FORMATS[language]

    def day(value: datetime.date) -> str:
        text = format_date(value, day_format, locale)
        if value.day == 1 and language in FIRST_OF_MONTH:
            text = FIRST_OF_MONTH[language] + text.removeprefix("1")
        return text.replace(" ", NO_BREAK_SPACE)

    def money(minor: int, currency: str) -> str:
        return format_money(minor, currency, language)

    def digits(text: str) -> str:
        return format_decimal(Decimal(text), locale=locale, decimal_quantization=False)

    environment.filters["day"] = day
    environment.filters["digits"] = digits
    environment.filters["money"] = money
    environment.filters["paragraphs"] = _paragraphs
    environment.filters["sentence_start"] = _sentence_start
    environment.filters["sentence_inner"] = _sentence_inner
    return environment


def format_money(minor: int, currency: str, language: Language) -> str:
    """`EUR 1,189.00` in English; `1 189,00 €` elsewhere, with the code for foreign currencies."""
    amount = Decimal(minor).scaleb(-get_currency_precision(currency))
    own = currency in OWN_CURRENCIES[language]
    pattern = SUM_SHAPES.get(language, "#,##0.00 ¤" if own else "#,##0.00 ¤¤")
    text = format_currency(amount, currency, pattern, LOCALES[language])
    return text.replace(" ", NO_BREAK_SPACE)


def _paragraphs(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _sentence_start(text: str) -> str:
    return text[:1].upper() + text[1:]


def _sentence_inner(text: str) -> str:
    return text[:1].lower() + text[1:]


def _final(value: Any) -> Any:
    """Applied to every value that a template prints: nothing absent, no endless word."""
    if value is None:
        raise LetterInvalid("template", "would print a missing value")
    if isinstance(value, str) and not isinstance(value, Markup):
        return _broken(value)
    return value


def _broken(text: str) -> str:
    """Endless words get blanks between pieces that fit on a line.

    A word wider than its line costs the engine the layout of all text behind it: 190 kB of such
    words took 50 s. A long address may stand in a short text; in a long one it is broken too.
    """
    step = limits.TOKEN_PIECE_CHARS
    if len(text) <= step:
        return text
    longest = step if len(text) > limits.LONG_TEXT_CHARS else limits.TOKEN_CHARS_MAX
    return " ".join(
        word
        if len(word) <= longest
        else " ".join(word[start : start + step] for start in range(0, len(word), step))
        for word in text.split(" ")
    )
