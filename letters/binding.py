"""Binds exhibits into one PDF: paginated, stamped, bookmarked; the same bytes for the same files.

Every page is drawn anew on A4, smaller by the margin that carries its stamp. What a page shows is
kept, also its searchable text; what could act (scripts, links, forms, files inside) stays out, for
only the drawing is taken over. Runs in a child process (`letters.binder`), because the files come
from strangers.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import pikepdf
from PIL import Image, ImageOps

from letters import limits
from letters.errors import LetterUnprintable
from letters.plain import document, plain_pdf, printable, shown

PDF, JPEG, PNG, TEXT, MAIL = (
    "application/pdf", "image/jpeg", "image/png", "text/plain", "message/rfc822",
)  # fmt: skip
A4: Final = (595, 842)  # points
SIDE, TOP, BOTTOM = 22, 18, 34  # points of margin; the stamp stands in the bottom one
ROOM: Final = pikepdf.Rectangle(SIDE, BOTTOM, A4[0] - SIDE, A4[1] - TOP)
STAMP_AT: Final = (22, 16)
STAMP_POINTS: Final = 8
LETTERS_SHOWN: Final = 200_000  # characters of one text file


@dataclass(frozen=True, slots=True)
class Item:
    """One exhibit: where its bytes lie, what they are, and its stamp ("Exhibit 3")."""

    file: Path
    media_type: str
    label: str
    title: str


@dataclass(frozen=True, slots=True)
class Unreadable(Exception):
    """Why a file cannot be bound: encrypted, damaged, too_large, not_convertible."""

    why: str


def opened(item: Item) -> pikepdf.Pdf:
    """The exhibit as a PDF of its own. Raises Unreadable."""
    made = converted(item)
    try:
        if item.media_type == PDF or made.exists():
            found = pikepdf.open(made if made.exists() else item.file)
        elif item.media_type in (JPEG, PNG):
            found = pikepdf.open(io.BytesIO(_image_pdf(item)))
        elif item.media_type in (TEXT, MAIL):
            found = pikepdf.open(io.BytesIO(_text_pdf(item.file.read_bytes())))
        else:
            raise Unreadable("not_convertible")
        pages = len(found.pages)
    except pikepdf.PasswordError:
        raise Unreadable("encrypted") from None
    except (pikepdf.PdfError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise Unreadable("damaged") from None
    if not pages:
        raise Unreadable("damaged")
    if pages > limits.EXHIBIT_PAGES_MAX:
        raise Unreadable("too_large")
    return found


def converted(item: Item) -> Path:
    """Where a picture or a text lies once it is a PDF: it is converted once, when it is counted."""
    return item.file.with_name(f"{item.file.name}.pdf")


def count(item: Item) -> int:
    """How many pages it gives; what is no PDF is one from here on. Raises Unreadable."""
    with opened(item) as found:
        if item.media_type != PDF and not converted(item).exists():
            found.save(converted(item), deterministic_id=True)
        return len(found.pages)


def _text_pdf(raw: bytes) -> bytes:
    """Text as it stands; a character without a glyph becomes a box."""
    lines = []
    for line in raw.decode("utf-8", "replace")[:LETTERS_SHOWN].splitlines():
        try:
            lines.append(printable(line))
        except LetterUnprintable:
            lines.append("".join(_or_box(each) for each in line))
    return plain_pdf(lines or [""])


def _or_box(character: str) -> str:
    try:
        return printable(character)
    except LetterUnprintable:
        return "\N{WHITE SQUARE}" if _has_box() else "?"


def _has_box() -> bool:
    try:
        printable("\N{WHITE SQUARE}")
    except LetterUnprintable:
        return False
    return True


def _image_pdf(item: Item) -> bytes:
    """A page of the picture's own proportions. A JPEG that stands upright goes in as it is."""
    Image.MAX_IMAGE_PIXELS = limits.IMAGE_PIXELS_MAX
    with Image.open(item.file) as image:
        if image.width * image.height > limits.IMAGE_PIXELS_MAX:
            raise Unreadable("too_large")
        upright = image.getexif().get(0x0112, 1) == 1
        small = image.width * image.height <= limits.IMAGE_PIXELS_KEPT
        if item.media_type == JPEG and upright and small and image.mode in ("RGB", "L"):
            return _picture_page(item.file.read_bytes(), image.size, image.mode, "/DCTDecode")
        # A camera's picture is decoded at half or a quarter of its size at once.
        shrink = (limits.IMAGE_PIXELS_KEPT / (image.width * image.height)) ** 0.5
        if shrink < 1:
            image.draft("RGB", (int(image.width * shrink), int(image.height * shrink)))
        turned = ImageOps.exif_transpose(image)
        if turned.mode in ("RGBA", "LA", "P", "PA"):
            clear = turned.convert("RGBA")
            ground = Image.new("RGBA", clear.size, "white")
            turned = Image.alpha_composite(ground, clear)
        plain = turned.convert("RGB")
        scale = (limits.IMAGE_PIXELS_KEPT / (plain.width * plain.height)) ** 0.5
        if scale < 1:
            plain = plain.resize((int(plain.width * scale), int(plain.height * scale)))
        out = io.BytesIO()
        plain.save(out, "JPEG", quality=85)
        return _picture_page(out.getvalue(), plain.size, "RGB", "/DCTDecode")


