"""What rides in a letter's PDF and what its payment code says, for machines: our own case.json, the
one attachment a letter may have, and the QR code that a banking app reads (EPC069-12)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import segno

from letters.codec import encode
from letters.values import ClientAccountPayment

if TYPE_CHECKING:
    from letters.content import AnyLetter

NAME: Final = "case.json"
SCHEMA: Final = "recourse.letter/1"
# Fields that a recipient's system matches a letter by; what tells a story stays on paper.
FIELDS: Final = (
    "language", "dated", "reference", "booking_reference", "reply_email", "service", "items",
    "remedies", "received", "interest", "deadline", "payment",
)  # fmt: skip
EPC_CURRENCY: Final = "EUR"  # the code exists for SEPA credit transfers alone
MASK: Final = 2
EPC_NAME_MAX: Final = 70  # characters


def case_json(letter: AnyLetter) -> bytes:
    """The letter's figures as JSON, the same bytes for the same letter: sums in minor units, days
    as ISO 8601, names of the parties without their addresses."""
    known: dict[str, Any] = {
        name: encode(getattr(letter, name)) for name in FIELDS if hasattr(letter, name)
    }
    told = {
        "schema": SCHEMA,
        "kind": letter.kind,
        **known,
        "agency": letter.agency.name,
        "recipient": letter.recipient.name,
        "claimants": [person.name for person in letter.claimants],
        "outstanding_minor": letter.outstanding_minor if letter.items else None,
        "currency": letter.currency,
    }
    return json.dumps(told, ensure_ascii=False, sort_keys=True, indent=1).encode()


def epc_text(payment: ClientAccountPayment, minor: int, currency: str) -> str | None:
    """The text of the payment code; None where no such code exists (another currency)."""
    if currency != EPC_CURRENCY:
        return None
    amount = Decimal(minor).scaleb(-2)
    lines = [
        "BCD", "002", "1", "SCT", _packed(payment.bic or ""),
        payment.account_holder[:EPC_NAME_MAX], _packed(payment.iban), f"EUR{amount:.2f}",
        "", _packed(payment.rf_reference),
    ]  # fmt: skip
    return "\n".join(lines)


def code_path(text: str) -> tuple[int, str]:
    """A QR code as side length in modules, its quiet zone left out, and the path of its dark ones
    in an SVG of that size: level M, as EPC069-12 wants it."""
    # A mask of ours: every reader finds it in the code, and trying all eight costs 5 ms a letter.
    matrix = segno.make(text, error="m", micro=False, boost_error=False, mask=MASK).matrix
    pieces = []
    for y, row in enumerate(matrix):
        start = None
        for x, dark in enumerate([*row, 0]):
            if dark and start is None:
                start = x
            elif not dark and start is not None:
                pieces.append(f"M{start} {y}h{x - start}v1h{start - x}z")
                start = None
    return len(matrix), " ".join(pieces)


def _packed(code: str) -> str:
    return code.replace(" ", "").replace("\N{NO-BREAK SPACE}", "")
