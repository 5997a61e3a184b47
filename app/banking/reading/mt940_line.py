"""The statement line :61: and the information :86: of MT940."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from app.banking.reading.amounts import day_of, minor_units
from app.banking.reading.camt_entry import NOT_SAID
from app.banking.reading.model import ID_MAX, TEXT_MAX, Entry, Party, Reference, StatementInvalid
from app.banking.reading.mt940_info import Facts, facts_of

# Value day, entry day, mark (RC, RD reverse; EC, ED are only expected), funds code, amount, type,
# owner's reference, bank's reference. Blanks and a wrapped line stand where banks put them.
_LINE: Final = re.compile(
    r"\s*(?P<value>\d{6})(?P<entry>\d{4}|\s{4})?\s?(?P<mark>R[CD]|E[CD]|[CD])(?P<funds>[A-Z])?\s?"
    r"(?P<amount>[0-9]*[,.][0-9]*|[0-9]+)(?![0-9,.])(?P<rest>.*)",
    re.DOTALL,
)
_TYPE: Final = re.compile(r"[A-Z][A-Z0-9 ]{3}")
_CHARGES: Final = frozenset({"CHG", "COM", "BRF"})
_GVC_CHARGES: Final = frozenset({"805", "808", "809", "811", "812", "813", "819", "821"})
_RETURNED: Final = frozenset({"RTI"})
_GVC_RETURNED: Final = frozenset({"108", "109", "159", "184", "185"})
_IBAN: Final = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
HALF_A_YEAR: Final = timedelta(days=183)


@dataclass(frozen=True, slots=True)
class Line:
    """A :61: as it stands. ``odd_day`` is a day of a 30-day month that was moved back."""

    value_on: date
    booked_on: date
    mark: str
    amount: str
    code: str | None
    owner_ref: str | None
    bank_ref: str | None
    extra: str
    odd_day: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Info:
    """All :86: of a line."""

    facts: Facts = field(default_factory=Facts)
    text: str = ""

    @classmethod
    def read(cls, values: Sequence[str]) -> Info:
        return cls(facts_of(values), "\n".join(values)) if values else cls()


def read_line(value: str) -> Line:
    """A statement line. StatementInvalid when day, mark or amount cannot be read."""
    found = _LINE.match(value)
    if found is None:
        raise StatementInvalid("A statement line cannot be read.", line=value[:60])
    said = found["value"]
    year = int(said[:2])
    year += 1900 if year >= 80 else 2000
    value_on = day_of(year, int(said[2:4]), int(said[4:]))
    odd = said if value_on.day != int(said[4:]) else None
    booked_on = _entry_day(found["entry"], value_on)
    first, _, extra = found["rest"].partition("\n")
    kind = _TYPE.match(first)
    code = kind[0] if kind else None
    references = first[4:] if kind else first
    owner, slashes, bank = references.partition("//")
    if not slashes and extra.startswith("//"):
        bank, _, extra = extra[2:].partition("\n")
    return Line(
        value_on, booked_on, found["mark"], found["amount"], code, _said(owner), _said(bank),
        " ".join(extra.split()), odd, value,
    )  # fmt: skip


def _entry_day(text: str | None, value_on: date) -> date:
    """The booking day has no year: the one nearest to the value day, across New Year too."""
    if text is None or not text.strip() or text == "0000":
        return value_on
    month, day = int(text[:2]), int(text[2:])
    booked = day_of(value_on.year, month, day)
    if booked - value_on > HALF_A_YEAR:
        return day_of(value_on.year - 1, month, day)
    if value_on - booked > HALF_A_YEAR:
        return day_of(value_on.year + 1, month, day)
    return booked


def entry_of(
    line: Line, info: Info, currency: str, ident: str, kind: str, own: str
) -> tuple[Entry, str]:
    """The entry, and its key but for the counter of twins."""
    facts = info.facts
    minor = minor_units(line.amount, currency, point="," if "," in line.amount else ".")
    credit = line.mark in ("C", "RD", "EC")
    bank_ref = line.bank_ref or facts.bank_ref
    key = _key(bank_ref if line.bank_ref else None, line, info, credit, minor, ident)
    name = line.code[1:] if line.code else None
    reason = facts.return_reason
    if reason is None and (name in _RETURNED or facts.gvc in _GVC_RETURNED):
        reason = "NARR"
    words = facts.remittance or line.extra
    account = facts.account or _iban(line.extra)
    owner = line.owner_ref if line.owner_ref not in ("EREF", "PREF", "KREF", "MARF") else None
    entry = Entry(
        key=key, minor=minor, currency=currency, credit=credit,
        booked=kind == "MT940" and not line.mark.startswith("E"),
        status="BOOK" if kind == "MT940" and not line.mark.startswith("E") else "INFO",
        booked_on=line.booked_on, value_on=line.value_on, reversal=line.mark.startswith("R"),
        bank_ref=bank_ref, code=" ".join(p for p in (line.code, facts.gvc) if p) or None,
        is_charge=name in _CHARGES or facts.gvc in _GVC_CHARGES,
        refs=Reference(
            end_to_end_id=facts.end_to_end_id, payment_info_id=facts.payment_info_id,
            instruction_id=facts.customer_ref or owner, transaction_id=facts.transaction_id,
            mandate_id=facts.mandate_id, creditor_ref=facts.creditor_ref,
            documents=facts.documents,
        ),
        party=Party(facts.name, None if account == own else account, facts.ultimate),
        remittance=words[:TEXT_MAX], return_reason=reason, instructed=facts.instructed,
    )  # fmt: skip
    return entry, key


def _key(bank_ref: str | None, line: Line, info: Info, credit: bool, minor: int, ident: str) -> str:
    side = "C" if credit else "D"
    if bank_ref:
        return f"ref:{bank_ref}:{line.booked_on.isoformat()}:{side}:{minor}"
    content = "|".join((ident, side, line.text, info.text))
    return f"sum:{hashlib.sha256(' '.join(content.split()).encode()).hexdigest()}"


def _said(text: str) -> str | None:
    text = text.strip()
    return None if not text or text.upper() in NOT_SAID else text[:ID_MAX]


def _iban(text: str) -> str | None:
    """Dutch banks put the other account alone on the second line of :61:."""
    return text if _IBAN.fullmatch(text) else None
