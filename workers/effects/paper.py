"""A notice on paper: one plain text sheet as a PDF.

Notices to people reached by post are short, so no render child is needed for them. Letters to
companies are another matter (RenderLetter).
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

import pikepdf

from app.crypto import SubjectCipher
from letters.errors import LetterUnprintable
from letters.plain import plain_pdf
from workers.effects.handler import Done
from workers.effects.sending import Sent
from workers.providers.delivery import Guard
from workers.providers.errors import Refused
from workers.providers.post import PostJob
from workers.tools import Tools


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands on it, and where it goes."""

    address_lines: tuple[str, ...]
    reference: str
    subject: str
    text: str
    sender: str
    day: str  # as its reader writes it
    country: str = ""
    person: SubjectCipher | None = None  # of the consumer it goes to: seals the address on file
    enclosed: bytes = b""  # a PDF of ours that is printed behind it


async def send_sheet(
    tools: Tools, effect_id: UUID, sheet: Sheet, guard: Guard, *, document: bytes | None = None
) -> Done:
    """`document` goes in place of the sheet: it has its own address window, and says the same."""
    try:
        pdf = document or sheet_pdf(sheet)
        pdf = bound(pdf, sheet.enclosed) if sheet.enclosed else pdf
    except LetterUnprintable as unprintable:
        raise Refused(str(unprintable)) from None
    digest = sha256(pdf).hexdigest()
    job = PostJob(sheet.address_lines, sheet.reference, digest, country=sheet.country)
    delivery = await tools.providers.post.send(job, pdf, key=effect_id, guard=guard)
    return Done(
        delivery,
        made=Sent(
            "post", sheet.sender, "\n".join(sheet.address_lines), sheet.subject, sheet.text, None,
            person=sheet.person,
        ),
    )  # fmt: skip


def bound(*pdfs: bytes) -> bytes:
    """Papers of ours as one, in this order: the same bytes for the same papers."""
    with pikepdf.new() as whole:
        for pdf in pdfs:
            with pikepdf.open(io.BytesIO(pdf)) as part:
                whole.pages.extend(part.pages)
        out = io.BytesIO()
        whole.save(out, deterministic_id=True)
        return out.getvalue()


def sheet_pdf(sheet: Sheet) -> bytes:
    """The sheet as a PDF: the same bytes for the same words. Raises LetterUnprintable."""
    return plain_pdf(
        [
            sheet.sender,
            "",
            *sheet.address_lines,
            "",
            sheet.day,
            "",
            sheet.subject,
            "",
            *sheet.text.splitlines(),
        ]
    )
