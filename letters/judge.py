"""Is a letter complete and sane? Raises the named refusal, or returns.

The walk over the fields works from the dataclasses' own type hints, so that a new field is
judged from the day it exists.
"""

import dataclasses
import functools
import re
import types
import typing
from collections.abc import Hashable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, Union

from letters import limits
from letters.errors import LetterIncomplete, LetterInvalid, LetterTooLarge
from letters.values import (
    ClientAccountPayment,
    CompanyPosition,
    DirectPayment,
    Interest,
    Payment,
    Value,
)

if TYPE_CHECKING:
    from letters.letter import DemandLetter, Letter

# RC-, seven symbols and a check symbol in Crockford's base 32; inner hyphens are for reading.
REFERENCE: Final = re.compile(r"RC-(?:-?[0-9A-HJKMNP-TV-Z]){8}")
CURRENCY: Final = re.compile(r"[A-Z]{3}")
EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")
IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
RF: Final = re.compile(r"RF[0-9]{2}[A-Z0-9]{1,21}")
LINK: Final = re.compile(r"https?://[!-~]{1,180}")
DIGITS: Final = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,8})?")
MINOR_MAX: Final = 2**53 - 1  # minor units: exact in every JSON reader


def hints_of(kind: type[Value]) -> dict[str, Any]:
    """Resolved type hints of the fields of a class of values, in order."""
    return _hints(typing.cast(Hashable, kind))


@functools.cache
def _hints(kind: Hashable) -> dict[str, Any]:
    # Hashable, because the type checker takes the hash of a class for that of its values.
    of_class = typing.cast(type[Value], kind)
    hints = typing.get_type_hints(of_class)
    return {each.name: hints[each.name] for each in dataclasses.fields(of_class)}


def union_members(hint: Any) -> tuple[Any, ...]:
    """The members of `A | B | None`; the hint itself when it is no union."""
    if typing.get_origin(hint) in (Union, types.UnionType):
        return typing.get_args(hint)
    return (hint,)


class Walk:
    """One pass over a letter: names the path of what is wrong, sums up the text."""

    def __init__(self, sources: dict[str, str]) -> None:
        self._sources = sources
        self._bytes = 0

    def source(self, path: str) -> str:
        return self._sources.get(re.split(r"[.\[]", path, maxsplit=1)[0], "case")

    def fields(self, value: Value, path: str) -> None:
        for each in dataclasses.fields(value):
            where = f"{path}.{each.name}" if path else each.name
            hint = hints_of(type(value))[each.name]
            self.value(getattr(value, each.name), hint, where, bool(each.metadata.get("long")))

    def value(self, value: Any, hint: Any, path: str, long: bool) -> None:
        members = union_members(hint)
        if value is None:
            if type(None) in members:
                return
            raise LetterIncomplete(path, self.source(path))
        for member in members:
            origin = typing.get_origin(member)
            if origin is Literal and value in typing.get_args(member):
                return
            if origin is tuple and isinstance(value, tuple):
                return self._rows(value, typing.get_args(member)[0], path, long)
            if member is str and isinstance(value, str):
                return self._text(value, path, long)
            if member is int and type(value) is int:
                return self._minor(value, path)
            if member is bool and isinstance(value, bool):
                return
            # A datetime is a date to Python, but not a day to a reader.
            if member is date and isinstance(value, date) and not isinstance(value, datetime):
                return
            if isinstance(member, type) and issubclass(member, Value) and type(value) is member:
                return self.fields(value, path)
        raise LetterInvalid(path, f"a {type(value).__name__} of this value is not allowed here")

    def _rows(self, rows: tuple[Any, ...], hint: Any, path: str, long: bool) -> None:
        address = path.endswith("address_lines")
        if address and not rows:
            raise LetterIncomplete(path, self.source(path))
        limit = limits.ADDRESS_LINES_MAX if address else limits.ROWS_MAX
        if len(rows) > limit:
            raise LetterTooLarge(path, limit, "lines" if address else "rows")
        for number, row in enumerate(rows):
            self.value(row, hint, f"{path}[{number}]", long)

    def _text(self, text: str, path: str, long: bool) -> None:
        if not text:
            raise LetterIncomplete(path, self.source(path))
        if not text.isprintable() and any("\ud800" <= character <= "\udfff" for character in text):
            raise LetterInvalid(path, "holds half of a surrogate pair")
        size = len(text.encode())
        if size > limits.FIELD_BYTES_MAX:
            raise LetterTooLarge(path, limits.FIELD_BYTES_MAX, "bytes")
        if not long and len(text) > limits.LINE_CHARS_MAX:
            raise LetterTooLarge(path, limits.LINE_CHARS_MAX, "characters")
        if text.count("\n") >= limits.PARAGRAPHS_MAX:
            raise LetterTooLarge(path, limits.PARAGRAPHS_MAX, "paragraphs")
        self._bytes += size
        if self._bytes > limits.TEXT_BYTES_MAX:
            raise LetterTooLarge("letter", limits.TEXT_BYTES_MAX, "bytes of text")

    def _minor(self, minor: int, path: str) -> None:
        if not 0 < minor <= MINOR_MAX:
            raise LetterInvalid(path, "an amount must be above 0 and below 2^53 minor units")


