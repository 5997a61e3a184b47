"""A sheet of plain text as a PDF, in the letters' own font: the same bytes for the same lines.

Short notices on paper need no layout, so no render child either: the file is written directly, with
the whole font inside, so that every name prints as its bearer writes it.
"""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from fontTools.ttLib import TTFont

from letters.errors import LetterUnprintable

FONT: Final = Path(__file__).parent / "fonts" / "NotoSans-Regular.ttf"
SIZE_POINTS: Final = 10
LEADING_POINTS: Final = 14
PAGE_POINTS: Final = (595, 842)
LEFT_POINTS: Final = 72
TOP_POINTS: Final = 780
WIDTH_POINTS: Final = PAGE_POINTS[0] - 2 * LEFT_POINTS
LINES_PER_PAGE: Final = 52
_THOUSAND: Final = 1_000  # glyph space of a PDF: thousandths of the size


@dataclass(frozen=True, slots=True)
class _Face:
    """What is needed of the font: glyph and width (thousandths of the size) per character."""

    stream: bytes  # the font's file as an object, packed once
    glyphs: Mapping[str, int]
    widths: Mapping[int, int]
    ascent: int
    descent: int
    cap_height: int
    box: tuple[int, int, int, int]


@cache
def _face() -> _Face:
    file, font = FONT.read_bytes(), TTFont(FONT, lazy=True)
    scale = _THOUSAND / font["head"].unitsPerEm
    ids = {name: at for at, name in enumerate(font.getGlyphOrder())}
    head, lines = font["head"], font["hhea"]
    return _Face(
        _stream(file, b" /Length1 %d" % len(file)),
        {chr(point): ids[name] for point, name in font.getBestCmap().items()},
        {ids[name]: round(wide * scale) for name, (wide, _) in font["hmtx"].metrics.items()},
        round(lines.ascent * scale), round(lines.descent * scale),
        round(font["OS/2"].sCapHeight * scale),
        tuple(round(getattr(head, side) * scale) for side in ("xMin", "yMin", "xMax", "yMax")),
    )  # fmt: skip


def plain_pdf(paragraphs: Iterable[str]) -> bytes:
    """One paragraph per line of paper, longer ones wrapped at the margin.

    Raises LetterUnprintable for a character that the font cannot print: an address with a question
    mark in it arrives nowhere.
    """
    lines = [line for each in paragraphs for line in wrapped(printable(each))]
    pages = [lines[at : at + LINES_PER_PAGE] for at in range(0, len(lines), LINES_PER_PAGE)]
    return document([_drawn(page) for page in pages], (c for line in lines for c in line))


def document(drawn: Sequence[bytes], characters: Iterable[str]) -> bytes:
    """Pages of A4 with these contents, in which /F1 is the font and `characters` is all it says."""
    used = sorted({_face().glyphs[c] for c in characters})
    first = 8  # objects 1 to 7 are catalog, pages, font with its parts
    kids = " ".join(f"{first + 2 * at} 0 R" for at in range(len(drawn)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(drawn)} >>".encode(),
        *_font(used),
    ]
    for at, page in enumerate(drawn):
        contents = first + 2 * at + 1
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {PAGE_POINTS[0]} {PAGE_POINTS[1]}]"
            f" /Resources << /Font << /F1 3 0 R >> >> /Contents {contents} 0 R >>".encode()
        )
        objects.append(_stream(page))
    return _file(objects)


def printable(text: str) -> str:
    """The text in the spelling the font has. Raises LetterUnprintable."""
    plain = unicodedata.normalize("NFC", text.replace("\t", " "))
    for character in plain:
        if character not in _face().glyphs:
            raise LetterUnprintable(character, "notice")
    return plain


def _wide(text: str) -> int:
    face = _face()
    return sum(face.widths[face.glyphs[character]] for character in text)


def wrapped(
    text: str, width_points: float = WIDTH_POINTS, size_points: float = SIZE_POINTS
) -> Iterator[str]:
    """Lines no wider than the margins; a word wider than a line is broken where the line ends."""
    limit = width_points * _THOUSAND // size_points
    line = ""
    for word in filter(None, text.split(" ")):  # a no-break space ends no line
        if line and _wide(f"{line} {word}") > limit:
            yield line
            line = ""
        line = f"{line} {word}" if line else word
        while _wide(line) > limit:
            fits = next(at for at in range(len(line), 0, -1) if _wide(line[:at]) <= limit)
            yield line[:fits]
            line = line[fits:]
    yield line


def _font(used: Sequence[int]) -> list[bytes]:
    """Objects 3 to 7: the font by glyph number, its parts, and which text each glyph stands for."""
    face = _face()
    widths = " ".join(f"{glyph} [{face.widths[glyph]}]" for glyph in used)
    box = " ".join(map(str, face.box))
    return [
        b"<< /Type /Font /Subtype /Type0 /BaseFont /NotoSans /Encoding /Identity-H"
        b" /DescendantFonts [4 0 R] /ToUnicode 7 0 R >>",
        b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /NotoSans /CIDToGIDMap /Identity"
        b" /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>"
        b" /FontDescriptor 5 0 R /W [" + widths.encode() + b"] >>",
        (
            f"<< /Type /FontDescriptor /FontName /NotoSans /Flags 32 /FontBBox [{box}]"
            f" /ItalicAngle 0 /Ascent {face.ascent} /Descent {face.descent}"
            f" /CapHeight {face.cap_height} /StemV 80 /FontFile2 6 0 R >>"
        ).encode(),
        face.stream,
        _stream(_to_unicode(used)),
    ]


def _to_unicode(used: Sequence[int]) -> bytes:
    """So that the text can be read out and searched. At most 100 pairs a block, says the format."""
    texts = {glyph: character for character, glyph in reversed(list(_face().glyphs.items()))}
    pairs = [f"<{g:04x}> <{texts[g].encode('utf-16-be').hex()}>" for g in used]
    blocks = [pairs[at : at + 100] for at in range(0, len(pairs), 100)]
    return "\n".join(
        [
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
            "/CMapName /Plain def /CMapType 2 def",
            "1 begincodespacerange <0000> <ffff> endcodespacerange",
            *(f"{len(b)} beginbfchar\n" + "\n".join(b) + "\nendbfchar" for b in blocks),
            "endcmap end end",
        ]
    ).encode()


def shown(line: str) -> str:
    """The text as the operand of Tj: the number of each glyph."""
    return "".join(f"{_face().glyphs[c]:04x}" for c in line)


def _drawn(lines: Sequence[str]) -> bytes:
    head = f"BT /F1 {SIZE_POINTS} Tf {LEADING_POINTS} TL {LEFT_POINTS} {TOP_POINTS} Td"
    return "\n".join([head, *(f"<{shown(line)}> Tj T*" for line in lines), "ET"]).encode()


def _stream(content: bytes, more: bytes = b"") -> bytes:
    packed = zlib.compress(content, 9)
    head = b"<< /Length %d /Filter /FlateDecode%s >>" % (len(packed), more)
    return head + b"\nstream\n" + packed + b"\nendstream"


def _file(objects: Sequence[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1, start)  # fmt: skip
    return bytes(out)
