"""The output check: a finished PDF is looked at with other eyes before anyone may store it."""

import io
import re
from collections.abc import Iterator
from typing import Final

# Lazy in effect: only `letters.render` imports this module, and only render children import that.
import pikepdf

from letters.attached import NAME
from letters.errors import BadDocument

# Names that make a document act or carry cargo. A letter has no use for any of them.
FORBIDDEN_KEYS: Final = frozenset(
    {
        "/JS",
        "/JavaScript",
        "/AA",
        "/OpenAction",
        "/RichMedia",
        "/XFA",
        "/AcroForm",
    }
)
FORBIDDEN_VALUES: Final = frozenset(
    {
        "/JavaScript",
        "/Launch",
        "/SubmitForm",
        "/ImportData",
        "/GoToR",
        "/GoToE",
        "/URI",
        "/RichMedia",
        "/Movie",
        "/Sound",
    }
)
FONT_FILES: Final = ("/FontFile", "/FontFile2", "/FontFile3")
BFRANGE_OR_CHAR: Final = re.compile(rb"<([0-9A-Fa-f]{4})>\s*<([0-9A-Fa-f]+)>")


def inspect_pdf(
    pdf: bytes, *, pages: int, must_contain: str, attached: bytes | None = None
) -> None:
    """Refuses (`BadDocument`) a file that does not open, has another page count, can act or
    carries another file than `attached` (as case.json), does not embed every font, or whose text
    lacks `must_contain`."""
    try:
        with pikepdf.open(io.BytesIO(pdf)) as document:
            if len(document.pages) != pages:
                raise BadDocument(f"{len(document.pages)} pages instead of {pages}")
            files = []
            for thing in document.objects:
                _check_object(thing)
                if _is_file(thing):
                    files.append(thing)
            _check_cargo(document, files, attached)
            # The reference stands in the head of the first page.
            if not _shows(document.pages[0], must_contain):
                raise BadDocument("its text layer lacks the reference")
    except pikepdf.PdfError as reason:
        raise BadDocument(f"it does not open: {reason}") from reason


def _is_file(thing: pikepdf.Object) -> bool:
    """A file's bytes, or what names a file: it may hang outside the document's own list."""
    return isinstance(thing, pikepdf.Dictionary | pikepdf.Stream) and (
        "/EF" in thing or thing.get("/Type") in ("/Filespec", "/EmbeddedFile")
    )


def _check_cargo(
    document: pikepdf.Pdf, files: list[pikepdf.Object], attached: bytes | None
) -> None:
    """One file, ours, or none."""
    expected = [] if attached is None else [attached]
    held = [thing.read_bytes() for thing in files if isinstance(thing, pikepdf.Stream)]
    if held != expected or len(files) != 2 * len(expected):
        raise BadDocument("it holds a file that is not ours")
    if set(document.attachments) != ({NAME} if expected else set()):
        raise BadDocument("it holds a file under another name")


def _check_object(thing: pikepdf.Object) -> None:
    if not isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
        return
    keys = set(thing.keys())
    if bad := keys & FORBIDDEN_KEYS:
        raise BadDocument(f"it holds {sorted(bad)[0]}")
    for key in ("/S", "/Type", "/Subtype"):
        if key in keys and str(thing[key]) in FORBIDDEN_VALUES:
            raise BadDocument(f"it holds {thing[key]}")
    if thing.get("/Type") == "/FontDescriptor" and not keys.intersection(FONT_FILES):
        raise BadDocument("it has a font that is not embedded")


def page_text(page: pikepdf.Page) -> str:
    """The text layer of a page in drawing order, without the blanks between pieces.

    Reads two-byte glyph codes through each font's ToUnicode table, which is how the engine
    writes all text.
    """
    return "".join(_pieces(page))


def _shows(page: pikepdf.Page, needle: str) -> bool:
    """Whether the page's text has `needle`; stops reading where it is found."""
    seen = ""
    for piece in _pieces(page):
        seen = seen[-len(needle) :] + piece
        if needle in seen:
            return True
    return False


def _pieces(page: pikepdf.Page) -> Iterator[str]:
    fonts: dict[str, dict[bytes, str]] = {}
    for name, font in page.resources.get("/Font", pikepdf.Dictionary()).items():
        fonts[name] = _to_unicode(font)
    table: dict[bytes, str] = {}
    for instruction in pikepdf.parse_content_stream(page, "Tf Tj TJ"):
        operand = instruction.operands[0]
        if str(instruction.operator) == "Tf":
            table = fonts[str(operand)]
            continue
        for code in _strings(operand):
            yield "".join(table.get(code[at : at + 2], "") for at in range(0, len(code), 2))


def _strings(operand: pikepdf.Object) -> Iterator[bytes]:
    if isinstance(operand, pikepdf.Array):
        for part in operand:
            if isinstance(part, pikepdf.String):
                yield bytes(part)
    elif isinstance(operand, pikepdf.String):
        yield bytes(operand)


def _to_unicode(font: pikepdf.Object) -> dict[bytes, str]:
    if "/ToUnicode" not in font:
        raise BadDocument("it has a font without a text table")
    pairs = BFRANGE_OR_CHAR.findall(font.ToUnicode.read_bytes())
    return {
        bytes.fromhex(code.decode()): bytes.fromhex(text.decode()).decode("utf-16-be")
        for code, text in pairs
    }