def judge_letter(letter: "Letter") -> None:
    """Judges what all letters share; see the errors of `letters.errors`."""
    Walk(letter.sources).fields(letter, "")
    for name in letter.needs:
        if not getattr(letter, name):
            raise LetterIncomplete(name, letter.sources.get(name, "case"))
    if len(letter.claimants) > limits.CLAIMANTS_MAX:
        raise LetterTooLarge("claimants", limits.CLAIMANTS_MAX, "persons")
    if letter.claims and not letter.items and not letter.remedies:
        raise LetterIncomplete("items", letter.sources["items"])
    if not REFERENCE.fullmatch(letter.reference):
        raise LetterInvalid("reference", "is not an RC- reference")
    for path, address in (
        ("reply_email", letter.reply_email),
        ("recipient.email", letter.recipient.email),
    ):
        if address is not None and not EMAIL.fullmatch(address):
            raise LetterInvalid(path, "is not an e-mail address")
    if letter.answer_link is not None and not LINK.fullmatch(letter.answer_link):
        raise LetterInvalid("answer_link", "is not an https address")
    _judge_money(letter)
    _judge_days(letter)
    if letter.position is not None:
        _judge_position(letter.position)


def _judge_money(letter: "Letter") -> None:
    signed = {claimant.name for claimant in letter.claimants}
    for number, item in enumerate(letter.items):
        # A letter lists only those who signed, so it may demand for nobody else.
        if item.creditor not in signed:
            raise LetterInvalid(f"items[{number}].creditor", "is not one of the claimants")
    sums: list[tuple[str, str]] = [("items", item.currency) for item in letter.items]
    sums += [("received", payment.currency) for payment in letter.received]
    for path, currency in sums:
        if not CURRENCY.fullmatch(currency):
            raise LetterInvalid(f"{path}.currency", "is not an ISO 4217 code")
        if currency != letter.currency:
            raise LetterInvalid(f"{path}.currency", "a letter has one currency")
    if letter.items and letter.outstanding_minor <= 0:
        raise LetterInvalid("received", "nothing is outstanding")
    if letter.received and not letter.items:
        raise LetterInvalid("received", "money was received but none is claimed")


def _judge_days(letter: "Letter") -> None:
    past = [
        (f"claimants[{number}].mandate_signed_on", claimant.mandate_signed_on)
        for number, claimant in enumerate(letter.claimants)
    ]
    past += [
        (f"earlier[{number}].sent_on", sent.sent_on) for number, sent in enumerate(letter.earlier)
    ]
    past += [
        (f"received[{number}].on", payment.on) for number, payment in enumerate(letter.received)
    ]
    for path, day in past:
        if day > letter.dated:
            raise LetterInvalid(path, "lies after the letter's date")


