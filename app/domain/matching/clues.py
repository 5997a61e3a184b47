"""Pieces of a bank line that may name a case, and how far each may be believed.

A bare national reference has one check digit: one number in ten fits by chance. It is believed
in the payer's reference field and behind a word for "reference"; other digits in the text need a
payer that fits. RF (two check digits) and the case number (check symbol of 32) stand alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from app.domain.bank_refs import (
    canonical,
    case_tokens_in,
    is_national,
    is_rf,
    national_check_digit,
    references_in,
    rf_readings_in,
)
from app.domain.errors import InvalidInput
from app.domain.matching.facts import Receipt, Rules
from app.domain.reference import parse_reference

_WORDS: Final = re.compile(r"[0-9A-Za-z\u00c0-\u024f]+")
_BEHIND_WORD: Final = re.compile(
    r"([^\W\d_]+)[^\w]{1,3}(?:n(?:o|r|ro)[^\w]{1,3})?([0-9][0-9 ]{2,40})", re.IGNORECASE
)
WORDS_MAX: Final = 200  # of one line; a remittance text has 140 characters, some banks join four


@dataclass(frozen=True, slots=True)
class Clue:
    """``strong``: its check fits and its place makes chance unlikely; ``valid``: its check fits."""

    step: str
    value: str
    found: str
    strong: bool
    valid: bool


@dataclass(frozen=True, slots=True)
class Keys:
    """By what the cases of a receipt can be looked up. ``near`` are the references a wrong check
    digit may stand for: they only suggest."""

    references: frozenset[str]
    near: frozenset[str]
    booking_words: frozenset[str]


def clues_of(receipt: Receipt, rules: Rules) -> tuple[Clue, ...]:
    """Everything in a line that may be one of our references, in the order of the cascade."""
    found: list[Clue] = []
    if receipt.creditor_ref:
        found.append(_structured(receipt.creditor_ref))
    end_to_end = _meant(receipt.end_to_end_id, rules)
    if end_to_end:
        found += _in_words("end_to_end", end_to_end, rules, named=True)
    found += _in_words("reference_in_text", receipt.text, rules, named=False)
    if receipt.creditor_ref:
        found += _case_numbers("reference_in_text", receipt.creditor_ref)
    return tuple(dict.fromkeys(found))


def keys_of(receipt: Receipt, rules: Rules) -> Keys:
    """What to look cases up by."""
    clues = clues_of(receipt, rules)
    return Keys(
        frozenset(clue.value for clue in clues if clue.valid),
        frozenset(clue.value for clue in clues if not clue.valid),
        booking_words(receipt, rules),
    )


def booking_words(receipt: Receipt, rules: Rules) -> frozenset[str]:
    """Words long enough to be a booking number and not made of letters of a sentence alone."""
    end_to_end = _meant(receipt.end_to_end_id, rules) or ""
    words = _WORDS.findall(f"{receipt.text} {end_to_end} {receipt.creditor_ref or ''}".upper())
    long = [w for w in words[:WORDS_MAX] if len(w) >= rules.booking_length_min]
    return frozenset(long)


def says_settled(text: str, rules: Rules) -> str | None:
    """The words that call the money the whole, in any language of the rules; None when none do."""
    folded = f" {' '.join(_WORDS.findall(text.casefold()))} "
    for words in rules.settlement_words:
        if f" {words} " in folded:
            return words
    return None


def _meant(text: str | None, rules: Rules) -> str | None:
    """The id, unless it is one of the words by which banks say that there is none."""
    if text is None or text.strip().upper() in rules.not_ids:
        return None
    return text


def _structured(text: str) -> Clue:
    value = canonical(text)
    valid = is_rf(text) or is_national(value)
    if valid:
        return Clue("creditor_reference", value, text, strong=True, valid=True)
    return Clue("creditor_reference", _mended(value), text, strong=False, valid=False)


def _mended(digits: str) -> str:
    """The reference whose last digit alone is wrong; other text stays as it is."""
    if digits.isascii() and digits.isdigit() and 4 <= len(digits) <= 20:
        return f"{digits[:-1]}{national_check_digit(digits[:-1])}"
    return digits


def _in_words(step: str, text: str, rules: Rules, *, named: bool) -> Iterator[Clue]:
    sure = {*rf_readings_in(text), *_named(text, rules)}
    for value in dict.fromkeys((*references_in(text), *sorted(sure))):
        yield Clue(step, value, value, strong=named or value in sure, valid=True)
    yield from _case_numbers(step, text)


def _case_numbers(step: str, text: str) -> Iterator[Clue]:
    for token in case_tokens_in(text):
        try:
            yield Clue(step, parse_reference(token), token, strong=True, valid=True)
        except InvalidInput:
            shaped = "".join(s for s in token.upper() if s.isalnum())
            yield Clue(step, f"RC-{shaped[2:]}", token, strong=False, valid=False)


def _named(text: str, rules: Rules) -> Iterator[str]:
    """References right behind a word for "reference". Groups of digits that follow may belong to
    it or not: every beginning with a right check digit counts."""
    for match in _BEHIND_WORD.finditer(text):
        if match.group(1).casefold() not in rules.reference_words:
            continue
        groups = match.group(2).split()
        for end in range(len(groups), 0, -1):
            digits = "".join(groups[:end])
            if is_national(digits):
                yield canonical(digits)
