"""Creditor references that come back on a bank statement: the Finnish form and RF (ISO 11649).

A case's payment reference is made from a running number without personal meaning, so that a
stranger who reads a statement learns nothing. Sources: the Finnish reference standard (weights
7, 3, 1 from the right, 4 to 20 digits, shown in fives) and ISO 11649 (RF, two check digits
modulo 97, up to 21 characters).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from app.domain.errors import InvalidInput

WEIGHTS: Final = (7, 3, 1)
NATIONAL_DIGITS_MIN: Final = 4  # three digits and the check digit
NATIONAL_DIGITS_MAX: Final = 20
RF_LENGTH_MAX: Final = 25

_NATIONAL: Final = re.compile(r"[0-9]+")
_RF: Final = re.compile(r"RF[0-9]{2}[0-9A-Z]{1,21}")
# The beginning of an RF reference; how far it goes on over blanks, the check digits decide, but
# never into the next one.
_RF_IN_TEXT: Final = re.compile(
    r"(?<![0-9A-Za-z])RF ?[0-9]{2}(?:(?! RF ?[0-9]{2})[0-9A-Z ]){1,30}", re.IGNORECASE
)
_DIGITS_IN_TEXT: Final = re.compile(r"(?<![0-9A-Za-z])[0-9][0-9 ]{2,28}[0-9](?![0-9A-Za-z])")
_CASE_IN_TEXT: Final = re.compile(
    r"(?<![0-9A-Za-z])RC[- ]?((?:[0-9A-Za-z][- ]?){7}[0-9A-Za-z])(?![0-9A-Za-z])", re.IGNORECASE
)


class ReferenceInvalid(InvalidInput):
    """A payment reference is malformed or its check digits are wrong."""

    code = "payment_reference_invalid"


def national_check_digit(body: str) -> int:
    """Check digit of a Finnish reference body: weights 7, 3, 1 from the right, up to the ten."""
    total = sum(int(digit) * WEIGHTS[at % 3] for at, digit in enumerate(reversed(body)))
    return -total % 10


def national_reference(number: int) -> str:
    """The Finnish reference for a running number (>= 100 so that three digits stand)."""
    body = str(number)
    if number < 100 or len(body) >= NATIONAL_DIGITS_MAX:
        raise ReferenceInvalid("The number does not fit a payment reference.")
    return f"{body}{national_check_digit(body)}"


def is_national(text: str) -> bool:
    """True for digits with a right check digit; leading zeros, which banks add, do not count."""
    digits = text.lstrip("0")
    if not _NATIONAL.fullmatch(digits):
        return False
    if not NATIONAL_DIGITS_MIN <= len(digits) <= NATIONAL_DIGITS_MAX:
        return False
    return national_check_digit(digits[:-1]) == int(digits[-1])


def rf_reference(national: str) -> str:
    """The RF form of a Finnish reference: RF + check digits + the national digits."""
    if not is_national(national):
        raise ReferenceInvalid("The payment reference has a wrong check digit.")
    digits = national.lstrip("0")
    return f"RF{98 - _mod97(digits + 'RF00'):02d}{digits}"


def is_rf(text: str) -> bool:
    """True for an RF reference whose check digits are right; blanks and case do not count."""
    compact = _compact(text)
    return bool(_RF.fullmatch(compact)) and _mod97(compact[4:] + compact[:4]) == 1


def canonical(text: str) -> str:
    """What two spellings of one reference share: the national digits without leading zeros.

    RF loses its prefix when its body is a valid Finnish reference. Anything else comes back
    compact and unchanged: a bad reference is never dropped, it just matches nothing.
    """
    compact = _compact(text)
    if _RF.fullmatch(compact) and is_rf(compact):
        body = compact[4:]
        return body.lstrip("0") if is_national(body) else compact
    return compact.lstrip("0") if _NATIONAL.fullmatch(compact) else compact


def in_fives(national: str) -> str:
    """For paper: groups of five from the right, ``1 23456 78907``."""
    head = len(national) % 5
    groups = [national[:head]] if head else []
    groups += [national[at : at + 5] for at in range(head, len(national), 5)]
    return " ".join(groups)


def references_in(text: str) -> tuple[str, ...]:
    """Canonical payment references with valid check digits found inside free text."""
    found: dict[str, None] = {}
    for valid in map(list, _rf_readings(text)):
        # One word in 97 that follows fits by chance; ours are digits only, so those come first.
        valid.sort(key=lambda spelling: not spelling[2:].isdigit())
        if valid:
            found[canonical(valid[0])] = None
    for match in _DIGITS_IN_TEXT.finditer(text):
        for token in (match.group(), *match.group().split()):
            if is_national(_compact(token)):
                found[canonical(token)] = None
    return tuple(found)


def rf_readings_in(text: str) -> tuple[str, ...]:
    """Every canonical reference that RF texts may be read as: where words follow, check digits may
    fit by chance a second time, and only the register of cases knows which was meant."""
    return tuple(dict.fromkeys(canonical(one) for read in _rf_readings(text) for one in read))


def _rf_readings(text: str) -> Iterator[list[str]]:
    for match in _RF_IN_TEXT.finditer(text):
        words = match.group().split()
        spellings = ["".join(words[: at + 1]) for at in range(len(words))]
        yield [spelling for spelling in reversed(spellings) if is_rf(spelling)]


def case_tokens_in(text: str) -> tuple[str, ...]:
    """Texts shaped like a case reference (RC- and eight symbols); the caller checks the symbol."""
    return tuple(dict.fromkeys(match.group() for match in _CASE_IN_TEXT.finditer(text)))


def _compact(text: str) -> str:
    return "".join(text.split()).upper()


def _mod97(text: str) -> int:
    digits = "".join(str(int(symbol, 36)) for symbol in text)
    return int(digits) % 97