def _judge_position(position: CompanyPosition) -> None:
    needed: tuple[str, ...] = () if position.kind in ("silent", "answered") else ("on",)
    if position.kind == "promised":
        needed = ("on", "promised_for", "minor", "currency")
    for name in needed:
        if getattr(position, name) is None:
            raise LetterIncomplete(f"position.{name}", "correspondence")
    if (position.minor is None) != (position.currency is None):
        raise LetterIncomplete("position.currency", "correspondence")


def judge_demand(letter: "DemandLetter") -> None:
    """Judges what a letter to the company needs besides."""
    if letter.deadline <= letter.dated:
        raise LetterInvalid("deadline", "must lie after the letter's date")
    if not letter.next_steps:
        raise LetterIncomplete("next_steps", letter.sources["next_steps"])
    for number, step in enumerate(letter.next_steps):
        if step.kind == "complaint" and step.body is None:
            raise LetterIncomplete(f"next_steps[{number}].body", "playbook")
    if letter.items and letter.payment is None:
        raise LetterIncomplete("payment", letter.sources["payment"])
    judge_payment(letter.payment)


def judge_payment(payment: Payment | None) -> None:
    """Judges where money is asked to go: check digits, and an account where one is named."""
    if isinstance(payment, ClientAccountPayment):
        iban = payment.iban
        if not IBAN.fullmatch(_packed(iban)) or not _sums_to_one(iban):
            raise LetterInvalid("payment.iban", "its check digits are wrong")
        rf = payment.rf_reference
        if not RF.fullmatch(_packed(rf)) or not _sums_to_one(rf):
            raise LetterInvalid("payment.rf_reference", "its check digits are wrong")
    if (
        isinstance(payment, DirectPayment)
        and payment.method == "account"
        and not payment.account_lines
    ):
        raise LetterIncomplete("payment.account_lines", "consumer")


def judge_interest(letter: "Letter", interest: Interest | None) -> None:
    """Judges the interest a letter claims: its table adds up to its sum, and ends with it."""
    if interest is None:
        return
    if interest.minor is not None:
        for name in ("currency", "up_to"):
            if getattr(interest, name) is None:
                raise LetterIncomplete(f"interest.{name}", "playbook")
    if interest.currency is not None and interest.currency != letter.currency:
        raise LetterInvalid("interest.currency", "a letter has one currency")
    if interest.up_to is not None and not interest.starts_on <= interest.up_to <= letter.dated:
        raise LetterInvalid("interest.up_to", "lies between its first day and the letter's date")
    if interest.per_day is not None and not DIGITS.fullmatch(interest.per_day):
        raise LetterInvalid("interest.per_day", "is not an amount in digits")
    if not interest.rows:
        return
    if interest.minor != sum(row.minor or 0 for row in interest.rows):
        raise LetterInvalid("interest.rows", "do not add up to the sum")
    for number, row in enumerate(interest.rows):
        if not DIGITS.fullmatch(row.rate):
            raise LetterInvalid(f"interest.rows[{number}].rate", "is not a rate in digits")
        if row.first > row.last or row.days != (row.last - row.first).days + 1:
            raise LetterInvalid(f"interest.rows[{number}].days", "are not those of its dates")
        if interest.up_to is not None and row.last > interest.up_to:
            raise LetterInvalid(f"interest.rows[{number}].last", "lies after the last day counted")


def _packed(code: str) -> str:
    return code.replace(" ", "").replace("\N{NO-BREAK SPACE}", "")


def _sums_to_one(code: str) -> bool:
    """ISO 7064 mod 97-10, the check of IBAN (ISO 13616) and RF (ISO 11649)."""
    packed = _packed(code)
    return int("".join(str(int(symbol, 36)) for symbol in packed[4:] + packed[:4])) % 97 == 1
