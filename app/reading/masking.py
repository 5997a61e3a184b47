"""Numbers of payment cards in what people write: kept as the last four digits.

Nobody here needs a whole card number, and everybody who works on the case would see it. The raw
mail stays as it came, sealed. Data of other people cannot be told from the writer's own: a person
sees them, and only the case's own people may.
"""

from __future__ import annotations

import re

# An account number (IBAN) is passed over whole, so that no piece of it is taken for a card.
_FOUND = re.compile(
    r"\b[A-Z]{2}[0-9]{2}(?:[ ]?[0-9A-Z]{4}){2,7}(?:[ ]?[0-9A-Z]{1,3})?\b"
    r"|(?<![0-9A-Za-z./-])("
    r"[3-6][0-9]{3}([ -]?)[0-9]{4}\2[0-9]{4}\2[0-9]{4}"  # 4 4 4 4, of most kinds of cards
    r"|3[47][0-9]{2}([ -]?)[0-9]{6}\3[0-9]{5}"  # 4 6 5
    r")(?![0-9]|[ -][0-9])"
)


def masked(text: str) -> str:
    """`text` with every card number (ISO/IEC 7812, its check digit right) as `**** 1234`."""
    return _FOUND.sub(_mask, text)


def _mask(found: re.Match[str]) -> str:
    if found[1] is None:
        return found[0]
    digits = [int(c) for c in found[1] if c.isdigit()]
    return f"**** {found[1][-4:]}" if _luhn(digits) else found[0]


def _luhn(digits: list[int]) -> bool:
    doubled = [d * 2 - 9 if d > 4 else d * 2 for d in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
