"""Interest on what is unpaid, day by day, after partial payments: exact until the last step.

Interest runs from a part's first day to the last, both counted; on the day of a payment still on
the whole. Interest bears no interest. Nothing is rounded but `Statement.total`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final

from app.domain.errors import InvalidInput
from app.domain.interest.formula import Formula
from app.domain.interest.rates import Missing
from app.domain.money import Money, exponent, round_half_up

ONE_DAY: Final = timedelta(days=1)
PARTS_MAX: Final = 200
PAYMENTS_MAX: Final = 1_000
SPAN_DAYS_MAX: Final = 36_600  # a hundred years: longer than any claim lives
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 9_990  # the calendar itself ends at 9999


class InterestInvalid(InvalidInput):
    """What is asked cannot be counted; the message says which value and why."""

    code = "interest_invalid"


class Against(StrEnum):
    """What a payment is set against; whoever pays, or the law, says so."""

    INTEREST_FIRST = "interest_first"
    PRINCIPAL = "principal"  # and nothing else: what is too much stays a surplus


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the principal and the first day on which it bears interest."""

    principal: Money
    first: date


@dataclass(frozen=True, slots=True)
class Payment:
    on: date
    amount: Money
    against: Against = Against.PRINCIPAL


@dataclass(frozen=True, slots=True)
class Row:
    """One stretch of one part: `principal` and `amount` in minor units, `rate` percent a year."""

    part: int
    first: date
    last: date
    rate: Fraction
    principal: Fraction
    year_days: int
    confirmed: bool

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def amount(self) -> Fraction:
        return self.principal * self.rate * self.days / (100 * self.year_days)


@dataclass(frozen=True, slots=True)
class Statement:
    """Interest up to and with the last day asked for. Exact sums are minor units of `currency`.

    `left`: what is unpaid of each part. `paid`: interest that payments have settled. `surplus`:
    money that was more than what it was set against. `per_day`: what each further day adds at the
    last known rate; None where nobody knows that rate.
    """

    currency: str
    rows: tuple[Row, ...]
    left: tuple[Fraction, ...]
    paid: Fraction
    surplus: Fraction
    per_day: Fraction | None
    carried: Fraction = Fraction(0)

    @property
    def accrued(self) -> Fraction:
        """All interest that has run, paid or not."""
        return self.carried + sum((row.amount for row in self.rows), Fraction(0))

    @property
    def open(self) -> Fraction:
        """Interest that has run and is not paid."""
        return self.accrued - self.paid

    @property
    def total(self) -> Money:
        """The unpaid interest, rounded once, halves up: the sum a letter may name."""
        return rounded(self.open, self.currency)

    @property
    def confirmed(self) -> bool:
        """False while it rests on a rate that nobody has read in a source or approved."""
        return all(row.confirmed for row in self.rows)


@dataclass(frozen=True, slots=True)
class InWords:
    """No sum and no guess: interest is claimed in words, by law and start day. `missing` names
    the rates that somebody has to find."""

    starts_on: date
    missing: tuple[Missing, ...]


def rounded(exact: Fraction, currency: str) -> Money:
    """Whole minor units, halves away from zero."""
    return Money(round_half_up(exact.numerator, exact.denominator), currency)


def written(exact: Fraction, currency: str, more_decimals: int = 0) -> str:
    """Minor units as digits of the currency, with more decimals where a cent is too coarse."""
    decimals = exponent(currency) + more_decimals
    scaled = exact * 10**more_decimals
    whole = round_half_up(scaled.numerator, scaled.denominator)
    return f"{Decimal(whole).scaleb(-decimals):f}"


