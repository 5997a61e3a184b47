"""What an agency that prints itself puts around its letters: a counting sheet, and in front of each
letter a cover with the address where the envelope's window is, and a barcode to mark it as posted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from letters.code128 import bars
from letters.plain import document, plain_pdf, printable, shown, wrapped

MM: Final = 72 / 25.4
PAGE_MM: Final = 297
# The same place as on our letters (templates/print.css): inside the windows of DIN 5008 form B, the
# Finnish C5 and the British DL. Windows end at 90 mm.
WINDOW_LEFT_MM, WINDOW_TOP_MM, WINDOW_END_MM, WINDOW_WIDTH_MM = 25, 62, 90, 80
LINE_MM: Final = 4.3
ADDRESS_POINTS, SMALL_POINTS = 10, 9
SIDE_LEFT_MM: Final = 115
KEY_DIGITS: Final = 40  # 128 bits are at most 39 decimal digits; set C wants an even number
MODULE_MM, BAR_TOP_MM, BAR_HEIGHT_MM = 0.4, 250, 15


@dataclass(frozen=True, slots=True)
class Cover:
    """One letter of a batch; `number` counts from 1, `pages` are the letter's own."""

    number: int
    key: UUID
    address_lines: tuple[str, ...]
    reference: str
    pages: int
    registered: bool


@dataclass(frozen=True, slots=True)
class _Words:
    left_mm: float
    top_mm: float
    points: float
    text: str


def key_digits(key: UUID) -> str:
    """The key as the barcode says it."""
    return f"{key.int:0{KEY_DIGITS}d}"


def covers_pdf(covers: Sequence[Cover]) -> bytes:
    """One page a letter. Raises LetterUnprintable."""
    pages = [list(_words(cover, len(covers))) for cover in covers]
    drawn = [
        _drawn(words) + _barcode(key_digits(cover.key))
        for cover, words in zip(covers, pages, strict=True)
    ]
    return document(drawn, (c for words in pages for each in words for c in each.text))


def counting_pdf(batch: str, day: str, covers: Sequence[Cover]) -> bytes:
    """What must lie on the table when the batch is printed and folded."""
    registered = sum(cover.registered for cover in covers)
    head = [
        f"Batch {batch}, {day}", "",
        f"{len(covers)} letters, of them {registered} registered",
        f"{sum(cover.pages for cover in covers)} pages of letters, {len(covers)} covers", "",
    ]  # fmt: skip
    rows = [
        f"{cover.number}.  {cover.reference}  {cover.pages} p."
        f"{'  REGISTERED' if cover.registered else ''}  {cover.key}"
        for cover in covers
    ]
    return plain_pdf([*head, *rows])


def _words(cover: Cover, count: int) -> Iterable[_Words]:
    width = WINDOW_WIDTH_MM * MM
    lines = [
        row
        for line in cover.address_lines
        for row in wrapped(printable(line), width, ADDRESS_POINTS)
    ]
    # A long address begins higher, so that its town does not stand below the window.
    top = min(WINDOW_TOP_MM, WINDOW_END_MM - LINE_MM * len(lines))
    for at, line in enumerate(lines):
        yield _Words(WINDOW_LEFT_MM, top + LINE_MM * (at + 1), ADDRESS_POINTS, line)
    side = [
        printable(cover.reference),
        f"letter {cover.number} of {count}, {cover.pages} pages",
        *(["REGISTERED"] if cover.registered else []),
    ]
    for at, line in enumerate(side):
        yield _Words(SIDE_LEFT_MM, WINDOW_TOP_MM + 5 * (at + 1), SMALL_POINTS, line)
    below = BAR_TOP_MM + BAR_HEIGHT_MM + 5
    yield _Words(WINDOW_LEFT_MM, below, SMALL_POINTS, str(cover.key))


def _drawn(words: Iterable[_Words]) -> bytes:
    rows = [
        f"BT /F1 {each.points} Tf {each.left_mm * MM:.2f}"
        f" {(PAGE_MM - each.top_mm) * MM:.2f} Td <{shown(each.text)}> Tj ET"
        for each in words
    ]
    return ("\n".join(rows) + "\n").encode()


def _barcode(digits: str) -> bytes:
    bottom, height = (PAGE_MM - BAR_TOP_MM - BAR_HEIGHT_MM) * MM, BAR_HEIGHT_MM * MM
    boxes = [
        f"{(WINDOW_LEFT_MM + first * MODULE_MM) * MM:.3f} {bottom:.3f}"
        f" {width * MODULE_MM * MM:.3f} {height:.3f} re"
        for first, width in bars(digits)
    ]
    return ("\n".join(boxes) + "\nf\n").encode()
