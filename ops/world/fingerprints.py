"""Letters compared between two plays of a seed, by their words.

A file of its own: it loads pikepdf (20 MB), which no command needs.
"""

from __future__ import annotations

import io
import re
from hashlib import sha256

import pikepdf

from app.domain.bank_refs import rf_reference
from letters.inspection import page_text
from ops.world.papers import letters_of
from ops.world.tale import Tale, World

# What differs between two plays of the same seed: names that the installation draws by lot.
_MANDATE = re.compile(r"M-[0-9A-F]{10}")
_ADDRESS = re.compile(r"case\+[0-9a-z.]+@")
_LINK = re.compile(r"/v1/answers/[A-Za-z0-9_-]{43}")


async def fingerprints(world: World) -> dict[str, list[str]]:
    """Story -> letters with a hash of their words, equal for every play of a seed."""
    return {tale.story.id: [f"{name} {fingerprint(tale, pdf)}"
                            for name, pdf in await letters_of(world, tale)]
            for tale in world.tales}  # fmt: skip


def fingerprint(tale: Tale, pdf: bytes) -> str:
    """The hash of a letter's words without the references of this installation."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        text = "".join("".join(page_text(page).split()) for page in document.pages)
    for drawn in (tale.reference, rf_reference(tale.payment_reference), tale.payment_reference):
        text = text.replace(drawn, "*")
    text = _LINK.sub("*", _ADDRESS.sub("*@", _MANDATE.sub("*", text)))
    return sha256(text.encode()).hexdigest()[:16]