@dataclass(slots=True)
class _Book:
    """The account as it stands while the days go by."""

    formula: Formula
    parts: Sequence[Part]
    events: Mapping[str, date]
    left: list[Fraction]
    cursor: list[date]  # the next day of each part
    open: Fraction
    paid: Fraction = Fraction(0)
    surplus: Fraction = Fraction(0)
    rows: list[Row] = field(default_factory=list)
    missing: dict[Missing, None] = field(default_factory=dict)

    def run(self, last: date) -> None:
        """Interest of every part up to and with `last`."""
        for number, part in enumerate(self.parts):
            first = self.cursor[number]
            if first > last:
                continue
            self.cursor[number] = last + ONE_DAY
            if self.left[number] == 0:
                continue
            for piece in self.formula.pieces(part.first, first, last, self.events):
                if isinstance(piece, Missing):
                    self.missing[piece] = None
                    continue
                row = Row(
                    number, piece.first, piece.last, piece.rate, self.left[number],
                    piece.year_days, piece.confirmed,
                )  # fmt: skip
                self.rows.append(row)
                self.open += row.amount

    def pay(self, payment: Payment) -> None:
        """Against interest where it comes first, then the principal, its oldest part first."""
        money = Fraction(payment.amount.minor)
        if payment.against is Against.INTEREST_FIRST:
            used = min(money, max(self.open, Fraction(0)))
            self.open -= used
            self.paid += used
            money -= used
        for number in sorted(range(len(self.parts)), key=lambda n: self.parts[n].first):
            used = min(money, self.left[number])
            self.left[number] -= used
            money -= used
        self.surplus += money


def accrue(
    formula: Formula,
    parts: Sequence[Part],
    until: date,
    *,
    payments: Sequence[Payment] = (),
    events: Mapping[str, date] | None = None,
    carried: Fraction = Fraction(0),
) -> Statement | InWords:
    """Interest on `parts` up to and with `until`.

    Payments after `until` are left out; those of one day count in one fixed order, however they
    are given. `events` are days that change the rate (a decision that became enforceable);
    `carried` is unpaid interest from before, in minor units. Raises InterestInvalid and
    CurrencyMismatch.
    """
    _judge(parts, payments, until)
    book = _Book(
        formula, parts, events or {}, [Fraction(p.principal.minor) for p in parts],
        [p.first for p in parts], carried,
    )  # fmt: skip
    due = [p for p in payments if p.on <= until]
    for payment in sorted(due, key=lambda p: (p.on, p.against, p.amount.minor)):
        book.run(payment.on)
        book.pay(payment)
    book.run(until)
    if book.missing:
        return InWords(min(p.first for p in parts), tuple(book.missing))
    return Statement(
        parts[0].principal.currency, tuple(book.rows), tuple(book.left), book.paid, book.surplus,
        _per_day(book, until), carried,
    )  # fmt: skip


def _per_day(book: _Book, until: date) -> Fraction | None:
    """Of the day `until`: what the next one adds unless the rate changes over night."""
    day = _Book(
        book.formula, book.parts, book.events, book.left,
        [max(p.first, until) for p in book.parts], Fraction(0),
    )  # fmt: skip
    day.run(until)
    return None if day.missing else day.open


def _judge(parts: Sequence[Part], payments: Sequence[Payment], until: date) -> None:
    if not 0 < len(parts) <= PARTS_MAX:
        raise InterestInvalid(f"a claim has 1 to {PARTS_MAX} parts of principal")
    if len(payments) > PAYMENTS_MAX:
        raise InterestInvalid(f"more than {PAYMENTS_MAX} payments")
    for part in parts:
        if part.principal.minor <= 0:
            raise InterestInvalid("the principal is more than nothing")
        parts[0].principal.same_currency(part.principal)
    for payment in payments:
        if payment.amount.minor <= 0:
            raise InterestInvalid(f"the payment of {payment.on.isoformat()} is no amount")
        parts[0].principal.same_currency(payment.amount)
    days = [*(part.first for part in parts), *(payment.on for payment in payments), until]
    if min(days).year < FIRST_YEAR or max(days).year > LAST_YEAR:
        raise InterestInvalid(f"days lie between {FIRST_YEAR} and {LAST_YEAR}")
    if (until - min(part.first for part in parts)).days > SPAN_DAYS_MAX:
        raise InterestInvalid(f"no claim runs for more than {SPAN_DAYS_MAX} days")


def merged(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Rows of one stretch and rate as one: how a table shows a principal of several parts."""
    found: dict[tuple[date, date, Fraction, int], Row] = {}
    for row in rows:
        key = (row.first, row.last, row.rate, row.year_days)
        known = found.get(key)
        if known is None:
            found[key] = replace(row, part=0)
        else:
            found[key] = replace(
                known, principal=known.principal + row.principal,
                confirmed=known.confirmed and row.confirmed,
            )  # fmt: skip
    return tuple(sorted(found.values(), key=lambda row: (row.first, row.last, row.rate)))
