"""A notice on paper: one plain text sheet as a PDF, made without any font of our own.

Notices to people reached by post are short; the PDF is written directly with the reader's built-in
Helvetica and Latin-1, so that no render child is needed for them. Letters to companies are another
matter (RenderLetter).
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from uuid import UUID

from app.crypto import SubjectCipher
from workers.effects.handler import Done
from workers.effects.sending import Sent
from workers.providers.delivery import Guard
from workers.providers.post import PostJob
from workers.tools import Tools

LINE_CHARS = 84  # at 10 points between margins of 25 mm
LINES_PER_PAGE = 52
LEADING_POINTS = 14
TOP_POINTS, LEFT_POINTS = 780, 72
# Beyond Latin-1 only these stand in our words and in most European names; the rest becomes "?".
_PLAIN = str.maketrans(
    {
        "–": "-",
        "—": "-",
        "’": "'",
        "‘": "'",
        "“": '"',
        "”": '"',
        "…": "...",
        "€": "EUR",
        "\u00a0": " ",
        "š": "s",
        "Š": "S",
        "ž": "z",
        "Ž": "Z",
    }
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands on it, and where it goes."""

    address_lines: tuple[str, ...]
    reference: str
    subject: str
    text: str
    sender: str
    on: date
    person: SubjectCipher | None = None  # of the consumer it goes to: seals the address on file


async def send_sheet(tools: Tools, effect_id: UUID, sheet: Sheet, guard: Guard) -> Done:
    pdf = plain_pdf(sheet)
    job = PostJob(sheet.address_lines, sheet.reference, sha256(pdf).hexdigest())
    delivery = await tools.providers.post.send(job, pdf, key=effect_id, guard=guard)
    return Done(
        delivery,
        made=Sent(
            "post", sheet.sender, "\n".join(sheet.address_lines), sheet.subject, sheet.text, None,
            person=sheet.person,
        ),
    )  # fmt: skip


def plain_pdf(sheet: Sheet) -> bytes:
    """The sheet as a PDF: the same bytes for the same words."""
    lines = [
        sheet.sender,
        "",
        *sheet.address_lines,
        "",
        sheet.on.isoformat(),
        "",
        sheet.subject,
        "",
    ]
    for paragraph in sheet.text.splitlines():
        lines += textwrap.wrap(paragraph, LINE_CHARS) or [""]
    pages = [lines[i : i + LINES_PER_PAGE] for i in range(0, len(lines), LINES_PER_PAGE)]
    kids = " ".join(f"{4 + 2 * i} 0 R" for i in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for i, page in enumerate(pages):
        stream = _page(page)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources"
            b" << /Font << /F1 3 0 R >> >> /Contents " + f"{5 + 2 * i} 0 R >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    return _file(objects)


def _page(lines: list[str]) -> bytes:
    shown = []
    for line in lines:
        plain = line.translate(_PLAIN).encode("latin-1", "replace")
        escaped = plain.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
        shown.append(b"(" + escaped + b") Tj T*")
    head = f"BT /F1 10 Tf {LEADING_POINTS} TL {LEFT_POINTS} {TOP_POINTS} Td".encode()
    return b"\n".join([head, *shown, b"ET"])


def _file(objects: list[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.4\n")
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
