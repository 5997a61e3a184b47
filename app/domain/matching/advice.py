"""Remittance advice: the payer's own list of what one payment is for.

Pasted text or CSV, one case a line: a reference (ours, or the company's booking number) and an
amount. It confirms when every line names exactly one case by a checked reference and the sums are
the payment to the cent; otherwise the split is suggested, and the lines that fit nothing are shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.bank_refs import case_tokens_in, references_in
from app.domain.errors import InvalidInput
from app.domain.matching.facts import CaseFacts, Facts, Part, Reason, Receipt, Rules, Suggestion
from app.domain.money import exponent
from app.domain.reference import parse_reference

LINES_MAX: Final = 500
LIST_KEYS: Final = ("reference", "paid")  # columns of the weekly list that say what was paid
TEXT_MAX: Final = 100_000  # characters
_GROUPED: Final = re.compile(r"(?:\d{1,3}(?:[ .'\u00a0]\d{3})+|\d+)(?:[.,]\d{1,3})?")
_CELL: Final = re.compile(r"[;\t|]")
_WORD: Final = re.compile(r"[0-9A-Za-z]+")


class AdviceRefused(InvalidInput):
    """The list of what a payment is for cannot be read."""

    code = "advice_unreadable"


@dataclass(frozen=True, slots=True)
class AdviceLine:
    """One line: what may name the case, and its sum in minor units."""

    number: int
    text: str
    references: tuple[str, ...]
    words: frozenset[str]
    amount_minor: int


def read_advice(text: str, currency: str) -> tuple[AdviceLine, ...]:
    """The lines that have an amount; headings and sums ("total") name no case and are left out.

    The amount is the last cell of a line (cells end with ; tab or |, else the last word) that is a
    number of the currency. AdviceRefused when there is none, or above the limits.
    """
    if len(text) > TEXT_MAX:
        raise AdviceRefused("The list is too long.", code="advice_too_long")
    found: list[AdviceLine] = []
    for number, line in _lines(text):
        read = _line(number, line, currency)
        if read is not None:
            found.append(read)
    if not found:
        raise AdviceRefused("No line with a reference and an amount was found.")
    if len(found) > LINES_MAX:
        raise AdviceRefused("The list has too many lines.", code="advice_too_long")
    return tuple(found)


def _lines(text: str) -> list[tuple[int, str]]:
    """The lines to read. A list under our own heading (the weekly list of open claims, returned)
    is read by its columns: a claim whose "paid" is empty was not paid."""
    lines = list(enumerate(text.lstrip("\ufeff").splitlines(), start=1))
    heading, mark = _heading(lines[0][1]) if lines else ([], "")
    if not {*LIST_KEYS} <= set(heading):
        return lines
    wanted = [heading.index(key) for key in LIST_KEYS]
    found = []
    for number, line in lines[1:]:
        cells = [cell.strip().strip('"') for cell in line.split(mark)]
        cells += [""] * (len(heading) - len(cells))
        reference, paid = (cells[at] for at in wanted)
        if paid:
            found.append((number, f"{reference};{paid}"))
    return found


def _heading(line: str) -> tuple[list[str], str]:
    """The names of the columns and what parts them (programs write `;`, a tab or a comma)."""
    mark = max(";\t,", key=line.count)
    return [cell.strip().strip('"').lower() for cell in line.split(mark)], mark


def _line(number: int, line: str, currency: str) -> AdviceLine | None:
    cells = [cell.strip() for cell in _CELL.split(line) if cell.strip()]
    if len(cells) < 2:
        cells = line.split()
    for at in range(len(cells) - 1, 0, -1):
        minor = _minor(cells[at], currency)
        if minor is not None:
            rest = " ".join(cells[:at])
            words = frozenset(word.upper() for word in _WORD.findall(rest))
            return AdviceLine(number, line.strip()[:200], _references(rest), words, minor)
    return None


def _minor(cell: str, currency: str) -> int | None:
    """An amount as written in any of our countries; None when it is not one, or not exact."""
    text = cell.strip().removeprefix(currency).removesuffix(currency).strip(" €$£")
    if not _GROUPED.fullmatch(text):
        return None
    digits = exponent(currency)
    whole, mark, part = text, "", ""
    last = max(text.rfind("."), text.rfind(","))
    # Three digits behind the only mark are thousands where the currency has fewer decimals.
    if last >= 0 and len(text) - last - 1 <= max(digits, 0):
        whole, mark, part = text[:last], text[last], text[last + 1 :]
    whole = re.sub(r"[^0-9]", "", whole)
    if mark and not part:
        return None
    minor = int(whole + part.ljust(digits, "0"))
    return minor if 0 < minor < 10**15 else None


def _references(text: str) -> tuple[str, ...]:
    found = list(references_in(text))
    for token in case_tokens_in(text):
        try:
            found.append(parse_reference(token))
        except InvalidInput:
            continue  # a wrong check symbol names nothing
    return tuple(found)


def match_advice(
    receipt: Receipt, cases: Sequence[CaseFacts], facts: Facts, rules: Rules
) -> list[Suggestion]:
    """Step 7: the split the payer asks for, when its lines sum to the payment."""
    lines = [line for line in facts.advice if line.references or line.words]
    named = [(line, _cases_of(line, cases, rules)) for line in lines]
    fitting = [(line, hits) for line, hits in named if hits]
    if not fitting:
        return []
    taken: dict[str, int] = {}
    doubt: Reason | None = None
    for line, hits in fitting:
        case, strong = hits[0]
        if len(hits) > 1 or not strong:
            doubt = doubt or Reason("advice_line_unsure", params={"line": str(line.number)})
        taken[case.case_id] = taken.get(case.case_id, 0) + line.amount_minor
    unknown = next((line for line, hits in named if not hits and not _is_total(line, lines)), None)
    if unknown is not None:
        doubt = doubt or Reason("advice_line_unknown", params={"line": str(unknown.number)})
    open_of = {case.case_id: case.open_minor for case in cases}
    if any(minor > open_of[case_id] for case_id, minor in taken.items()):
        doubt = doubt or Reason("advice_above_open")
    parts = tuple(Part(c, min(minor, open_of[c])) for c, minor in taken.items() if open_of[c] > 0)
    total = sum(part.amount_minor for part in parts)
    if total != receipt.amount_minor:
        doubt = doubt or Reason("advice_sum_differs")
    if not parts or total > receipt.amount_minor:
        return []
    reasons = (Reason("advice_lines", rules.score["advice_lines"], {"count": str(len(fitting))}),)
    return [
        Suggestion(
            "remittance_advice", parts, receipt.amount_minor - total, f"{len(fitting)}", None,
            reasons, doubt,
        )
    ]  # fmt: skip


def _is_total(line: AdviceLine, lines: Sequence[AdviceLine]) -> bool:
    """The last line, whose sum is that of all before it."""
    before = [one.amount_minor for one in lines if one is not line]
    return line is lines[-1] and line.amount_minor == sum(before) and bool(before)


def _cases_of(
    line: AdviceLine, cases: Sequence[CaseFacts], rules: Rules
) -> list[tuple[CaseFacts, bool]]:
    """The cases of a line and whether a checked reference says so."""
    strong = [
        case
        for case in cases
        if case.payment_ref in line.references or case.reference in line.references
    ]
    if strong:
        return [(case, True) for case in strong]
    long = {word for word in line.words if len(word) >= rules.booking_length_min}
    return [(case, False) for case in cases if (case.booking_ref or "").upper() in long]
