"""Case references: `RC-` + 7 Crockford base-32 symbols + check symbol (Luhn mod 32).

Made to be read over the phone: no I, L, O or U; O counts as 0, I and L as 1; hyphens and case do
not matter. Source: design, "Words" (reference).
"""

from __future__ import annotations

from app.domain.errors import InvalidInput

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BODY_SYMBOLS = 7
REFERENCES_MAX = 32**BODY_SYMBOLS
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})


def format_reference(number: int) -> str:
    """The reference of a number in 0 <= number < 32**7, e.g. `RC-0C7K2M9Q`."""
    assert 0 <= number < REFERENCES_MAX, f"reference number out of range: {number}"
    body = "".join(ALPHABET[(number >> (5 * i)) & 31] for i in reversed(range(BODY_SYMBOLS)))
    return f"RC-{body}{check_symbol(body)}"


def check_symbol(body: str) -> str:
    """Luhn mod 32 over the body: catches every single wrong symbol and most swaps."""
    total, factor = 0, 2
    for symbol in reversed(body):
        product = ALPHABET.index(symbol) * factor
        total += product // 32 + product % 32
        factor = 3 - factor
    return ALPHABET[(32 - total % 32) % 32]


def parse_reference(text: str) -> str:
    """The canonical form of what a person typed; InvalidInput when the check symbol is wrong."""
    symbols = text.strip().upper().replace("-", "").replace(" ", "")
    if symbols.startswith("RC") and len(symbols) == BODY_SYMBOLS + 3:
        symbols = symbols[2:]
    symbols = symbols.translate(_READ_AS)
    if len(symbols) != BODY_SYMBOLS + 1 or any(s not in ALPHABET for s in symbols):
        raise InvalidInput("a reference is RC- and eight letters or digits", code="bad_reference")
    if check_symbol(symbols[:-1]) != symbols[-1]:
        raise InvalidInput(
            "the reference has a typing mistake: its last symbol does not fit", code="bad_reference"
        )
    return f"RC-{symbols}"