def _picture_page(data: bytes, size: tuple[int, int], mode: str, filtered: str) -> bytes:
    width, height = size
    with pikepdf.new() as pdf:
        picture = pdf.make_stream(
            data, Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=width,
            Height=height, BitsPerComponent=8, Filter=pikepdf.Name(filtered),
            ColorSpace=pikepdf.Name("/DeviceRGB" if mode == "RGB" else "/DeviceGray"),
        )  # fmt: skip
        page = pdf.add_blank_page(page_size=_fitted(width, height))
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im=picture))
        wide, high = _fitted(width, height)
        page.Contents = pdf.make_stream(b"q %d 0 0 %d 0 0 cm /Im Do Q" % (wide, high))
        out = io.BytesIO()
        pdf.save(out, deterministic_id=True)
        return out.getvalue()


def _fitted(width: int, height: int) -> tuple[int, int]:
    """Points of the page: the picture in A4, upright or lying."""
    room = A4 if height >= width else (A4[1], A4[0])
    scale = min(room[0] / width, room[1] / height)
    return max(int(width * scale), 3), max(int(height * scale), 3)


@dataclass(frozen=True, slots=True)
class Page:
    """One page to draw: of which source, and what its stamp says."""

    source: int  # number of the item; -1: the index
    number: int  # page in the source, from 0
    stamp: str


def bind(
    index: Path, items: Sequence[Item], *, stamp: str, run: str, title: str, language: str,
    index_title: str, size_max: int, out: Path,
) -> list[dict[str, Any]]:  # fmt: skip
    """Writes `part-1.pdf`, ... into `out`, each at most `size_max` bytes where its pages allow.

    `stamp` is "Exhibit {label}, page {page} of {pages}", `run` "{reference} · {at}/{all}". Raises
    Unreadable, named with the item's label.
    """
    sources = [pikepdf.open(index), *(opened(item) for item in items)]
    try:
        pages = _plan(sources, items, stamp)
        if len(pages) > limits.BUNDLE_PAGES_MAX:
            raise Unreadable("too_large")
        numbered = [
            Page(p.source, p.number, f"{run.format(at=at, all=len(pages))}  {p.stamp}".strip())
            for at, p in enumerate(pages, start=1)
        ]
        names = {-1: index_title} | {
            at: f"{item.label}. {item.title}" for at, item in enumerate(items)
        }
        draw = partial(_drawn, sources, names=names, title=title, language=language)
        told = []
        parts = _joined(draw, _split(draw, numbered, size_max), size_max)
        for number, (part, data) in enumerate(parts, start=1):
            (out / f"part-{number}.pdf").write_bytes(data)
            told.append({"pages": len(part), "size_bytes": len(data)})
        return told
    finally:
        for source in sources:
            source.close()


def _plan(sources: Sequence[pikepdf.Pdf], items: Sequence[Item], stamp: str) -> list[Page]:
    pages = [Page(-1, at, "") for at in range(len(sources[0].pages))]
    for at, item in enumerate(items):
        of = len(sources[at + 1].pages)
        pages += [
            Page(at, n, stamp.format(label=item.label, page=n + 1, pages=of)) for n in range(of)
        ]
    return pages


def _split(
    draw: Callable[[list[Page]], bytes], pages: list[Page], size_max: int
) -> list[tuple[list[Page], bytes]]:
    """Halves until each part fits, between exhibits where that is near, else between pages."""
    data = draw(pages)
    if len(data) <= size_max or len(pages) == 1:
        return [(pages, data)]
    middle = len(pages) // 2
    edges = [at for at in range(1, len(pages)) if pages[at].source != pages[at - 1].source]
    cut = min(edges or [middle], key=lambda at: abs(at - middle))
    if not len(pages) // 4 <= cut <= 3 * len(pages) // 4:
        cut = middle
    return [*_split(draw, pages[:cut], size_max), *_split(draw, pages[cut:], size_max)]


def _joined(
    draw: Callable[[list[Page]], bytes], parts: list[tuple[list[Page], bytes]], size_max: int
) -> list[tuple[list[Page], bytes]]:
    """Neighbours that fit together are one part: what they share, they hold once."""
    joined: list[tuple[list[Page], bytes]] = []
    for pages, data in parts:
        if joined and len(joined[-1][1]) + len(data) <= size_max:
            before, _ = joined.pop()
            joined.append((before + pages, draw(before + pages)))
        else:
            joined.append((pages, data))
    return joined


def _drawn(
    sources: Sequence[pikepdf.Pdf], pages: Sequence[Page], *, names: dict[int, str], title: str,
    language: str,
) -> bytes:  # fmt: skip
    """These pages as one PDF."""
    lines = [_printable(page.stamp) for page in pages]
    stamps = document([_stamp(line) for line in lines], (c for line in lines for c in line))
    with pikepdf.new() as pdf, pikepdf.open(io.BytesIO(stamps)) as marks:
        with pdf.open_outline() as outline:
            last = None
            for at, page in enumerate(pages):
                sheet = pdf.add_blank_page(page_size=A4)
                source = sources[page.source + 1].pages[page.number]
                _place(pdf, sheet, source, ROOM, "/Exhibit")
                _place(pdf, sheet, marks.pages[at], pikepdf.Rectangle(0, 0, *A4), "/Stamp")
                if page.source != last:
                    outline.root.append(pikepdf.OutlineItem(names[page.source], at))
                    last = page.source
        pdf.Root.Lang = pikepdf.String(language)
        pdf.Root.ViewerPreferences = pikepdf.Dictionary(DisplayDocTitle=True)
        pdf.Root.PageMode = pikepdf.Name.UseOutlines
        pdf.docinfo["/Title"] = title
        out = io.BytesIO()
        pdf.save(out, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
        return out.getvalue()


def _place(
    pdf: pikepdf.Pdf, sheet: pikepdf.Page, source: pikepdf.Page, room: pikepdf.Rectangle, name: str
) -> None:
    """The source's drawing in this room, never larger than it is; under a name of ours, because
    the library's own are random."""
    form = pdf.copy_foreign(source.as_form_xobject())
    called = sheet.add_resource(form, pikepdf.Name.XObject, name=pikepdf.Name(name))
    placed = sheet.calc_form_xobject_placement(
        form, called, room, invert_transformations=True, allow_shrink=True, allow_expand=False
    )
    sheet.contents_add(placed)


def _stamp(line: str) -> bytes:
    x, y = STAMP_AT
    return f"BT /F1 {STAMP_POINTS} Tf {x} {y} Td <{shown(line)}> Tj ET".encode()


def _printable(text: str) -> str:
    try:
        return printable(text)
    except LetterUnprintable:
        return "".join(_or_box(each) for each in text)
